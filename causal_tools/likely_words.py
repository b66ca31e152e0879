"""Which of a question's words may stand for which column: the few runs of words that speak of it most clearly.

A question has hundreds of runs of words. Which of them speak of a column the second readers tell at little cost; only the
clearest of these are compared with the column's name, in spelling and in meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from causal_tools.names_said import column_mentions, likeness
from causal_tools.question_words import NUMBER
from causal_tools.reading_evidence import QuestionEvidence
from causal_tools.reading_weights import Weights
from causal_tools.second_reading import SecondReading

MOST_WORDS = 12  # that stand for one column
MOST_PHRASES = 2000  # of a question: in a longer one, fewer words stand for one column
CLEAREST = 8  # phrases of a column that are compared with its name
KEPT = 3  # of these
LEAST_SHARE = 0.004  # in some slot, by the readers: of a column less likely than that no words are looked for
_MARKS = " .,;:?!()[]\"'“”‘’`"


class Taken(NamedTuple):
    """Words of the question that are taken for a column, and how unlike its name they are in spelling and in meaning."""

    words: str
    unlike: float
    unlike_in_meaning: float


class LikelyWords:
    """The words of one question that may stand for the columns of its file."""

    def __init__(
        self,
        question: str,
        columns: Sequence[str],
        evidence: QuestionEvidence,
        second: SecondReading | None,
        weights: Weights,
    ) -> None:
        self._question, self._columns, self._weights = question, columns, weights
        self._evidence, self._second = evidence, second

    def place(self, column: str) -> int:
        """Where in the question a column is first spoken of, in characters; behind it where nowhere."""
        named = [mention.start for mention in self._evidence.mentions if mention.column == column]
        if not named and self.of[column]:
            named = [self.phrases[self.of[column][0].words]]
        return min(named, default=len(self._question))

    def clearest(self, texts: Sequence[str], column: str) -> list[str]:
        """Those of some words of the question that the readers find clearest of a column; all of them without readers."""
        second, at = self._second, self._columns.index(column)
        if second is None:
            return list(texts)
        return sorted(texts, key=lambda text: -float(second.words_for(text)[at]))[:CLEAREST]

    @cached_property
    def of(self) -> dict[str, list[Taken]]:
        """By column, the words that may best stand for it, the best first."""
        phrases = list(self.phrases)
        clearest = {column: self._spoken_of(phrases, column) for column in self._columns}
        self._evidence.prepare(sorted({words for held in clearest.values() for words in held}))
        return {column: self._best(held, column) for column, held in clearest.items()}

    def _spoken_of(self, phrases: Sequence[str], column: str) -> list[str]:
        if self._second is not None and self._second.share_anywhere(column) < LEAST_SHARE:
            return []
        return self.clearest(phrases, column)

    def _best(self, phrases: Sequence[str], column: str) -> list[Taken]:
        """The clearest, and those of the others that are likest to the column's name."""
        found = [
            Taken(words, *self._evidence.unlike(words, column)) for words in phrases if not self._names(words, column)
        ]
        first = found[:1] if self._second else []
        return [*first, *sorted(found[len(first) :], key=lambda taken: self._cost(taken, column))][:KEPT]

    def _names(self, words: str, column: str) -> bool:
        return any(mention.column == column for mention in column_mentions(words, self._columns))

    def _cost(self, taken: Taken, column: str) -> tuple[float, float]:
        """Nats; of words that cost as much, the likest to the name."""
        weights = self._weights
        told = self._second.against_words(taken.words, column) if self._second else 0.0
        unlike = weights.unlike * taken.unlike + weights.unlike_in_meaning * taken.unlike_in_meaning
        return unlike + weights.second_words * told, -likeness(taken.words, column)

    @cached_property
    def phrases(self) -> dict[str, int]:
        """The runs of words that may stand for a column, without the marks around them, and where each comes first."""
        words = self._question.split()
        ends = np.cumsum([len(word) + 1 for word in words]).tolist()
        starts = [0, *ends[:-1]]
        most = max(1, min(MOST_WORDS, MOST_PHRASES // max(1, len(words))))
        found: dict[str, int] = {}
        for length in range(1, most + 1):
            for first in range(len(words) - length + 1):
                text = self._question[starts[first] : ends[first + length - 1] - 1]
                run = text.strip(_MARKS)
                if run and not NUMBER.fullmatch(run):
                    found.setdefault(run, starts[first] + text.index(run))
        return found
