"""What a condition of a reading may say of a column: operators and values that the file or the question has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from causal_tools.contract import Operator, Scalar
from causal_tools.prompts import AND, IS, OPERATOR_WORDS
from causal_tools.question_words import FILE_NAME, NUMBER, number_ranges, numbers_in, spelt_numbers_in

MOST_WORDS = 3  # of a value that is a text of the question
_WORD = re.compile(r"[^\s\"'“”‘’(),;?!]+")


class ConditionOffer:
    """Operators and values for the columns of one question's file.

    Args:
        question: in words.
        columns: of the file.
        levels: of the categorical columns; None where nothing is known of the file.
    """

    def __init__(self, question: str, columns: Sequence[str], levels: Mapping[str, Sequence[Scalar]] | None) -> None:
        self._question, self._columns, self._levels = question, columns, levels

    @cached_property
    def values(self) -> dict[str, dict[str, Scalar]]:
        """By column, text to value: the column's levels, else the question's numbers, else also its words."""
        said = {**spelt_numbers_in(self._question), **numbers_in(self._question)}
        if self._levels is None:
            words = _WORD.findall(FILE_NAME.sub(" ", self._question))
            words = [word.rstrip(".:") or word for word in words]
            spans = {" ".join(words[at : at + n]) for n in range(1, MOST_WORDS + 1) for at in range(len(words) - n + 1)}
            said = {**{text: text for text in sorted(spans) if not NUMBER.fullmatch(text)}, **said}
        known = self._levels or {}
        return {name: {str(level): level for level in known[name]} if name in known else said for name in self._columns}

    @cached_property
    def _ranges(self) -> list[tuple[Scalar, Scalar]]:
        return number_ranges(FILE_NAME.sub(" ", self._question))

    def ranges(self, column: str) -> dict[str, tuple[Scalar, Scalar]]:
        """Ranges of the column from one value that it may take to another, each as it stands after the first operator."""
        between = f"{AND} {column}{IS} {OPERATOR_WORDS['<=']} "
        values = self.values[column]
        return {
            f"{low}{between}{high}": (low, high) for low, high in self._ranges if {str(low), str(high)} <= values.keys()
        }

    def operators(self, column: str) -> Sequence[Operator]:
        """Those that say something of a column: of two levels one is meant, and texts have no order."""
        levels = (self._levels or {}).get(column, ())
        if len(levels) == 2:
            return ("=",)
        if any(isinstance(level, str) for level in levels):
            return ("=", "!=", "in")
        return tuple(op for op in OPERATOR_WORDS if op != "in" or len(self.values[column]) > 1)
