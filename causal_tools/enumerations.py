"""Lists of things in a question, such as *sleep, work hours and pay*, and which of them a reading leaves out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from causal_tools.question_words import IDLE_WORDS

MOST_WORDS = 9  # of an item

_BETWEEN = re.compile(r",|->|→|&|\b(?:and|or|plus|as well as|versus|vs)\b", re.IGNORECASE)
_BREAK = re.compile(r"[.?!:](?=\s|$)|;|\s[-–—]\s")
_WORD = re.compile(r"\w+")

Place = tuple[int, int]


def items_left_out(text: str, places: Sequence[Sequence[Place]]) -> int:
    """How many items of the list that a text runs through are none of the things that it is known to speak of.

    Each thing is at most one item. The list goes from the first of them as far as commas, *and* and the like go on.

    Args:
        places: by thing, where the text speaks of it, in characters; without any, it is left aside.

    >>> items_left_out("Draw sleep, hours of work and pay: what drives what?", [[(5, 10)], [(30, 33)]])
    1
    """
    segments = _segments(text)
    free = set(range(len(segments)))
    taken = []
    within = [
        [n for n, (start, end, _) in enumerate(segments) if any(_meet(one, (start, end)) for one in own)]
        for own in places
    ]
    for own in sorted(within, key=len):
        one = next((number for number in own if number in free), None)
        if one is not None:
            free.discard(one)
            taken.append(one)
    if not taken:
        return 0
    first, last = min(taken), max(taken)
    while last + 1 < len(segments) and segments[last + 1][2]:
        last += 1
    return sum(_is_item(text[slice(*segments[number][:2])]) for number in range(first, last + 1) if number in free)


def _segments(text: str) -> list[tuple[int, int, bool]]:
    """Parts of a text between commas, *and*, full stops and the like, and whether each goes on with the part before."""
    cuts = [(*found.span(), True) for found in _BETWEEN.finditer(text)]
    cuts += [(*found.span(), False) for found in _BREAK.finditer(text)]
    parts, start, goes_on = [], 0, False
    for begin, end, is_list in [*sorted(cuts), (len(text), len(text), False)]:
        if text[start:begin].strip():
            parts.append((start, begin, goes_on))
            goes_on = is_list
        else:
            goes_on = goes_on and is_list
        start = end
    return parts


def _is_item(part: str) -> bool:
    words = [word.casefold() for word in _WORD.findall(part)]
    return len(words) <= MOST_WORDS and any(word not in IDLE_WORDS for word in words)


def _meet(one: Place, other: Place) -> bool:
    return one[0] < other[1] and other[0] < one[1]
