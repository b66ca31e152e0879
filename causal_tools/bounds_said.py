"""How a question bounds a number: *over 60* and *60 or more* are not *60*."""

from __future__ import annotations

import re

from causal_tools.contract import Operator, Scalar
from causal_tools.question_words import number_places

_LESS = (
    "less|fewer|younger|lower|shorter|smaller|lighter|cheaper|colder|cooler|slower|nearer|closer|thinner|weaker|milder|poorer|drier|"
    "narrower|finer|shallower"
)
_MORE = (
    "more|greater|older|higher|longer|larger|bigger|heavier|taller|hotter|warmer|faster|farther|further|thicker|stronger|richer|wetter|"
    "wider|broader|deeper|steeper|dearer|louder|denser"
)
_NOT = r"(?:not|never|\w+n['’]t)"
_NUMBER_NEXT = r"(?:\s+(?:the|a|an|age|of|about|is|as|some|week|day|year))*(?:\s+|-)?[€$£#(]?\s*$"
_UNIT = r"(?:\s?%|[-\s](?!(?:or|and|at|to|but)\b)[^\W\d_]+\.?){0,2}"
_NO_OTHER = r"(?!\s+(?:than|[€$£]?\d))"
_BEFORE: tuple[tuple[Operator, str], ...] = (
    (
        ">=",
        rf"\b(?:at\s+least|(?:no|none|{_NOT})\s+(?:{_LESS}|earlier)\s+than|{_NOT}\s+(?:under|below)|(?:a\s+)?min(?:imum|\.)?(?:\s+of)?|"
        r"at\s+or\s+(?:above|over|beyond))|>=|≥",
    ),
    (
        "<=",
        rf"\b(?:at\s+(?:the\s+)?most|(?:no|none|{_NOT})\s+(?:{_MORE}|later)\s+than|(?:no|{_NOT})\s+(?:\w+\s+)?(?:over|above|past|beyond)|"
        r"(?:a\s+)?max(?:imum|\.)?(?:\s+of)?|at\s+or\s+(?:under|below)|up\s+to)|<=|≤",
    ),
    (">", rf"\b(?:over|above|beyond|past|later\s+than|exceed(?:s|ed|ing)?|(?:{_MORE})\s+than)|>"),
    ("<", rf"\b(?:under|below|beneath|short\s+of|earlier\s+than|not\s+(?:yet|quite)|(?:{_LESS})\s+than)|<"),
)
_AFTER: tuple[tuple[Operator, str], ...] = (
    (
        ">=",
        rf"\+|\s+plus\b|{_UNIT},?\s+(?:or|and)\s+(?:even\s+)?(?:(?:{_MORE}|above|over|beyond)\b{_NO_OTHER}|up(?:wards?)?\b)|"
        rf"{_UNIT}\s+(?:at\s+least|upwards?|minimum|onwards?)\b",
    ),
    (
        "<=",
        rf"{_UNIT},?\s+(?:or|and)\s+(?:even\s+)?(?:(?:{_LESS}|below|under)\b{_NO_OTHER}|down\b)|"
        rf"{_UNIT}\s+(?:at\s+(?:the\s+)?most|tops|max(?:imum)?)\b",
    ),
)
_BEHIND = [(operator, re.compile(f"(?:{text})", re.IGNORECASE)) for operator, text in _AFTER]
_AHEAD = [(operator, re.compile(f"(?:{text}){_NUMBER_NEXT}", re.IGNORECASE)) for operator, text in _BEFORE]


def bounds_said(text: str, number: Scalar) -> set[Operator | None]:
    """The operators that a text says beside a number, None among them where it stands without one.

    >>> text = "under 5 if 60 or older, at least 3 and 7, at 3"
    >>> [bounds_said(text, number) for number in (5, 60, 7, 8)], bounds_said(text, 3) == {">=", None}
    ([{'<'}, {'>='}, {None}, set()], True)
    """
    return {_bound(text, start, end) for start, end, value in number_places(text) if value == number}


def _bound(text: str, start: int, end: int) -> Operator | None:
    behind = (operator for operator, pattern in _BEHIND if pattern.match(text, end))
    ahead = (operator for operator, pattern in _AHEAD if pattern.search(text[:start]))
    return next(behind, None) or next(ahead, None)
