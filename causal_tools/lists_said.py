"""Where a list that a question begins comes to its end, and what its items are."""

from __future__ import annotations

import re

_JOINED = re.compile(
    r"\s*(,?\s+(?:and|as\s+well\s+as|plus|along\s+with|together\s+with)\s+(?:also\s+|finally\s+)?|,\s*|\s+&\s+|\s+/\s+)"
)
_BRACKETS = re.compile(r"\([^()]*\)")
_MOST_WORDS = 6  # of an item that is not the last
_MOST_WORDS_ALONE = 3  # of each item of a list without "and" that runs to the end of its sentence


def items_of(words: str) -> list[str]:
    """The items of a list.

    >>> items_of("age, sex and income")
    ['age', 'sex', 'income']
    """
    return [item for item in (one.strip() for one in _JOINED.split(words)[::2]) if item]


def end_of_list(text: str, start: int, end: int, more_follows: bool = True) -> int:
    """Where a list ends that begins at a place of a text and may go on to another: at the comma after its last item.

    Args:
        more_follows: a list without "and" cannot go on to the end of its sentence, since that must say something else.

    >>> text = "age, sex and income, does sleep change pay"
    >>> text[: end_of_list(text, 0, len(text))]
    'age, sex and income'
    >>> text = "age, our chair asks, does sleep change pay"
    >>> text[: end_of_list(text, 0, len(text))]
    'age'
    """
    place, last = start, False
    first = end
    for join in _JOINED.finditer(text, start, end):
        item = text[place : join.start()]
        comma = join.group(1).strip() == ","
        if comma:
            first = min(first, join.start())
            if last:
                return join.start()
        if _words(item) > _MOST_WORDS:
            return min(first, join.start())
        last = last or not comma
        place = join.end()
    if last or first == end:
        return end
    ended = end == len(text) or text[end] in ".?!;:"  # and not cut off within a clause
    if ended and not more_follows and all(_words(item) <= _MOST_WORDS_ALONE for item in items_of(text[start:end])):
        return end
    for join in _JOINED.finditer(text, first + 1, end):  # names in brackets go on with the list
        item = text[first + 1 : join.start()]
        if _words(item) > _MOST_WORDS_ALONE or not item.endswith(")"):
            break
        first = join.start()
    return first


def _words(item: str) -> int:
    """How many words an item has, beside what it says in brackets."""
    return len(_BRACKETS.sub("", item).split())
