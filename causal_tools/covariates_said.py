"""Which columns a question wants adjusted for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from causal_tools.asides_said import adjusted_for
from causal_tools.columns import name_parts
from causal_tools.lists_said import items_of
from causal_tools.names_said import column_mentions, likeness
from causal_tools.question_words import IDLE_WORDS

_ALIKE, _CLEARLY = 0.65, 0.1  # how like a name the words for a column are, and more than any other
_BESIDE_NAMES = IDLE_WORDS | {
    "and",
    "both",
    "column",
    "columns",
    "variable",
    "variables",
    "also",
    "well",
    "then",
    "first",
    "only",
}


class CovariatesSaid(NamedTuple):
    """Columns that a question names to adjust for, in its order, and its words for what else it wants adjusted for."""

    columns: tuple[str, ...]
    others: tuple[str, ...]


def covariates_said(text: str, columns: Sequence[str]) -> CovariatesSaid:
    """What a question wants adjusted for.

    >>> covariates_said("Effect of drug on pain, adjusting for age and illness", ["drug", "pain", "age"])
    CovariatesSaid(columns=('age',), others=('illness',))
    """
    mentions = column_mentions(text, columns)
    named: list[str] = []
    others: list[str] = []
    for start, end in sorted(adjusted_for(text)):
        at = start
        for item in items_of(text[start:end]):
            at = text.index(item, at)
            of_item = [one.column for one in mentions if at <= one.start and one.end <= at + len(item)]
            if not of_item and (meant := _meant(item, columns)):
                of_item = [meant]
            named += of_item
            if not of_item and any(word not in _BESIDE_NAMES for word in name_parts(item)):
                others.append(item)
            at += len(item)
    return CovariatesSaid(tuple(dict.fromkeys(named)), tuple(dict.fromkeys(others)))


def _meant(item: str, columns: Sequence[str]) -> str | None:
    """The one column whose name is like an item's words: *household size* for ``hh_size``."""
    found = sorted(((likeness(item, column), column) for column in columns), reverse=True)[:2]
    if not found or found[0][0] < _ALIKE or (len(found) > 1 and found[0][0] - found[1][0] < _CLEARLY):
        return None
    return found[0][1]
