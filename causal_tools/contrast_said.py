"""Which two levels of a treatment a question compares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import permutations

from causal_tools.contract import Scalar
from causal_tools.question_words import denies_level, level_places, says_level
from causal_tools.reference_levels import reference_level

_AGAINST = r"(?:versus|vs\.?|instead of|in place of|rather than|as against|against|compared (?:with|to)|over|than)"
_BEFORE = re.compile(  # what stands before a level that is not the one asked about
    rf"\b(?:{_AGAINST}|from|before|drop(?:ping)?|stop(?:ping)?|leav(?:e|ing)|g[ai]v(?:e|ing)\s+up|abandon(?:ing)?|replac(?:e|ing)|"
    r"abolish(?:ing)?|among|for|where|in|within|with|if|when|given|whose)\W+(?:\w+\W+){0,2}$",
    re.IGNORECASE,
)
_FEW_WORDS = r"(?:\w+\W+){0,3}?"


def contrast_said(text: str, levels: Sequence[Scalar]) -> tuple[Scalar, Scalar] | None:
    """The two levels that a question compares, from and to; None where it compares none, or more than two.

    >>> contrast_said("What does high versus low do to pain?", ["high", "low", "none"])
    ('low', 'high')
    >>> contrast_said("Effect of going from dose 1 to dose 3 on pain?", [1, 2, 3])
    (1, 3)
    """
    found = {(one, other) for one, other in permutations(levels, 2) if _compares(text, str(one), str(other))}
    return found.pop() if len(found) == 1 else None


def level_asked(text: str, levels: Sequence[Scalar], name: str = "") -> tuple[Scalar, Scalar] | None:
    """Where a question asks about one level of a treatment alone, the two to compare, from and to: of two levels the other one
    and this, of more their reference and this. None where it names none or several, denies it, or says it of something else.

    Args:
        name: of the treatment; a level that is a part of it says nothing.

    >>> level_asked("Does the new pump give more flow?", ["new", "old"])
    ('old', 'new')
    >>> level_asked("Is flow better than with the old pump?", ["new", "old"]) is None
    True
    """
    said = [level for level in levels if says_level(text, str(level))]
    if len(said) != 1 or str(said[0]).casefold() in name.casefold():
        return None
    places = level_places(text, str(said[0]))
    if denies_level(text, str(said[0])) or any(_BEFORE.search(text[:start]) for start, _ in places):
        return None
    others = [level for level in levels if level != said[0]]
    if len(others) == 1:
        return others[0], said[0]
    first = reference_level([str(level) for level in levels])
    known = [level for level in others if str(level) == first]
    return (known[0], said[0]) if known else None


def _compares(text: str, one: str, other: str) -> bool:
    """Whether the text sets the second against the first."""
    before, after = (rf"(?<![\w.]){re.escape(level)}(?![\w]|\.\d)" for level in (one, other))
    forms = (
        rf"{after}\W+{_FEW_WORDS}{_AGAINST}\W+{_FEW_WORDS}{before}",
        rf"\bfrom\W+{_FEW_WORDS}{before}\W+{_FEW_WORDS}to\W+{_FEW_WORDS}{after}",
    )
    return any(re.search(form, text, re.IGNORECASE) for form in forms)
