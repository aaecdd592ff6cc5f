"""Receipts: the same text for the same work, and no byte of it changed unnoticed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hominis.store import receipts
from hominis.store.types import Receipt

RECEIPT = Receipt("toy", 1, "k" * 40, "p0", {"n": 0}, {"text": "x"}, {"up": ["d"]}, {"f": {"bytes": 1}}, {"seen": 3})
TEXT = receipts.to_text(RECEIPT)


def test_a_receipt_reads_back_the_same():
    assert receipts.from_text(TEXT) == RECEIPT
    assert receipts.to_text(receipts.from_text(TEXT)) == TEXT


@given(at=st.integers(0, len(TEXT) - 1), character=st.characters(min_codepoint=32, max_codepoint=126))
def test_a_changed_character_is_noticed_or_changes_nothing(at, character):
    changed = TEXT[:at] + character + TEXT[at + 1 :]
    try:
        read = receipts.from_text(changed)
    except (ValueError, TypeError):
        return
    assert read == RECEIPT


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"seal": null}', json.dumps(json.loads(TEXT) | {"x": 1})])
def test_what_is_no_receipt_is_refused(text):
    with pytest.raises(ValueError):
        receipts.from_text(text)
