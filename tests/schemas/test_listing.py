"""Counts in messages."""

import pytest

from schemas.listing import count


@pytest.mark.parametrize(
    ("number", "noun", "expected"),
    [
        (0, ("row",), "0 rows"),
        (1, ("row",), "1 row"),
        (1_000, ("row",), "1,000 rows"),
        (1, ("copy is", "copies are"), "1 copy is"),
        (2, ("copy is", "copies are"), "2 copies are"),
    ],
)
def test_a_noun_and_its_verb_agree_with_their_number(number: int, noun: tuple[str, ...], expected: str) -> None:
    assert count(number, *noun) == expected
