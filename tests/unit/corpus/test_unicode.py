"""The kernels' tables say of every code point what this Python says."""

import unicodedata

import numpy as np
import pytest

from hominis.corpus.kernels import unicode
from hominis.corpus.kernels.unicode import tables

POINTS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]

SAID = {
    "SPACE": str.isspace,
    "WORD": lambda c: c.isalnum() or c == "_",
    "UPPER": str.isupper,
    "SMALL": lambda c: c.islower() or (c.istitle() and not c.isupper()),
    "NUMERIC": str.isnumeric,
    "LETTER": lambda c: c.isascii() and c.isalpha(),
}


@pytest.mark.parametrize("name", SAID)
def test_classes_are_what_str_says(name):
    told = tables().classes & getattr(unicode, name) != 0
    assert np.flatnonzero(told).tolist() == [point for point in POINTS if SAID[name](chr(point))]


def test_combining_classes_are_what_unicodedata_says():
    found = {point: number for point in POINTS if (number := unicodedata.combining(chr(point)))}
    there = np.flatnonzero(tables().combining)
    assert dict(zip(there.tolist(), tables().combining[there].tolist(), strict=True)) == found


def test_forms_are_the_small_letters_decomposed():
    place, length, pool = tables().place, tables().length, tables().pool.tobytes()
    there = np.flatnonzero(place >= 0).tolist()
    forms = {point: pool[place[point] : place[point] + length[point]].decode() for point in there}
    wanted = {point: unicodedata.normalize("NFD", chr(point).lower()) for point in POINTS}
    assert forms == {point: form for point, form in wanted.items() if form != chr(point)}
