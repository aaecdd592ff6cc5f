"""Small raw files of every format, and rows of the table of sources that describe them."""

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

from hominis.config.corpus import Source


def as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def tar_bytes(members, compress=True) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(as_bytes(content))
            archive.addfile(info, io.BytesIO(as_bytes(content)))
    return gzip.compress(buffer.getvalue(), mtime=0) if compress else buffer.getvalue()


def sdist(path: Path, members) -> Path:
    path.write_bytes(tar_bytes(members))
    return path


def wheel(path: Path, members) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), as_bytes(content))
    return path


def deb(path: Path, members) -> Path:
    """An ar archive of three members, as deb(5) has it; the second has an odd length, so padding is met."""
    parts = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", b"odd"),
        ("data.tar.gz", tar_bytes(members)),
    ]
    written = b"!<arch>\n"
    for name, content in parts:
        written += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        written += content + b"\n" * (len(content) % 2)
    path.write_bytes(written)
    return path


def json_lines(path: Path, lines) -> Path:
    whole = b"".join((as_bytes(x) if isinstance(x, str | bytes) else json.dumps(x).encode()) + b"\n" for x in lines)
    path.write_bytes(gzip.compress(whole, mtime=0) if path.name.endswith(".gz") else whole)
    return path


def row(path: Path, name="own", corpus="web", **changes) -> Source:
    """The row of a local file, true unless changed."""
    content = path.read_bytes()
    given = {
        "name": name,
        "corpus": corpus,
        "kind": "file",
        "locator": str(path),
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "licence": "MIT",
    }
    return Source(**{**given, **changes})
