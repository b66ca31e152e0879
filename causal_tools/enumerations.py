"""Lists of things in a question, such as *sleep, work hours and pay*, and which of them a reading leaves out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from causal_tools.asides_said import not_among_nodes
from causal_tools.question_words import IDLE_WORDS

MOST_WORDS = 9  # of an item
MOST_OF_ONE = 7  # words of an item that is surely one thing
MOST_OF_BEGINNING = 4  # words of an item that a list begins with

_BETWEEN = re.compile(r",|->|→|&|\b(?:and|or|plus|as well as|versus|vs)\b", re.IGNORECASE)
_BREAK = re.compile(r"[.?!:](?=\s|$)|;|\s[-–—]\s")
_INTRODUCED = re.compile(r"\b(?:among|between|of|for|from|in|with|on) \w", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_CAUSING_WORDS = (
    "to into than from cause causes caused leads lead drive drives driven affect affects makes make feed feeds is are was were "
    "does do did it what which who whether how or against both"
)
_CAUSING = frozenset(_CAUSING_WORDS.split())  # of an item that is no single thing

Place = tuple[int, int]


def list_misfits(text: str, places: Sequence[Sequence[Place]], names: Sequence[Place] = ()) -> int:
    """How badly things fit the list that a text runs through: items that are none of them, things that the text only names as
    left aside, and things that only stand in an item which another one already is.

    Each thing is at most one item. The list goes as far as commas, *and* and the like go on, to either side. What stands before
    the first of these is no item, unless it is short or an item is introduced in it. A long item, one that speaks of causing or
    one made of names only may be several things.

    Args:
        places: by thing, where the text speaks of it, in characters; without any, it does not count.
        names: where the text says things by their names.

    >>> list_misfits("Draw sleep, hours of work and pay: what drives what?", [[(5, 10)], [(30, 33)]])
    1
    >>> list_misfits("Draw sleep and pay without age", [[(5, 10)], [(15, 18)]])
    0
    >>> list_misfits("Draw sleep and pay without age", [[(5, 10)], [(15, 18)], [(27, 30)]])
    1
    >>> list_misfits("Draw sleep and mood at the end", [[(5, 10)], [(15, 19)], [(27, 30)]])
    1
    """
    segments = _segments(text)
    free = {number for number, segment in enumerate(segments) if not segment.aside}
    taken, misfits, second = [], 0, []
    within = [_segments_met(text, tuple(own)) for own in places]
    for own in sorted(within, key=len):
        one = next((number for number in own if number in free), None)
        if one is not None:
            free.discard(one)
            taken.append(one)
        elif own and all(segments[number].aside for number in own):
            misfits += 1
        elif own:
            second.append(own)
    if not taken:
        return misfits
    misfits += sum(all(_is_one_item(text, segments, number, names) for number in own) for own in second)
    first, last = min(taken), max(taken)
    while segments[first].goes_on:
        first -= 1
    if not _begins_with_item(text[slice(*segments[first].place)]):
        first += 1
    while last + 1 < len(segments) and segments[last + 1].goes_on:
        last += 1
    return misfits + sum(_is_item(text[slice(*segments[number].place)]) for number in free if first <= number <= last)


class _Segment(NamedTuple):
    """A part of a text between commas, *and*, full stops and the like; whether it goes on with the part before; and whether it
    says what is to be left aside."""

    place: Place
    goes_on: bool
    aside: bool


@lru_cache(maxsize=64)
def _segments(text: str) -> tuple[_Segment, ...]:
    without = not_among_nodes(text)
    cuts = [(*found.span(), True) for found in _BETWEEN.finditer(text)]
    cuts += [(*found.span(), False) for found in _BREAK.finditer(text)]
    cuts += [(start, start, True) for start, _ in without]
    parts: list[_Segment] = []
    start, goes_on = 0, False
    for begin, end, is_list in [*sorted(cuts), (len(text), len(text), False)]:
        aside = any(_meet((start, begin), one) for one in without)
        if text[start:begin].strip():
            parts.append(_Segment((start, begin), goes_on, aside))
            goes_on = is_list
        else:
            goes_on = goes_on and is_list
        start = end
    return tuple(parts)


@lru_cache(maxsize=4096)
def _segments_met(text: str, places: tuple[Place, ...]) -> tuple[int, ...]:
    """The numbers of the segments in which something stands."""
    found = enumerate(_segments(text))
    return tuple(number for number, segment in found if any(_meet(one, segment.place) for one in places))


def _is_item(part: str) -> bool:
    words = [word.casefold() for word in _WORD.findall(part)]
    return len(words) <= MOST_WORDS and any(word not in IDLE_WORDS for word in words)


def _is_one_item(text: str, segments: Sequence[_Segment], number: int, names: Sequence[Place]) -> bool:
    """Whether a segment is of a list, and one thing only."""
    if not any(segment.goes_on for segment in segments[number : number + 2]):
        return False
    words = [(word.group().casefold(), word.span()) for word in _WORD.finditer(text, *segments[number].place)]
    only_names = all(any(_meet(place, name) for name in names) for _, place in words)
    return len(words) <= MOST_OF_ONE and not only_names and _CAUSING.isdisjoint(word for word, _ in words)


def _begins_with_item(part: str) -> bool:
    return len(_WORD.findall(part)) <= MOST_OF_BEGINNING or bool(_INTRODUCED.search(part))


def _meet(one: Place, other: Place) -> bool:
    return one[0] < other[1] and other[0] < one[1]
