"""A stage small enough to see through: each part writes its text, or does what its params say."""

import os
import time

from hominis.config.base import Section, unkeyed
from hominis.errors import InputError, Interrupted
from hominis.store.types import Part, Stage


class ToySection(Section):
    text: str = "hello"
    count: int = unkeyed(3)


def parts(section, inputs):
    return [Part(f"p{i}", {"number": i}) for i in range(section.count)]


def work(section, inputs, part, scratch):
    read = "".join((a.path / "data.txt").read_text() for a in inputs.get("toy", ()))
    (scratch.out / "data.txt").write_text(f"{section.text} {part.id} {read}")
    scratch.progress(1, 1, "texts")
    return {"letters": len(section.text)}


def failing(section, inputs, part, scratch):
    (scratch.out / "half.txt").write_text("half")
    raise InputError("a bad record", where="somewhere", remedy="another one")


def crashing(section, inputs, part, scratch):
    raise ZeroDivisionError("no reason")


def filling_the_disk(section, inputs, part, scratch):
    with (scratch.out / "large").open("wb") as file:
        for _ in range(64):
            file.write(os.urandom(1 << 20))
            file.flush()
    return {}


def counting(section, inputs, part, scratch):
    """Count to ten over as many attempts as it takes, four at a time."""
    kept = scratch.checkpoints / "count"
    begin = int(kept.read_text()) if kept.exists() else 0
    for n in range(begin, 10):
        kept.write_text(str(n + 1))
        scratch.progress(n + 1, 10, "steps")
        if n + 1 == begin + 4:
            raise Interrupted("asked to stop")
    (scratch.out / "count").write_text("10")
    return {"begin": 0}


def sleeping(section, inputs, part, scratch):
    for n in range(600):
        scratch.progress(n, 600, "naps")
        time.sleep(0.05)
    (scratch.out / "x").write_text("x")
    return {}


def stage(function=work, name="toy", revision=1, inputs=()):
    return Stage(name, revision, inputs, parts, function)
