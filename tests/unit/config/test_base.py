"""Sections: immutable, strict, and clear about what determines bytes."""

import pytest
from pydantic import ValidationError

from hominis.config.base import Section, unkeyed


class Toy(Section):
    deep: int = 1
    wide: int = unkeyed(2, ge=1)


def test_unkeyed_fields_are_not_in_the_key():
    assert Toy(wide=9).keyed() == {"deep": 1}


def test_unkeyed_fields_are_checked_like_others():
    with pytest.raises(ValidationError):
        Toy(wide=0)


def test_unknown_fields_and_changes_are_refused():
    with pytest.raises(ValidationError):
        Toy(wider=1)
    with pytest.raises(ValidationError):
        Toy().deep = 2
