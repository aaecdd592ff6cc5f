"""Looked-up tokens are the tokenizer's own, whatever the text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from hominis.corpus import encode

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
