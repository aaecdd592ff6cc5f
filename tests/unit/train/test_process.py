"""How a rank says why it ended: broken, or to be resumed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

RANK = """
import sys
from hominis.errors import InputError, Interrupted
from hominis.train.process import guarded

def work():
    {work}

sys.exit(guarded(work))
"""

JOIN = """
    from hominis.config.train import LayoutSection
    from hominis.train.process import distributed
    with distributed(LayoutSection(), 1, 0):
        return 0
"""


def rank(folder: Path, work: str, **variables: str) -> tuple[int, dict[str, Any]]:
    """Run a rank on its own that does this; return its exit code and the words that it left."""
    own = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "HOMINIS_FAILURE": str(folder / "failure.json")}
    code = subprocess.run([sys.executable, "-c", RANK.format(work=work)], env={**os.environ, **own, **variables})
    return code.returncode, json.loads((folder / "failure.json").read_text())


def test_a_port_to_meet_at_that_is_taken_is_to_be_resumed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, words = rank(tmp_path, JOIN.strip(), MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    assert (code, words["resume"]) == (75, True)
    assert "has no contact to the others" in words["problem"]
    assert port in words["problem"]


def test_an_error_of_the_rank_s_own_is_not(tmp_path: Path) -> None:
    code, words = rank(tmp_path, "raise InputError('a bad token', where='a shard', remedy='another one')")
    assert code == 1
    assert words == {"problem": "a bad token", "where": "a shard", "remedy": "another one", "resume": False}


def test_an_unexpected_error_is_left_with_its_traceback(tmp_path: Path) -> None:
    code, words = rank(tmp_path, "{}['a key']")
    assert (code, words["resume"]) == (1, False)
    assert words["problem"].startswith("rank 0 of 1 failed unexpectedly: Traceback")
    assert words["problem"].strip().endswith("KeyError: 'a key'")


def test_the_first_error_stays(tmp_path: Path) -> None:
    rank(tmp_path, "raise InputError('the cause')")
    code, words = rank(tmp_path, "raise Interrupted('the effect')")
    assert (code, words["problem"]) == (75, "the cause")
