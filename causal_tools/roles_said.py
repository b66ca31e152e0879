"""Roles that a question gives to columns by name, as in *outcome: pain* or *with sleep as mediator*."""

from __future__ import annotations

import re

_LABELS = {
    "treatment": r"treatment|exposure|intervention|independent\s+variable",
    "response": r"outcome|response|end\s?point|dependent\s+variable",
    "mediator": r"mediator|mediating\s+variable",
}
_ANY = "|".join(f"(?P<{role}>{words})" for role, words in _LABELS.items())
_BEFORE = re.compile(
    rf"\b(?:{_ANY})(?:\s+(?:variable|column))?\s*(?::|=|\bis\b|\bbeing\b)\s*(?:(?:the|my|our|column|variable)\s+)*[\"'`“‘(]*$",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    rf"[\"'`”’)]*(?:\s+column)?\s*(?:\(\s*|\bas\s+(?:(?:the|a|an|its|my|our)\s+)?)(?:{_ANY})\b", re.IGNORECASE
)
MOST_BEFORE = 60  # characters that are looked at


def role_given(text: str, place: tuple[int, int]) -> str | None:
    """The role that a text gives by name to what it speaks of at a place: ``treatment``, ``response`` or ``mediator``.

    >>> text = "Outcome: pain. Take sleep as the mediator of dose."
    >>> [role_given(text, (text.index(word), text.index(word) + len(word))) for word in ("pain", "sleep", "dose")]
    ['response', 'mediator', None]
    """
    start, end = place
    found = _BEFORE.search(text, max(0, start - MOST_BEFORE), start) or _BEHIND.match(text, end)
    return found.lastgroup if found else None
