"""A small run, made through the real store: stages that write what the contract says, with plausible numbers."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hominis.carbon import meter
from hominis.carbon.account import account
from hominis.config.base import Section
from hominis.config.carbon import AccountSection
from hominis.errors import InputError
from hominis.report.collect import Evidence
from hominis.store import artefacts, ledger, run, whole
from hominis.store.files import digest
from hominis.store.site import Site
from hominis.store.types import Artefact, Part, Stage

SOURCES = {
    "debian-manual": ("web", "GFDL-1.3-or-later", 48_213_771),
    "linux-docs": ("web", "GPL-2.0-only", 21_909_400),
    "numpy-source": ("code", "BSD-3-Clause", 19_104_332),
    "arxiv-sample": ("arxiv", "CC-BY-4.0", 7_730_021),
}
RULES = (
    "duplicate_exact",
    "duplicate_near",
    "language",
    "rps_doc_word_count",
    "rps_doc_frac_unique_words",
    "rps_doc_ml_palm_score",
    "contaminated",
)
ACCOUNT = AccountSection.model_validate(
    {
        "intensity_kg_per_kwh": {"value": 0.2875, "low": 0.2848, "high": 0.3367, "source": "Italian grid, 2024"},
        "pue": {"value": 1.0, "low": 1.0, "high": 1.1, "source": "assumption: a laptop, no cooled building"},
    }
)
CONFIG: dict[str, Any] = {
    "run": "quickstart",
    "site": {"root": "/somewhere/else"},
    "select": {"policies": {"web": {"rules": [{"name": "language", "source": "A paper (arXiv:1234.56789)"}]}}},
    "pretrain": {"steps": 1200, "micro_batch": 4},
    "account": ACCOUNT.model_dump(mode="json"),
    "report": {"title": "Quickstart: from Debian's manuals to a table", "abstract": "The whole road on two cores."},
}
SOURCE = {"commit": "3f1d0c9a4b7e25d86f01a9c3e5b7d9f1a2c4e6f8", "dirty": True}

Write = Callable[[Path, str], dict[str, Any]]


class Nothing(Section):
    """A section without settings."""


@dataclass
class Made:
    """A run in the making."""

    site: Site
    artefacts: dict[str, list[Artefact]] = field(default_factory=dict)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def stage(self, name: str, parts: Sequence[str], write: Write, fails: int = 0) -> None:
        """Run a stage of ``parts`` through the store; its first ``fails`` attempts fail."""
        left = [fails]

        def work(section: Any, inputs: Any, part: Part, scratch: Any) -> dict[str, Any]:
            if left[0]:
                left[0] -= 1
                _ = sum(range(3_000_000))
                raise InputError("loss is not a number at step 17 <b>&</b>", remedy="lower the learning rate")
            return write(scratch.out, part.id)

        stage = Stage(name, 1, (), lambda section, inputs: [Part(part) for part in parts], work)
        keys = {part.id: self._run(stage, part) for part in stage.parts(Nothing(), {})}
        self.artefacts[name] = [artefacts.open_artefact(self.site, name, key) for key in keys.values()]
        receipt = whole.conclude(self.site, stage, Nothing(), keys, {})
        path = self.site.artefact(name, receipt.key) / artefacts.RECEIPT
        self.receipts[name] = {"key": receipt.key, "digest": digest(path.read_text()), "path": str(path)}

    def _run(self, stage: Stage, part: Part) -> str:
        while True:
            try:
                run.run_part(self.site, stage, Nothing(), part, {}, run="quickstart", source=SOURCE, meter=meter.start)
                return run.key_of(stage, Nothing(), part, {})
            except InputError:
                continue

    def evidence(self, **changes: Any) -> Evidence:
        """Return what the report is made from."""
        keys = {artefact.receipt.key for made in self.artefacts.values() for artefact in made}
        attempts = ledger.read(self.site.root, keys)
        given = {"attempts": attempts, "account": account(attempts, ACCOUNT), "config": CONFIG, "source": SOURCE}
        given["records"] = self.site.records
        return Evidence(**{"artefacts": self.artefacts, "stage_receipts": self.receipts, **given, **changes})


def make(site: Site) -> Made:
    """Return a finished run of all stages that the report reads."""
    made = Made(site)
    made.stage("fetch", list(SOURCES), _fetch)
    made.stage("annotate", list(SOURCES), _annotate)
    made.stage("select", list(SOURCES), _select)
    made.stage("tokenise", ["arxiv", "code", "web"], _tokenise)
    made.stage("ngram", ["all"], _ngram)
    made.stage("pretrain", ["all"], lambda out, part: train(out), fails=1)
    _recorded(made)
    made.stage("export", ["all"], lambda out, part: _file(out / "config.json", {}, {"parameters": 3_412_992}))
    made.stage("score", ["bits_per_byte", "humaneval"], _score)
    return made


def _file(path: Path, content: Any, summary: dict[str, Any]) -> dict[str, Any]:
    path.write_text(json.dumps(content))
    return summary


def _fetch(out: Path, source: str) -> dict[str, Any]:
    corpus, licence, size = SOURCES[source]
    origin = {"kind": "tar", "revision": "12.9", "locator": f"https://mirror.example/pool/{source}_12.9.tar.xz"}
    figures = {"source": source, "corpus": corpus, "licence": licence, **origin, "bytes": size}
    return _file(out / "raw.tar", source, figures | {"sha256": digest(source)})


def _select(out: Path, source: str) -> dict[str, Any]:
    corpus, _, size = SOURCES[source]
    documents, left = size // 5_000, size
    funnel = []
    for i, rule in enumerate(RULES):
        gone = left // (i * 3 + 9)
        funnel.append({"rule": rule, "documents": gone // 5_000, "bytes": gone})
        left -= gone
    heldout = {"heldout_documents": left // 500_000, "heldout_bytes": left // 100}
    kept = {"documents": documents - sum(row["documents"] for row in funnel), "bytes": left, **heldout}
    read = {"documents": documents, "bytes": size}
    summary = {"source": source, "corpus": corpus, "kept": kept, "funnel": funnel, "read": read, **_about(source, kept)}
    return _file(out / "documents.json", source, summary)


def _about(source: str, kept: dict[str, int]) -> dict[str, Any]:
    """Return what the data card says: of some sources all is known, of the manual's domains only the largest."""
    whole, half = ({"documents": kept["documents"] // n, "bytes": kept["bytes"] // n} for n in (1, 2))
    few = {f"{n:02}.{source}.example": {"documents": 40 - n, "bytes": 9_000 * (40 - n)} for n in range(20)}
    many = {"names": 173, "documents": 400, "bytes": 4_000_000}
    domains = {"largest": few, "others": many, "exact": True} if source == "debian-manual" else _all({"": whole})
    sample = {
        "hash": digest(source)[:16],
        "id": f"{source}/doc/index.html",
        "text": f"<b>&</b> {source}\n" + "per che " * 35,
    }
    return {
        "languages": _all({"en": half, "it": half}),
        "licences": _all({SOURCES[source][1]: whole}),
        "domains": domains,
        "samples": [sample],
        "pii": {"email": 17, "ip_address": 3} if source == "linux-docs" else {"email": 0, "ip_address": 0},
        "contamination": {"humaneval": {"items": 164, "undecidable": 2, "documents": len(source)}},
    }


def _all(names: dict[str, dict[str, int]]) -> dict[str, Any]:
    return {"largest": names, "others": {"names": 0, "documents": 0, "bytes": 0}, "exact": True}


def _annotate(out: Path, source: str) -> dict[str, Any]:
    reasons = {"numpy-source": {"licence_unknown": 12, "generated": 3}, "linux-docs": {"not_utf8": 1}}
    figures = {"documents": SOURCES[source][2] // 5_000, "bytes": SOURCES[source][2], "unused": {}}
    noted = {"read_as_8_bit": 4} if source == "arxiv-sample" else {}
    return _file(out / "rows.json", source, figures | {"skipped": reasons.get(source, {}), "noted": noted})


def _tokenise(out: Path, corpus: str) -> dict[str, Any]:
    train = {"documents": 9_120, "tokens": 11_204_331, "bytes": 40_112_777}
    heldout = {"documents": 92, "tokens": 113_004, "bytes": 401_223}
    return _file(out / "heldout.json", corpus, {"corpus": corpus, "train": train, "heldout": heldout})


def _ngram(out: Path, part: str) -> dict[str, Any]:
    orders = {
        "arxiv": (3.51, 2.98, 2.61),
        "code": (3.42, 2.71, 2.24),
        "web": (3.44, 2.85, 2.41),
        "all": (3.45, 2.84, 2.40),
    }
    rows = {c: {f"order{n}": b for n, b in enumerate(bits, 1)} | {"bytes": 401_223} for c, bits in orders.items()}
    read = {
        "corpora": {c: row for c, row in rows.items() if c != "all"},
        "all": rows["all"],
        "train_bytes": 120_338_331,
    }
    return _file(out / "ngram.json", read, read)


def train(out: Path) -> dict[str, Any]:
    """Write what training leaves of 1200 steps, one of them skipped, some left out."""
    rows = [
        {
            "step": s,
            "loss": 2.9 + 6.1 * math.exp(-s / 140) + 0.08 * math.sin(s * 1.7),
            "grad_norm": 0.4 + 3 * math.exp(-s / 60) + 0.05 * math.sin(s * 2.3),
            "learning_rate": 3e-3 * min(1, s / 60) * (1 if s < 900 else 1 - math.sqrt((s - 900) / 301)),
            "consumed_tokens": s * 8192,
        }
        for s in range(1, 1201)
    ]
    rows[699] |= {"loss": 9.5, "skipped": True, "why": "the loss 9.5 is above 2 times the recent median <b>"}
    for row in rows[899:910]:
        row |= {"loss": None, "grad_norm": None, "skipped": True, "why": "left out"}
    (out / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rollback = {"first": 900, "last": 910, "why": "the loss is nan"}
    ends = {"loss_first": rows[0]["loss"], "loss_last": rows[-1]["loss"]}
    layout = {"tp": 1, "pp": 1, "vp": 1, "cp": 1, "ep": 1, "dp": 2}
    figures = {"parameters": 3_412_992, "steps": 1200, "tokens": 1200 * 8192, **ends, "layout": layout}
    shares, seen = {"arxiv": 0.1, "code": 0.3, "web": 0.6}, {"arxiv": 0.3, "code": 4.2, "web": 1.7}
    figures |= {"blend": {"shares": shares, "epochs": seen, "dropped": ["italian"]}}
    return figures | {"precision": "bf16", "kernels": "te", "skipped_steps": 12, "rollbacks": [rollback]}


def _recorded(made: Made) -> None:
    """Write what the two attempts at pretraining recorded: the first died at step 430, its checkpoint was of 400."""
    key = made.artefacts["pretrain"][0].receipt.key
    for n, begin, end in ((1, 0, 430), (2, 400, 1200)):
        folder = made.site.records(key, n)
        folder.mkdir(parents=True)
        (folder / "starts.jsonl").write_text(json.dumps({"from_step": begin, "time": 1e9, "seconds": {}}) + "\n")
        seconds = {step: 0.5 + 0.1 * n + 0.02 * math.sin(step) for step in range(begin + 1, end + 1)}
        lines = [{"step": s, "time": 1e9 + s, "seconds": t, "tokens_per_s": 8192 / t} for s, t in seconds.items()]
        (folder / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"step": 12')


def _score(out: Path, task: str) -> dict[str, Any]:
    return _file(
        out / "scores.json", {"task": task, "rows": HUMANEVAL if task == "humaneval" else BITS}, {"task": task}
    )


def _bits(corpus: str, value: float) -> dict[str, Any]:
    return {
        "category": "held-out",
        "benchmark": corpus,
        "metric": "bits per byte",
        "value": value,
        "low": value - 0.04,
        "high": value + 0.05,
        "items": 40,
        "status": "run",
        "reason": "",
        "settings": {"window": 512, "bytes": 200_000},
    }


BITS = [_bits("arxiv", 2.72), _bits("code", 2.11), _bits("web", 2.36), _bits("all", 2.38)]
HUMANEVAL = [
    {
        "category": "code",
        "benchmark": "HumanEval",
        "metric": "pass@1",
        "value": 0.609756,
        "low": 0.10769,
        "high": 3.37343,
        "items": 164,
        "status": "run",
        "reason": "",
        "settings": {"temperature": 0, "max_new_tokens": 512},
    },
    {
        "category": "code",
        "benchmark": "MBPP",
        "metric": "pass@1",
        "status": "not run",
        "reason": "its data set is not on this machine",
        "value": None,
    },
]
