"""A stage whose parts are at work for as long as a test wants: downloads that come drop by drop until released."""

import contextlib
import csv
import hashlib
import json
import os
import shutil
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil

from hominis.store.owner import started
from tests.faults.slurm_run import PATIENCE_S, CheapRun
from tests.slurm.daemons import wait_for

DROP_S = 0.1
LENGTH = 1 << 14
"""Bytes of a file, a drop each while it is held: more than any test waits."""


class Index(ThreadingHTTPServer):
    """A package index on loopback that serves the files of a folder, slowly until they are released."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), _Request)
        self.folder, self.released, self._all = folder, set(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def variables(self):
        """What makes pip's settings name this index and no other."""
        url = f"http://127.0.0.1:{self.server_port}"
        others = {"PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "", "PIP_TRUSTED_HOST": "127.0.0.1"}
        return {"PIP_INDEX_URL": url, "NO_PROXY": "127.0.0.1", **others}

    def release(self, *names):
        """Let some files, or all, come as fast as they can."""
        self.released |= set(names)
        if not names:
            self._all.set()

    def holds(self, name):
        return not self._all.is_set() and name not in self.released

    def handle_error(self, request, client_address):
        """Who was killed doesn't read on: nothing to tell."""


class _Request(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.strip("/").removeprefix("files/")
        path = self.server.folder / f"{name.removesuffix('-1.tar.gz')}-1.tar.gz"
        if not self.path.startswith("/files/"):
            self._answer(f'<a href="/files/{path.name}">{path.name}</a>'.encode(), "text/html")
            return
        data, at = path.read_bytes(), 0
        self._head("application/gzip", len(data))
        while self.server.holds(name.removesuffix("-1.tar.gz")):
            self.wfile.write(data[at : at + 1])
            at += 1
            time.sleep(DROP_S)
        self.wfile.write(data[at:])

    def _answer(self, data, kind):
        self._head(kind, len(data))
        self.wfile.write(data)

    def _head(self, kind, length):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_):
        pass


class HeldRun(CheapRun):
    """A run of `fetch` alone whose parts, s0 s1 …, work until they are released.

    Args:
        asked: resources beside those of every cheap run.
        spoilt: parts whose file is not what the table of sources says: they fail by themselves.
    """

    def __init__(self, folder, cluster, parts=1, asked=None, spoilt=(), **slurm):
        super().__init__(folder, cluster, parts=1, **slurm)
        self.names = [f"s{i}" for i in range(parts)]
        self.asked |= asked or {}
        self.index = Index(folder / "sources")
        self.variables |= self.index.variables
        rows = [_source(folder / "sources", name, name in spoilt) for name in self.names]
        with (folder / "sources" / "sources.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        self.settings["pretrain"]["blend"] = {"web": 1.0}
        self.write(self.settings)

    @property
    def parts(self):
        return len(self.names)

    def driver(self, *before, **options):
        self.latest = super().driver(*before, **options)
        return self.latest

    def begin(self, *parts):
        """Start a driver and see parts at work."""
        self.driver()
        for part in parts:
            self.at_work(part)

    def ended(self, code):
        """See the driver end with an exit code; returns what it said."""
        assert self.latest.wait(timeout=PATIENCE_S) == code, self.words()
        return self.words()

    def wrap(self, name, body):
        """Put a program before one of Slurm's on the driver's PATH: lines of sh; `real "$@"` calls the real one."""
        program, real = self.folder / "bin" / name, shutil.which(name, path=os.environ["PATH"] + ":/usr/bin")
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nreal() {{ {real} "$@"; }}\n{body}\n')
        program.chmod(0o755)

    def attempts(self, part):
        """Return the attempts at a part as lists of events, oldest first."""
        found = []
        for path in sorted((self.folder / "site" / "attempts").glob("??/*/[0-9]*"), key=lambda path: int(path.name)):
            events = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
            found += [events] if events and events[0]["part"] == part else []
        return found

    def at_work(self, part, attempt=1):
        """Wait until an attempt at a part is at work; returns its owner."""
        wait_for(
            lambda: len(self.attempts(part)) >= attempt or self.latest.poll() is not None,
            PATIENCE_S,
            f"{part} has no attempt {attempt}: {self.words()}",
        )
        assert len(self.attempts(part)) >= attempt, self.words()
        return self.attempts(part)[attempt - 1][0]["owner"]

    def job(self, part):
        """Return the id of the task that a part's newest attempt is, as Slurm's commands take it: `12_3`."""
        slurm = self.attempts(part)[-1][0]["owner"]["slurm"]
        return f"{self.array(slurm['name'])}_{slurm['index']}"

    def array(self, name):
        """Return the id of a batch's array."""
        return self.intents()[name].with_suffix(".job").read_text()

    def rows(self, part, fields="State,ExitCode,NodeList"):
        """Return sacct's rows of a part's tasks, all tries, oldest first, once none is under way."""
        self.charged()
        found = []
        for name, path in self.intents().items():
            parts = json.loads(path.read_text())["parts"]
            if part in parts:
                task = f"{self.array(name)}_{parts.index(part)}"
                found += self.cluster.sacct(f"Start,JobName,{fields}", "-D", "-j", task)
        return [row for row in found if row["JobName"] in self.intents()]

    def nothing_twice(self):
        """Assert that every job belongs to an intent, every intent has one, and each was submitted once."""
        rows = self.charged()
        assert self.lost(rows) == 0
        assert len({row["array"] for row in rows}) == len(self.intents()) == self.words().count("submitted job")

    @staticmethod
    def gone(owner):
        """Whether the process of an attempt is no more."""
        return started(owner["pid"]) != owner["start"]

    def close(self):
        """Leave nothing behind: neither driver nor job."""
        self.index.shutdown()
        for process in self.processes("driver"):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for name in self.intents():
            self.cluster.command("scancel", "--name", name)
        wait_for(lambda: not set(self.intents()) & {row["name"] for row in self.cluster.squeue()}, 60, "jobs stay")
        self.index.server_close()


def _source(folder, name, spoilt):
    path = folder / f"{name}-1.tar.gz"
    path.write_bytes(os.urandom(LENGTH))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {
        "name": name,
        "corpus": "web",
        "kind": "pypi-sdist",
        "locator": name,
        "revision": "1",
        "file": path.name,
        "sha256": "0" * 64 if spoilt else digest,
        "bytes": LENGTH,
        "licence": "CC0-1.0",
    }
