"""What a question's own words say for or against a reading, as penalties beside the language model's log-probability.

The model says how likely a reading is; these few signs are what it is weak at: seeing that a column is named, that a name is
like the words taken for it, that a number or a level asked for is left out. A reading's score is its weighted
log-probability less the penalties, a log-linear model whose weights were fitted on development questions
(``scripts/fit_reading_weights.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Protocol

import numpy as np

from causal_tools.asides_said import adjusted_for, left_aside, regardless_of
from causal_tools.columns import plain_name
from causal_tools.contract import Scalar
from causal_tools.enumerations import items_left_out
from causal_tools.names_said import column_mentions, likeness
from causal_tools.question_words import (
    FILE_NAME,
    denies,
    level_hints,
    level_places,
    numbers_in,
    opposes,
    places_of,
    says_level,
    words_before,
    yes_or_no,
)
from causal_tools.roles_said import role_given
from causal_tools.second_reading import TASK_ROLES
from causal_tools.sexes_said import sex_levels, sexes_said

MOST_LEFT_OUT = 2
WORDS_BEFORE = 2  # the words for a column, in which a denial may stand


@dataclass(frozen=True)
class Weights:
    """Nats by which each sign counts against a reading, and what a nat of the language model counts.

    Attributes:
        model: by which its log-probability is multiplied; below one since a small model is surer than it is right.
        unnamed: a column without words of the question for it, though the question does not name it.
        left_out: a column that the question names, not only to leave it aside or to adjust for it, and the reading does not
            hold.
        role_denied: a column in a role that the question says it does not have: it only speaks of the column to leave it aside
            or to adjust for it (:mod:`causal_tools.asides_said`; a mediator may be adjusted for), or calls it by the name of
            another role (:mod:`causal_tools.roles_said`).
        all_despite_names: a column that the question names, where the reading takes all columns.
        unlike: how much less the column's name is spelt like the words taken for it than the likest name (0 to 1).
        unlike_in_meaning: the same of the meaning, by a sentence encoder.
        overlapping: words of the question that stand for two columns.
        number_left_out: a number of the question that the reading does not hold.
        level_left_out: a level that the question says and no column of the reading has; or that it is about one sex, and the
            reading holds no column that tells the sexes apart (:mod:`causal_tools.sexes_said`).
        item_left_out: an item of the question's list of nodes that none of the graph's nodes is
            (:mod:`causal_tools.enumerations`).
        level_passed_over: a level that the question says, where a condition on its column takes another.
        denial: a condition of yes or no whose words deny its column, or say the opposite, where its value does not, or the
            other way round.
        not_causal: that the reading is of no causal task, since little else can count against such a one.
        broken_off: that no query can come of the reading, since the file lacks what it would need.
        second_task: what a second reader (:mod:`causal_tools.second_reading`) holds against the task, in nats.
        second_role: against the columns of treatment, response and mediator.
        second_condition: against conditions on these columns and on no others.
        second_node: against these nodes and no others.
        second_words: against the columns that words of the question are taken for.
        second_operator: against the operators of conditions.
        second_level: against their levels.
        second_number: against their numbers, and against leaving out the others.

    Of names, numbers and levels left out at most two count each: covariates and asides are many in some questions. A
    reading of no causal task leaves out all of them.
    """

    model: float = 0.18
    unnamed: float = 4.65
    left_out: float = 1.8
    role_denied: float = 3.0
    all_despite_names: float = 2.3
    unlike: float = 1.6
    unlike_in_meaning: float = 4.25
    overlapping: float = 1.0
    number_left_out: float = 1.1
    level_left_out: float = 1.85
    item_left_out: float = 2.0
    level_passed_over: float = 2.45
    denial: float = 2.15
    not_causal: float = 0.6
    broken_off: float = 2.4
    second_task: float = 1.5
    second_role: float = 0.85
    second_condition: float = 1.2
    second_node: float = 0.75
    second_words: float = 0.2
    second_operator: float = 1.0
    second_level: float = 1.15
    second_number: float = 0.5

    @cached_property
    def of_signs(self) -> tuple[float, ...]:
        """The weights of ``SIGNS``, in their order."""
        return tuple(getattr(self, name) for name in SIGNS)

    def times(self, share: float) -> Weights:
        """All of them, so much as large."""
        return Weights(**{one.name: share * getattr(self, one.name) for one in fields(self)})

    @property
    def hear_second(self) -> bool:
        """Whether a second reader has a say."""
        return any(getattr(self, name) for name in SIGNS if name.startswith("second_"))


SIGNS = tuple(sign.name for sign in fields(Weights) if sign.name != "model")
NO_WEIGHTS = Weights(model=1.0, **dict.fromkeys(SIGNS, 0.0))


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

    @cached_property
    def numbers(self) -> frozenset[Scalar]:
        """Numbers in the question that are no part of a column's name."""
        text = self._text
        for mention in self.mentions:
            text = text[: mention.start] + " " * (mention.end - mention.start) + text[mention.end :]
        return frozenset(numbers_in(text).values())

    def unused(self, used: Collection[str], values: Iterable[Scalar], said: Iterable[str]) -> dict[str, list[str]]:
        """What the question says and a whole reading does not hold, by sign: names, numbers, and levels.

        Args:
            used: the columns that it holds.
            values: of its conditions.
            said: the question's words that were taken for its columns.
        """
        held = {number for text in [*map(str, values), *said] for number in numbers_in(text).values()}
        held |= {level for column in used for level in self._levels.get(column, ())}  # as the options of a decision
        of_used = {level for column in used for level in self.levels_said.get(column, ())}
        levels = {level for levels in self.levels_said.values() for level in levels} - of_used
        found = {
            "left_out": self._asked_by_name - set(used),
            "number_left_out": map(str, self.numbers - held),
            "level_left_out": levels,
        }
        return {name: sorted(texts) for name, texts in found.items()}

    def left_out(self, used: Collection[str], values: Iterable[Scalar], said: Iterable[str]) -> dict[str, float]:
        """How much of that there is, as signs; a sex that the question is about counts as a level."""
        counts = {name: len(texts) for name, texts in self.unused(used, values, said).items()}
        of_sexes = self._sex_levels.keys()
        counts["level_left_out"] += bool(of_sexes) and not of_sexes & {*used, *self.levels_said}
        return {name: float(min(count, MOST_LEFT_OUT)) for name, count in counts.items()}

    def denies_role(self, slot: str, column: str, words: str | None) -> bool:
        """Whether the question says, of a column by its name or by some words, that it does not have a role."""
        places = self._places(column, words) if slot in TASK_ROLES else []
        without = [*self._left_aside, *([] if slot == "mediator" else self._adjusted_for)]
        return bool(places) and (
            all(any(start <= one[0] and one[1] <= end for start, end in without) for one in places)
            or any(role_given(self._text, one) not in (None, slot) for one in places)
        )

    @cached_property
    def _asked_by_name(self) -> set[str]:
        """Columns that the question names, not only to leave them aside."""
        without = [*self._left_aside, *self._adjusted_for]
        return {
            one.column
            for one in self.mentions
            if not any(start <= one.start and one.end <= end for start, end in without)
        }

    @cached_property
    def _left_aside(self) -> list[tuple[int, int]]:
        return left_aside(self._text)

    @cached_property
    def _adjusted_for(self) -> list[tuple[int, int]]:
        return [*adjusted_for(self._text), *regardless_of(self._text)]

    def items_left_out(self, nodes: Iterable[str], said: Mapping[str, str]) -> float:
        """How many items of a list of nodes are none of these.

        Args:
            said: by column, the question's words that were taken for it, where it is not named.
        """
        places = [self._places(column, said.get(column)) for column in nodes]
        return float(min(items_left_out(self._text, places), MOST_LEFT_OUT))

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
        return {"level_passed_over": float(min(len(passed_over), MOST_LEFT_OUT)), "denial": float(denial)}

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

    def _places(self, column: str, words: str | None) -> list[tuple[int, int]]:
        if words is None:
            return [(mention.start, mention.end) for mention in self.mentions if mention.column == column]
        return places_of(words, self._text)
