"""Which numbers and levels a question says, and for which columns none of them is left once some conditions have theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

from causal_tools.contract import Condition, Scalar
from causal_tools.names_said import column_mentions
from causal_tools.question_words import FILE_NAME, level_places, number_places, says_level


class ValuesSaid:
    """The numbers and levels that one question says.

    Args:
        question: in words, one space between two.
        columns: of the file.
        levels: of the columns, where known; None where nothing is known of the file, and any word may be a value.
    """

    def __init__(
        self, question: str, columns: Sequence[str], levels: Mapping[str, Sequence[Scalar]] | None = None
    ) -> None:
        self._question, self._columns = question, columns
        self._levels = {column: (levels or {}).get(column, ()) for column in columns}
        self._all_known = levels is not None

    @cached_property
    def numbers(self) -> frozenset[Scalar]:
        """All numbers, those in names of columns and of files among them."""
        return frozenset(value for _, _, value in number_places(self._question))

    @cached_property
    def number_places(self) -> dict[Scalar, list[tuple[int, int]]]:
        """By number that no column and no file is called by, where it stands."""
        taken = [(one.start, one.end) for one in column_mentions(self._question, list(self._columns))]
        found: dict[Scalar, list[tuple[int, int]]] = {}
        text = FILE_NAME.sub(lambda file: " " * len(file.group()), self._question)
        for start, end, value in number_places(text):
            if not any(first < end and start < last for first, last in taken):
                found.setdefault(value, []).append((start, end))
        return found

    @cached_property
    def columns_of_levels(self) -> dict[str, set[str]]:
        """By level, in small letters, the columns that have it."""
        found: dict[str, set[str]] = {}
        for column, levels in self._levels.items():
            for level in map(str, levels):
                if says_level(self._question, level):
                    found.setdefault(level.casefold(), set()).add(column)
        return found

    def excused(self, conditions: Sequence[Condition], column: str | None = None) -> set[str]:
        """Columns on which there can be no condition beside these, since they take all numbers or levels of it that the question
        says, and it says each but once (of 5,555 training questions with two conditions or more in all but one).

        Args:
            column: of a further condition whose value is not known yet.
        """
        own = {one.column for one in conditions} | ({column} if column else set())
        values = Counter(str(value).casefold() for one in conditions for value in one.all_values)
        taken = {*values} | {level for level, columns in self.columns_of_levels.items() if column in columns}
        numbers = sum(max(0, len(places) - values[str(value)]) for value, places in self.number_places.items())
        no_number_left = self._all_known and numbers <= bool(column and not self._levels[column])
        found = {name for name, levels in self._levels.items() if not levels and no_number_left}
        for level, columns in self.columns_of_levels.items():
            if level in taken and len(level_places(self._question, level)) == 1:
                found |= {name for name in columns if self._levels_said_of[name] <= taken}
        return found - own

    @cached_property
    def _levels_said_of(self) -> dict[str, set[str]]:
        """By column, those of its levels that the question says, in small letters."""
        found: dict[str, set[str]] = {}
        for level, columns in self.columns_of_levels.items():
            for column in columns:
                found.setdefault(column, set()).add(level)
        return found
