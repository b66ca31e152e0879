"""What a question's own words say for or against a reading, as penalties beside the language model's log-probability.

The model says how likely a reading is; these few signs are what it is weak at: seeing that a column is named, that a name is
like the words taken for it, that a number or a level asked for is left out (:mod:`causal_tools.reading_weights`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from causal_tools.asides_said import adjusted_for, is_denied, left_aside, regardless_of
from causal_tools.bounds_said import bounds_said
from causal_tools.columns import plain_name
from causal_tools.contract import Condition, Scalar
from causal_tools.enumerations import list_misfits
from causal_tools.names_said import Mention, column_mentions, likeness
from causal_tools.question_words import (
    FILE_NAME,
    cut_short,
    denies,
    denies_level,
    level_hints,
    level_places,
    number_places,
    numbers_in,
    numbers_shared,
    opposes,
    places_of,
    says_level,
    words_before,
    yes_or_no,
)
from causal_tools.roles_said import role_given
from causal_tools.second_reading import TASK_ROLES
from causal_tools.sexes_said import sex_levels, sexes_said
from causal_tools.times_said import another_is_numbered, numbers_meant, numbers_of

MOST_LEFT_OUT = 2
OF_A_HINT = 0.6  # how much a level counts that the question only seems to speak of
WORDS_BEFORE = 2  # the words for a column, in which a denial may stand


class Encoder(Protocol):
    """What tells meanings apart (see ``lm.sentences.SentenceEncoder``)."""

    def embed(self, texts: Sequence[str]) -> np.ndarray: ...

    def nearness(self, text: str, others: Sequence[str]) -> np.ndarray: ...


class QuestionEvidence:
    """The signs of one question about one file; without an encoder, none of meaning."""

    def __init__(
        self,
        question: str,
        columns: Sequence[str],
        levels: Mapping[str, Sequence[Scalar]] | None,
        encoder: Encoder | None = None,
    ) -> None:
        self._text = FILE_NAME.sub(lambda file: " " * len(file.group()), question)
        self._columns = columns
        self._levels = levels or {}
        self.mentions = column_mentions(self._text, columns)
        self.named = {mention.column for mention in self.mentions}
        self._encoder = encoder
        self._plain_names = [plain_name(column) for column in columns]
        self._unlike: dict[str, dict[str, tuple[float, float]]] = {}
        self._said_at: dict[str, list[tuple[int, int]]] = {}

    @cached_property
    def numbers(self) -> frozenset[Scalar]:
        """Numbers in the question that are no part of a column's name."""
        text = self._text
        for mention in self.mentions:
            text = text[: mention.start] + " " * (mention.end - mention.start) + text[mention.end :]
        return frozenset(numbers_in(text).values())

    def unused(self, used: Collection[str], values: Iterable[Scalar], said: Mapping[str, str]) -> dict[str, list[str]]:
        """What the question says and a whole reading does not hold, by sign: names, numbers, and levels.

        Args:
            used: the columns that it holds.
            values: of its conditions.
            said: by column, the question's words that were taken for it.
        """
        held = {number for text in map(str, values) for number in numbers_in(text).values()}
        for column, words in said.items():
            held |= numbers_shared(words, column, self._levels.get(column, ()))
        held |= {level for column in used for level in self._levels.get(column, ())}  # as the options of a decision
        held |= {number for column in used for number in numbers_of(column)}
        of_used = {level for column in used for level in self.levels_said.get(column, ())}
        levels = {level for levels in self.levels_said.values() for level in levels} - of_used
        taken = [place for words in said.values() for place in self._places("", words)]
        named = {one.column for one in self._asked_by_name if not _within((one.start, one.end), taken)}
        found = {
            "left_out": named - set(used),
            "number_left_out": map(str, self.numbers - held),
            "level_left_out": levels,
        }
        return {name: sorted(texts) for name, texts in found.items()}

    def left_out(self, used: Collection[str], values: Iterable[Scalar], said: Mapping[str, str]) -> dict[str, float]:
        """How much of that there is, as signs; a sex that the question is about counts as a level, and a level that it seems to
        speak of as a part of one."""
        counts: dict[str, float] = {name: len(texts) for name, texts in self.unused(used, values, said).items()}
        of_sexes = self._sex_levels.keys()
        counts["level_left_out"] += bool(of_sexes) and not of_sexes & {*used, *self.levels_said}
        counts["level_left_out"] += OF_A_HINT * len(self._hinted.difference(used))
        return {name: float(min(count, MOST_LEFT_OUT)) for name, count in counts.items()}

    def denies_role(self, slot: str, column: str, words: str | None) -> bool:
        """Whether the question says, of a column by its name or by some words, that it is not the one in this place."""
        if another_is_numbered(column, self._columns, self._numbers_meant):
            return True
        places = self._places(column, words)
        if slot not in TASK_ROLES:
            return slot.startswith("where") and bool(places) and all(_within(one, self._adjusted_for) for one in places)
        without = [*self._left_aside, *([] if slot == "mediator" else self._adjusted_for)]
        return bool(places) and (
            all(_within(one, without) for one in places)
            or all(is_denied(self._text, one) for one in places)
            or any(role_given(self._text, one) not in (None, slot) for one in places)
        )

    @cached_property
    def _asked_by_name(self) -> list[Mention]:
        """Where the question names columns, not only to leave them aside."""
        without = [*self._left_aside, *self._adjusted_for]
        return [one for one in self.mentions if not _within((one.start, one.end), without)]

    @cached_property
    def _numbers_meant(self) -> frozenset[float]:
        return numbers_meant(self._text)

    @cached_property
    def _left_aside(self) -> list[tuple[int, int]]:
        return left_aside(self._text)

    @cached_property
    def _adjusted_for(self) -> list[tuple[int, int]]:
        return [*adjusted_for(self._text), *regardless_of(self._text)]

    def list_misfits(self, nodes: Iterable[str], said: Mapping[str, str]) -> float:
        """How badly nodes fit the question's list of them.

        Args:
            said: by column, the question's words that were taken for it, where it is not named.
        """
        places = [self._places(column, said.get(column)) for column in nodes]
        names = [(one.start, one.end) for one in self.mentions]
        return float(min(list_misfits(self._text, places, names), MOST_LEFT_OUT))

    @cached_property
    def levels_said(self) -> dict[str, frozenset[str]]:
        """By column, those of its levels that the question says."""
        said = {
            column: frozenset(
                text for level in self._levels.get(column, ()) if says_level(self._text, text := str(level))
            )
            for column in self._columns
        }
        return {column: levels for column, levels in said.items() if levels}

    @cached_property
    def _hinted(self) -> frozenset[str]:
        """Columns of which the question says no level, but seems to speak of one (of training questions four of five do)."""
        hinted = {column for column, _ in level_hints(self._text, self._levels, self._columns)}
        for column in self._columns:
            levels = [level for level in self._levels.get(column, ()) if cut_short(str(level), self._text)]
            hinted |= {column} if len(levels) == 1 else set()
        return frozenset(hinted - self.levels_said.keys() - self._sex_levels.keys())

    @cached_property
    def _sex_levels(self) -> dict[str, frozenset[str]]:
        """Where the question is about one sex: by column that tells the sexes apart, its level of that one, if it is known."""
        said = sexes_said(self._text)
        if len(said) != 1:
            return {}
        found = {column: sex_levels(column, self._levels.get(column, ())) for column in self._columns}
        return {
            column: frozenset(level for sex, level in of_sexes.items() if sex in said)
            for column, of_sexes in found.items()
            if of_sexes is not None
        }

    def against_value(self, column: str, values: Collection[Scalar], words: str | None) -> dict[str, float]:
        """What speaks against a condition's values, as signs.

        Args:
            column: that the condition is on.
            values: that it takes, one or several.
            words: the question's words that were taken for the column, where it is not named.
        """
        held = set(map(str, values))
        passed_over = self._levels_meant.get(column, frozenset()) - held
        wanted = yes_or_no(next(iter(values)), self._levels.get(column, ())) if len(values) == 1 else None
        places = self._places(column, words) if wanted is not None else []
        denial = bool(places) and self._denied(places[0], column) == wanted
        if wanted is None:
            denial = any(denies_level(self._text, str(value)) for value in values)
        return {"level_passed_over": float(min(len(passed_over), MOST_LEFT_OUT)), "denial": float(denial)}

    def against_operator(self, condition: Condition) -> dict[str, float]:
        """What speaks against the operator of a condition on one number, of a column that takes more than two, as a sign."""
        if isinstance(condition.value, tuple | str) or len(self._levels.get(condition.column, ())) == 2:
            return {}
        bounds = bounds_said(self._text, condition.value)
        return {"other_operator": float(bool(bounds) and not bounds & {None, condition.operator})}

    def _denied(self, place: tuple[int, int], column: str) -> bool:
        before, words = words_before(self._text, place[0], WORDS_BEFORE), self._text[slice(*place)]
        return denies(f"{before} {words}") != opposes(words, plain_name(column))

    @cached_property
    def _levels_meant(self) -> dict[str, frozenset[str]]:
        """By column, the levels that the question speaks of, short of those that are part of a longer one."""
        meant: dict[str, set[str]] = {}
        for column, level in level_hints(self._text, self._levels, self._columns):
            meant.setdefault(column, set()).add(level)
        for column, levels in self.levels_said.items():
            meant.setdefault(column, set()).update(levels)
        for column, of_sex in self._sex_levels.items():
            meant.setdefault(column, set()).update(of_sex)
        return {
            column: frozenset(one for one in said if not self._is_part(one, said)) for column, said in meant.items()
        }

    def _is_part(self, level: str, said: Collection[str]) -> bool:
        """Whether a level is part of others, or is only said as part of them."""
        if any(level != other and f" {level} " in f" {other} " for other in said):
            return True
        longer = [place for other in said if len(other) > len(level) for place in level_places(self._text, other)]
        own = level_places(self._text, level)
        return bool(own) and all(any(one[0] <= start and end <= one[1] for one in longer) for start, end in own)

    def prepare(self, phrases: Sequence[str]) -> None:
        """Read the meanings of phrases together, before they are asked for one by one."""
        if self._encoder and phrases:
            self._encoder.embed(phrases)

    def unlike(self, words: str, column: str) -> tuple[float, float]:
        """How much less a column's name is like the words than the likest column's name, in spelling and in meaning."""
        if words not in self._unlike:
            spelt = np.array([likeness(words, name) for name in self._columns])
            meant = self._encoder.nearness(words, self._plain_names) if self._encoder else np.zeros(len(spelt))
            gaps = zip((spelt.max() - spelt).tolist(), (meant.max() - meant).tolist(), strict=True)
            self._unlike[words] = dict(zip(self._columns, gaps, strict=True))
        return self._unlike[words][column]

    def overlaps(self, words: str | None, said: Mapping[str, str], used: Iterable[str], column: str = "") -> bool:
        """Whether what stands for a column (some words, or else its own name) stands for another one already."""
        own = self._places(column, words)
        return bool(own) and any(
            all(one[0] < other[1] and other[0] < one[1] for one in own for other in theirs)
            for name in used
            if (theirs := self._places(name, said.get(name)))
        )

    def values_shared(self, conditions: Iterable[Condition]) -> float:
        """How many conditions take a level or a number that the question only says for another one."""
        taken: Counter[str] = Counter()
        for condition in conditions:
            levels = self._levels.get(condition.column, ())
            values = [value for value in condition.all_values if yes_or_no(value, levels) is None]
            taken.update({str(value).casefold() for value in values})
        said = {text: self._times_said(text) for text, times in taken.items() if times > 1}
        return float(sum(taken[text] - times for text, times in said.items() if 0 < times < taken[text]))

    def _times_said(self, value: str) -> int:
        numbers = sum(str(number) == value for _, _, number in number_places(self._text))
        return numbers or len(level_places(self._text, value))

    def _places(self, column: str, words: str | None) -> list[tuple[int, int]]:
        if words is None:
            return [(mention.start, mention.end) for mention in self.mentions if mention.column == column]
        if words not in self._said_at:
            self._said_at[words] = places_of(words, self._text)
        return self._said_at[words]


def _within(place: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(start <= place[0] and place[1] <= end for start, end in others)
