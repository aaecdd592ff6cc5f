"""Folders as sources: the same tar of the same files, whatever else differs; nothing of what is not theirs."""

import io
import os
import socket
import tarfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from hominis.cli.sources import command
from hominis.config.corpus import FetchSection
from hominis.corpus import fetch
from hominis.corpus.folder import described, pack
from hominis.corpus.readers.documents import Documents
from hominis.errors import ConfigError, InputError, Interrupted
from hominis.stages import STAGES
from tests.unit.corpus.selected import LocalScratch

CODE = "def area(width, height):\n    return width * height\n" * 3


def checkout(root: Path, **more: str) -> Path:
    """A folder with files in two depths, and others that belong to tools."""
    files = {"README.md": "# Area\n", "src/area.py": CODE, "src/b/volume.py": CODE + "# more\n"}
    tools = [
        ".git/config",
        ".env",
        "src/.hypothesis/unicode",
        "src/__pycache__/area.pyc",
        "node_modules/x/y.js",
        "env/pyvenv.cfg",
        "env/lib/site.py",
    ]
    tools += [".mypy_cache/CACHEDIR.TAG", ".mypy_cache/3.11/area.json"]
    for name, text in {**files, **dict.fromkeys(tools, "no source"), **more}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def packed(folder: Path) -> bytes:
    stream = io.BytesIO()
    pack(folder, stream)
    return stream.getvalue()


def members(folder: Path) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(packed(folder))) as tar:
        return tar.getnames()


def rows(*arguments: object):
    """The rows that the command prints, as the table of sources is read."""
    said = CliRunner().invoke(command, ["folder", *map(str, arguments)])
    if said.exception:
        raise said.exception
    table = Path(os.fspath(arguments[0])).resolve().parent / "rows.csv"
    table.write_text(said.output)
    return FetchSection(sources=table).sources


@contextmanager
def nobody():
    """Who may not read everything, as root may."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


def fetched(source, tmp_path: Path) -> Path:
    scratch = LocalScratch(tmp_path / "scratch")
    section = FetchSection(sources=(source,), downloads=tmp_path / "none")
    (part,) = fetch.parts(section, {})
    fetch.work(section, {}, part, scratch)
    return scratch.out / source.file


def test_a_folder_is_the_same_tar_whoever_has_it_and_whenever(tmp_path):
    one, other = checkout(tmp_path / "one"), checkout(tmp_path / "other")
    for number, path in enumerate(sorted(other.rglob("*"), reverse=True)):
        path.chmod(0o700)
        os.utime(path, (number, number))
    assert packed(one) == packed(other)
    assert members(one) == ["README.md", "src/area.py", "src/b/volume.py"]


def test_the_tar_of_a_folder_is_the_same_with_every_version_of_python(tmp_path):
    checkout(tmp_path)
    assert described(tmp_path) == ("3a7420734cdccdbc3f223533828539ad97abdcdc7fd3a6cd93b249176a2fc1e2", 10240)


def test_one_changed_byte_or_name_is_another_tar(tmp_path):
    before = packed(checkout(tmp_path))
    (tmp_path / "src" / "area.py").write_text(CODE.replace("*", "+"))
    changed = packed(tmp_path)
    (tmp_path / "src" / "area.py").rename(tmp_path / "src" / "areas.py")
    assert len({before, changed, packed(tmp_path)}) == 3


def test_links_are_left_out_and_never_followed(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.py").write_text("secret")
    root = checkout(tmp_path / "root")
    (root / "file.py").symlink_to(tmp_path / "outside" / "secret.py")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "inside.py").symlink_to("src/area.py")
    (root / "src" / "loop").symlink_to(root)
    (root / "nowhere.py").symlink_to("absent.py")
    assert members(root) == ["README.md", "src/area.py", "src/b/volume.py"]


def test_sockets_pipes_and_devices_are_left_out(tmp_path, monkeypatch):
    root = checkout(tmp_path / "root")
    os.mkfifo(root / "pipe.py")
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.py")
        assert members(root) == ["README.md", "src/area.py", "src/b/volume.py"]


def test_names_that_are_no_utf_8_or_very_long_are_packed_and_read(tmp_path):
    long = "d" * 200 + "/" + "e" * 200 + ".py"
    root = checkout(tmp_path / "root", **{long: CODE, os.fsdecode(b"caf\xe9.py"): CODE, "l\nine.py": CODE})
    (source,) = rows(root, "--licence", "MIT", "--format", "text", "--include", "*.py")
    documents = Documents(fetched(source, tmp_path), "own")
    found = [row["path"] for batch in documents for row in batch.to_pylist() if "src" not in row["path"]]
    assert found == ["README.md", "caf\N{REPLACEMENT CHARACTER}.py", long, "l\nine.py"]


@pytest.mark.parametrize("name", ["", ".git/config", "pyvenv.cfg"])
def test_a_folder_without_files_of_its_own_is_an_error(tmp_path, name):
    if name:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match="no files to read"):
        packed(tmp_path)


@pytest.mark.parametrize("name", ["src/area.py", "src/b"])
def test_what_cannot_be_read_is_named(tmp_path, name, monkeypatch):
    (checkout(tmp_path) / name).chmod(0)
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with (
        nobody(),
        pytest.raises(InputError, match=r"cannot read (a file|the folder): Permission") as caught,
    ):
        packed(Path())
    assert caught.value.where.removeprefix("./") == name


def test_a_file_that_becomes_shorter_meanwhile_is_named(tmp_path):
    path = checkout(tmp_path) / "src" / "area.py"
    path.write_bytes(bytes(2**20))

    class Shortens(io.BytesIO):
        def write(self, content):
            path.write_bytes(b"")
            return super().write(content)

    with pytest.raises(InputError, match="changed while") as caught:
        pack(tmp_path, Shortens())
    assert caught.value.where == str(path)


@pytest.mark.parametrize("swap", ["link", "pipe"])
def test_a_file_that_gives_way_to_a_link_or_a_pipe_is_not_read(tmp_path, swap):
    (tmp_path / "secret").write_text("secret")
    path = checkout(tmp_path / "root") / "src" / "area.py"

    def look():
        path.unlink()
        path.symlink_to(tmp_path / "secret") if swap == "link" else os.mkfifo(path)

    stream = io.BytesIO()
    with pytest.raises(InputError, match=r"cannot read a file|changed while") as caught:
        pack(tmp_path / "root", stream, look)
    assert caught.value.where == str(path)
    assert b"secret" not in stream.getvalue()


def test_a_printed_row_fetches_its_folder_and_is_read_as_code(tmp_path, work):
    (source,) = rows(checkout(tmp_path / "Area 2"), "--licence", "MIT")
    assert (source.name, source.kind, source.corpus, source.format) == ("area-2", "folder", "code", "github")
    (made,) = work(STAGES["fetch"], FetchSection(sources=(source,)), {})
    assert made.receipt.files["area-2.tar"]["sha256"] == source.sha256
    documents = Documents.of(made, 10**6)
    found = [(row["id"], row["language"], row["licence"]) for batch in documents for row in batch.to_pylist()]
    assert found == [
        ("area-2/README.md", "Markdown", "MIT"),
        ("area-2/src/area.py", "Python", "MIT"),
        ("area-2/src/b/volume.py", "Python", "MIT"),
    ]


def test_rows_of_several_folders_are_one_table(tmp_path):
    found = rows(checkout(tmp_path / "one"), checkout(tmp_path / "two"), "--licence", "MIT", "--include", "*.py")
    assert [(source.name, source.include, source.licence) for source in found] == [
        ("one", ("*.py",), "MIT"),
        ("two", ("*.py",), "MIT"),
    ]
    with pytest.raises(ConfigError, match="one name, x, for 2 folders"):
        rows(tmp_path / "one", tmp_path / "two", "--licence", "MIT", "--name", "x")


def test_a_folder_that_changed_is_refused_and_told_how_to_describe_it_again(tmp_path):
    (source,) = rows(checkout(tmp_path / "root"), "--licence", "MIT")
    (tmp_path / "root" / "src" / "new.py").write_text(CODE)
    with pytest.raises(InputError, match="not the file it should be") as caught:
        fetched(source, tmp_path)
    assert "hominis sources folder" in caught.value.remedy
    assert str(tmp_path / "root") in caught.value.where


def test_where_a_folder_lies_is_in_no_key(tmp_path):
    one, other = (rows(checkout(tmp_path / name / "x"), "--licence", "MIT")[0] for name in "ab")
    assert one.locator != other.locator
    parts = [fetch.parts(FetchSection(sources=(source,)), {}) for source in (one, other)]
    assert parts[0] == parts[1]


def test_a_folder_that_is_gone_is_an_error_or_left_out_where_it_is_optional(tmp_path, caplog):
    (source,) = rows(checkout(tmp_path / "root"), "--licence", "MIT")
    (tmp_path / "root").rename(tmp_path / "moved")
    with pytest.raises(InputError, match="cannot read the folder: No such file") as caught:
        fetched(source, tmp_path)
    assert caught.value.where == str(tmp_path / "root")
    gone = FetchSection(sources=(source.model_copy(update={"optional": True}),), downloads=tmp_path / "none")
    assert fetch.parts(gone, {}) == []
    assert "there is no folder" in caplog.text


def test_packing_stops_when_asked(tmp_path):
    (source,) = rows(checkout(tmp_path / "root"), "--licence", "MIT")
    scratch = LocalScratch(tmp_path / "scratch")
    scratch.stopping = True
    section = FetchSection(sources=(source,), downloads=tmp_path / "none")
    (part,) = fetch.parts(section, {})
    with pytest.raises(Interrupted, match="stopped while packing"):
        fetch.work(section, {}, part, scratch)


@pytest.mark.parametrize("wrong", [("--name", "A b"), ("--corpus", "Web!"), ("--licence", "")])
def test_what_no_row_can_have_is_named(tmp_path, wrong):
    with pytest.raises(ConfigError, match="a source cannot have the") as caught:
        rows(checkout(tmp_path / "root"), "--licence", "MIT", *wrong)
    assert repr(wrong[1]) in caught.value.problem
