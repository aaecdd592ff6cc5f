"""Where things lie in the root that all runs of a site share."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Site:
    """The root of the store, of the attempts and of the scratch folders: one file system, absolute."""

    root: Path

    @classmethod
    def at(cls, root: str | Path) -> "Site":
        """Return the site at ``root``, which need not exist yet."""
        return cls(Path(root).absolute())

    def artefact(self, stage: str, key: str) -> Path:
        """Return where the artefact of ``key`` is, or will be."""
        return self.root / "store" / stage / key[:2] / key

    def verified(self, key: str) -> Path:
        """Return the file that remembers which of an artefact's files were hashed."""
        return self.root / "verified" / key[:2] / f"{key}.json"

    def attempts(self, key: str) -> Path:
        """Return the folder of a part's attempts."""
        return self.root / "attempts" / key[:2] / key

    def scratch(self, key: str, n: int) -> Path:
        """Return the folder that attempt ``n`` works in."""
        return self.root / "scratch" / f"{key}.{n}"

    def records(self, key: str, n: int) -> Path:
        """Return the folder of what attempt ``n`` noted about itself; kept for ever, as its row in the ledger is."""
        return self.root / "records" / key[:2] / f"{key}.{n}"

    def jobs(self, stage: str, key: str) -> Path:
        """Return the folder in which drivers keep what they know about a stage's jobs."""
        return self.root / "jobs" / stage / key

    @property
    def polls(self) -> Path:
        """Return the folder in which this user's drivers share what they ask of the scheduler."""
        return self.root / "polls" / str(os.getuid())

    def present(self, stage: str) -> set[str]:
        """Return the keys of all artefacts of a stage: at most 256 directory listings, whatever their number."""
        base = self.root / "store" / stage
        shelves = os.scandir(base) if base.exists() else ()
        return {name for shelf in shelves for name in os.listdir(shelf.path) if not name.startswith(".")}
