"""Which two levels of a treatment a question compares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import permutations

from causal_tools.contract import Scalar

_AGAINST = r"(?:versus|vs\.?|instead of|in place of|rather than|as against|against|compared (?:with|to)|over|than)"
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


def _compares(text: str, one: str, other: str) -> bool:
    """Whether the text sets the second against the first."""
    before, after = (rf"(?<![\w.]){re.escape(level)}(?![\w]|\.\d)" for level in (one, other))
    forms = (
        rf"{after}\W+{_FEW_WORDS}{_AGAINST}\W+{_FEW_WORDS}{before}",
        rf"\bfrom\W+{_FEW_WORDS}{before}\W+{_FEW_WORDS}to\W+{_FEW_WORDS}{after}",
    )
    return any(re.search(form, text, re.IGNORECASE) for form in forms)
