"""A stage whose parts are at work for as long as a test wants: downloads that come drop by drop until released."""

import csv
import hashlib
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.faults.watched_run import WatchedRun
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


class HeldRun(WatchedRun):
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
        self.settings["select"]["policies"].pop("code")
        self.write(self.settings)

    @property
    def parts(self):
        return len(self.names)

    def at_work(self, part, attempt=1):
        """Wait until an attempt at a part downloads: it heeds signals then; returns its owner."""
        owner = super().at_work(part, attempt)
        partial = f"site/scratch/*.{attempt}/checkpoints/{part}-1.tar.gz.partial"
        wait_for(lambda: list(self.folder.glob(partial)) or self.gone(owner), 60, f"{part} doesn't download")
        return owner

    def close(self):
        """Leave nothing behind: neither driver nor job nor server."""
        self.index.shutdown()
        super().close()
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
