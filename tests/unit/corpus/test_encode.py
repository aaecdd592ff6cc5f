"""Looked-up tokens are the tokenizer's own, whatever the text."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from operator import floordiv

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from hominis.corpus import encode
from hominis.corpus.pipeline import paired, processes

TRAINED = [
    "def value(x):\n\treturn x * 12  # it's 3.5 times what we'll need, isn't it?\n\n\n    if x:\r\n        pass\n",
    "x\x85  y\u3000  z\xa0  w\u2028  v\x1c  u\u200b  t\u180e  s\n",  # so that merges cross any white space
    "Perché la città è così?  Naïve façade № 7 ☂ — «sì»!\u3000日本語のテキスト\xa0 и русский текст\n",
] * 20
EXOTIC = " \t\n\r\x0b\x0c\x1c\x1f\x85\xa0\u1680\u180e\u200b\u2028\u3000\ufeff'_aZ09é日ßǅ़́٣½²!\"#\\{}😀\U000e0001"


def trained(pattern):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pattern
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TRAINED, trainer)
    return tokenizer


OURS = trained(pre_tokenizers.ByteLevel(add_prefix_space=False))
OTHER = trained(pre_tokenizers.ByteLevel(add_prefix_space=True))


def same(tokenizer, text):
    expected = [*tokenizer.encode(text, add_special_tokens=False).ids, 0]
    assert encode.Encoder(tokenizer).encode([text], 0)[0].tolist() == expected


@settings(max_examples=600, deadline=None)
@given(st.text(st.one_of(st.sampled_from(EXOTIC), st.characters(codec="utf-8")), max_size=80))
def test_any_text_gets_the_tokenizer_s_tokens(text):
    same(OURS, text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*"".join(TRAINED[:3]).split(" "), "  ", "\n", " \n ", "'s", "'LL", "don't"])))
def test_usual_text_gets_the_tokenizer_s_tokens(words):
    same(OURS, " ".join(words))


@pytest.mark.parametrize("text", TRAINED[:3])
def test_another_pattern_is_left_to_the_tokenizer(text):
    same(OTHER, text)


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(encode, "REMEMBERED", 5)
    same(OURS, " ".join(TRAINED))


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
    code = "from tests.unit.corpus.test_encode import hang; hang()"
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
