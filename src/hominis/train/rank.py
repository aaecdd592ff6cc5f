"""One rank of a pretraining run: ``python -m hominis.train.rank BRIEF``, started by ``launch`` or by srun."""

from __future__ import annotations

import sys
from pathlib import Path

from hominis.train import laps, lifeline, stop

if __name__ == "__main__":
    lifeline.hold_on()
    laps.mark(laps.LAUNCH)
    stop.listen()  # before the slow imports: a request to stop must not be lost
    from hominis.train.process import guarded
    from hominis.train.trainer import train

    sys.exit(guarded(lambda: train(Path(sys.argv[1]))))
