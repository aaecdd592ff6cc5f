"""Batches: how long, in which order they come back, and what becomes of threads and processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from operator import floordiv
from unittest.mock import patch

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hominis.corpus import pipeline
from hominis.corpus.pipeline import batched, paired, processes


@given(st.lists(st.integers(0, 15)))
def test_a_batch_is_no_longer_than_allowed_unless_one_item_is(lengths):
    with patch.object(pipeline, "_MOST_CHARACTERS", 10), patch.object(pipeline, "_MOST_ITEMS", 4):
        batches = list(batched(lengths, int))
    assert [length for batch in batches for length in batch] == lengths
    assert all(0 < len(batch) <= 4 and (sum(batch) <= 10 or len(batch) == 1) for batch in batches)
    early = [batch for batch, after in pairwise(batches) if len(batch) < 4 and sum(batch) + after[0] <= 10]
    assert early == []


def double(number):
    return 2 * number


def test_batches_come_back_in_their_order():
    for pools in (ThreadPoolExecutor, partial(processes, prepare=int)):
        assert list(paired(range(50), double, 2, pools)) == [(number, 2 * number) for number in range(50)]


def test_an_error_in_a_batch_is_raised_in_its_turn_and_no_thread_stays():
    with pytest.raises(ZeroDivisionError):
        list(paired([3, 2, 0, 1], partial(floordiv, 6), 2))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


def test_batches_before_an_error_are_used():
    made = paired(iter([3, 2, 0, 1]), partial(floordiv, 6), 2)
    assert [next(made), next(made)] == [(3, 2), (2, 3)]
    with pytest.raises(ZeroDivisionError):
        next(made)


def test_processes_end_with_a_parent_that_is_killed():
    code = "from tests.unit.corpus.test_pipeline import hang; hang()"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert len(children) == 2
    assert not psutil.wait_procs(children, timeout=20)[1]


def hang():
    with processes(2, int) as pool:
        waits = [pool.submit(time.sleep, 1) for _ in range(2)]
        for wait in waits:
            wait.result()
        print(*pool._processes, flush=True)
        time.sleep(600)
