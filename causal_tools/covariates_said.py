"""Which columns a question wants adjusted for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from causal_tools.asides_said import adjusted_for
from causal_tools.columns import name_parts
from causal_tools.names_said import column_mentions
from causal_tools.question_words import IDLE_WORDS

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
    CovariatesSaid(columns=('age',), others=('age and illness',))
    """
    mentions = column_mentions(text, columns)
    named: list[str] = []
    others: list[str] = []
    for start, end in sorted(adjusted_for(text)):
        rest = text[start:end]
        for one in mentions:
            if start <= one.start and one.end <= end:
                named.append(one.column)
                rest = rest.replace(text[one.start : one.end], " ")
        if any(word not in _BESIDE_NAMES for word in name_parts(rest)):
            others.append(text[start:end])
    return CovariatesSaid(tuple(dict.fromkeys(named)), tuple(dict.fromkeys(others)))
