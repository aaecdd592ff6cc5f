"""A whole run small enough for a test: real text from Python's own library, a real model, every stage."""

import contextlib
import csv
import gzip
import hashlib
import inspect
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import psutil
import yaml

from hominis.jobs.forks import NAME

ROOT = Path(__file__).parents[2]
MODULES = "argparse ast asyncio base64 bisect calendar collections concurrent configparser contextlib copy csv ctypes \
dataclasses datetime decimal difflib dis doctest email enum fractions functools gettext glob gzip hashlib heapq hmac \
html http imaplib inspect io ipaddress json keyword linecache locale logging lzma mailbox mimetypes multiprocessing \
netrc numbers operator optparse os pathlib pdb pickle pickletools platform plistlib poplib pprint profile pstats \
queue quopri random re reprlib sched secrets selectors shelve shlex shutil signal smtplib socket socketserver sqlite3 \
ssl statistics string stringprep struct subprocess symtable sysconfig tabnanny tarfile tempfile textwrap threading \
timeit token tokenize trace traceback tracemalloc types unittest urllib uuid venv warnings wave weakref \
webbrowser xml zipapp zipfile zoneinfo".split()


def _documents(module):
    """Return a module's source, and the docstrings of what it holds as one prose document each."""
    loaded = import_module(module)
    names = sorted(name for name in vars(loaded) if not name.startswith("_"))
    prose = [(name, inspect.getdoc(getattr(loaded, name)) or "") for name in names]
    return Path(loaded.__file__).read_text(), [(f"{module}.{name}", text) for name, text in prose if len(text) > 200]


def write_corpora(folder: Path) -> Path:
    """Write two small corpora as gzipped JSON lines, and the table of sources that names them; returns the table."""
    code, web = {}, {}
    for module in MODULES:
        source, prose = _documents(module)
        if source:
            code[module] = source
        web.update({text: name for name, text in prose})
    rows = [
        _source(folder, "library-code", "code", list(code.items())),
        _source(folder, "library-docs", "web", [(name, text) for text, name in web.items()]),
    ]
    table = folder / "sources.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return table


def _source(folder, name, corpus, documents):
    path = folder / f"{name}.jsonl.gz"
    lines = "".join(json.dumps({"id": id_, "text": text}) + "\n" for id_, text in documents)
    path.write_bytes(gzip.compress(lines.encode(), mtime=0))
    data = path.read_bytes()
    return {
        "name": name,
        "corpus": corpus,
        "kind": "file",
        "locator": str(path),
        "revision": "",
        "file": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "licence": "PSF-2.0",
        "include": "",
        "optional": "false",
        "note": "",
    }


def _kind(process):
    line = " ".join(process.cmdline())
    if "hominis.train.rank" in line:
        return "rank"
    if "--forks" in line and not process.name().startswith(NAME):
        return "forks"
    if "-m hominis part" in line:
        return "part"
    if "-m snakemake" in line:
        return "snakemake"
    return "driver" if "/hominis " in line and "--jobs" in line and "tee" not in line else "other"


class Run:
    """A run in a folder of its own, started through Snakemake as a user would."""

    def __init__(self, folder: Path, settings: dict, variables=None, profile="local"):
        self.folder, self.variables = folder, {"HOMINIS_TEST_FOLDER": str(folder), **(variables or {})}
        self.profile = ROOT / "profiles" / profile
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "run.yaml"
        self.write(settings)

    def write(self, settings):
        self.settings = settings
        self.config.write_text(yaml.safe_dump(settings))

    @property
    def receipts(self):
        return self.folder / "results" / self.settings["run"] / "receipts"

    def receipt_texts(self):
        return {path.stem: path.read_text() for path in sorted(self.receipts.glob("*.json"))}

    def command(self, *more, snakefile=ROOT / "Snakefile"):
        profile = ["--profile", str(self.profile)]
        where = ["--snakefile", str(snakefile), "--directory", str(self.folder), "--configfile", str(self.config)]
        return [sys.executable, "-m", "snakemake", *profile, *where, *more]

    def start(self, *more, **kwargs):
        """Start Snakemake in a session of its own, so that a kill of it is not felt by its children."""
        with (self.folder / "snakemake.log").open("ab") as log:
            return subprocess.Popen(
                self.command(*more, **kwargs),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env=self.environment(),
                start_new_session=True,
            )

    def finish(self, *more, **kwargs):
        """Run to the end; returns what Snakemake printed."""
        done = subprocess.run(
            self.command(*more, **kwargs), cwd=self.folder, capture_output=True, text=True, env=self.environment()
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def hominis(self, *what, check=True):
        command = [sys.executable, "-m", "hominis", what[0], "--config", str(self.config), *what[1:]]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env=self.environment())
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def environment(self):
        """Return the surroundings of a run: this interpreter's programs first on the path."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return os.environ | {"PATH": path} | self.variables

    def processes(self, kind=""):
        """Return the living processes of this run: of one kind, or all."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("HOMINIS_TEST_FOLDER") != str(self.folder):
                    continue
                if process.status() != psutil.STATUS_ZOMBIE and kind in ("", _kind(process)):
                    found.append(process)
        return found

    def ledger(self):
        return json.loads(self.hominis("ledger", "--json").stdout)["attempts"]


def settings(table: Path) -> dict:
    """Return the tiny run's configuration."""
    factor = {"value": 0.3, "low": 0.2, "high": 0.4, "source": "a test"}
    return {
        "run": "tiny",
        "fetch": {"sources": str(table)},
        "select": {"policies": {"code": POLICY, "web": POLICY}, "heldout": 0.1},
        "vocabulary": {"vocab_size": 512},
        "pretrain": {
            "model": {"layers": 2, "hidden": 32, "heads": 4, "kv_heads": 2, "ffn": 64, "sequence": 64},
            "layout": {"tp": 2},
            "schedule": {"warmup_steps": 2, "decay_steps": 5},
            "blend": {"code": 0.7, "web": 0.3},
            "epochs": 1000,  # fault tests train for longer than this text lasts
            "steps": 300,
            "global_batch": 4,
            "micro_batch": 4,
            "checkpoint_every": 30,
        },
        "generate": {"items": 4, "max_new_tokens": 32, "max_bytes": 20_000},
        "score": {"resamples": 100},
        "report": {"references": str(ROOT / "workflow" / "tables" / "references.csv")},
        "account": {"intensity_kg_per_kwh": factor, "pue": {**factor, "value": 1.1, "low": 1.0, "high": 1.2}},
    }


POLICY = {"rules": [{"name": "enough_words", "signal": "rps_doc_word_count", "min": 20}]}
