"""Numbers that tell columns apart, as in ``pain_m6`` and ``pain_m12``, and which of them a question says, in whatever unit."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from causal_tools.question_words import number_places

_DAYS, _MONTHS = {"hour": 1 / 24, "day": 1.0, "week": 7.0}, {"month": 1.0, "quarter": 3.0, "year": 12.0}
_UNIT = r"(hour|day|week|month|quarter|year)s?\b"
_BEHIND_NUMBER = re.compile(rf"[\s-]*(and a half)?\s*{_UNIT}", re.IGNORECASE)
_ONE = re.compile(rf"\b(half an?|an?|one|first|next)\s+{_UNIT}(\s+and a half)?", re.IGNORECASE)
_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
]
_START = re.compile(
    r"\b(?:start(?:s|ed|ing)?|first|baseline|outset|beginning|begin|initial(?:ly)?|before|entry|earlier)\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+(?:\.\d+)?")


def numbers_meant(text: str) -> frozenset[float]:
    """The numbers that a text says, in figures or in words, and those of its stretches of time in other units; 0 is the start.

    >>> {1.5, 18.0, 78.0} <= numbers_meant("after a year and a half"), {0.0, 14.0} <= numbers_meant("at the start; in two weeks")
    (True, True)
    """
    said = {float(value) for _, _, value in number_places(text)}
    said |= {float(place) for place, word in enumerate(_ORDINALS, 1) if re.search(rf"\b{word}\b", text, re.IGNORECASE)}
    for _, end, value in number_places(text):
        if unit := _BEHIND_NUMBER.match(text, end):
            said |= _in_units(float(value) + (0.5 if unit[1] else 0.0), unit[2])
    for one in _ONE.finditer(text):
        whole = 0.5 if one[1].casefold().startswith("half") else 1.0
        said |= _in_units(whole + (0.5 if one[3] else 0.0), one[2])
    return frozenset(said | {0.0} if _START.search(text) else said)


def _in_units(amount: float, unit: str) -> set[float]:
    unit = unit.casefold()
    if unit in _DAYS:
        days = amount * _DAYS[unit]
        return {days, days / 7, days / 30, days * 24}
    months = amount * _MONTHS[unit]
    return {
        months,
        months / 12,
        months * 4,
        months * 30,
        float(np.rint(months * 52 / 12)),
        float(np.rint(months * 365 / 12)),
    }


def another_is_numbered(column: str, columns: Sequence[str], said: frozenset[float]) -> bool:
    """Whether a question says the number of a column that differs from this one by its number only, and not this one's. That it
    speaks of the start, as a condition may, says nothing against a later column.

    Args:
        said: the numbers of the question, as :func:`numbers_meant` finds them.

    >>> said = numbers_meant("Does the drug lessen pain within half a year?")
    >>> [another_is_numbered(one, ["drug", "pain_m6", "pain_m12"], said) for one in ("pain_m6", "pain_m12", "drug")]
    [False, True, False]
    """
    own = numbers_of(column)
    if not own or own & said:
        return False
    return any(
        _unnumbered(one) == _unnumbered(column) and (numbers_of(one) - own - {0.0}) & said
        for one in columns
        if one != column
    )


def numbers_of(column: str) -> set[float]:
    """The numbers in a column's name."""
    return {float(found) for found in _DIGITS.findall(column)}


def _unnumbered(column: str) -> str:
    return _DIGITS.sub("#", column.casefold())
