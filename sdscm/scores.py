"""Asking a language model for the scores of levels after contexts: each context once, the memo first."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from lm.scoring import SCORING_VERSION
from sdscm.errors import ScenarioError
from sdscm.memo import ScoreMemo, Scores

CONTEXTS_AT_ONCE = 64  # contexts whose key-value states are held together while a block of rows goes down the graph


class Scorer(Protocol):
    """What a language model must offer: log-probabilities of levels after contexts (see ``lm.LanguageModel.score``).

    Used where present: ``level_tokens(contexts, levels)`` (rule ``mean``), ``digest`` (tables on disk) and ``session()``, a
    scorer that goes on from the key-value states of the calls before.
    """

    def score(self, contexts: Sequence[str], levels: Sequence[Sequence[str]]) -> list[np.ndarray]: ...


class LevelScores:
    """Scores of levels after contexts.

    Threads may share it; they take turns at the language model.

    Args:
        scorer: the language model.
        memo: scores known already, and where new ones are kept.

    Attributes:
        asked: how many contexts the language model was asked.
    """

    def __init__(self, scorer: Scorer, memo: ScoreMemo) -> None:
        self.asked = 0
        self._scorer = scorer
        self._memo = memo
        self._open: Scorer | None = None
        self._sessions = 0
        self._lock = threading.RLock()

    @contextmanager
    def session(self) -> Iterator[None]:
        """Within it, the language model goes on from the key-value states of earlier calls."""
        with self._lock:
            self._sessions += 1
        try:
            yield
        finally:
            with self._lock:
                self._sessions -= 1
                if not self._sessions:
                    self._open = None

    def contexts_at_once(self, text: str) -> int:
        """How many contexts as long as the text should be worked on together."""
        held = getattr(self._open, "texts_held", None)
        return max(1, min(CONTEXTS_AT_ONCE, held(text) // 2)) if held else CONTEXTS_AT_ONCE

    def of(self, contexts: Sequence[str], levels: Sequence[str]) -> list[Scores]:
        """Scores of the levels after each context.

        Raises:
            ScenarioError: a level adds no token, or the memo is on disk and the scorer does not tell its digest.
        """
        with self._lock:
            found = self._memo.get(self._model, contexts, levels)
            unknown = list(dict.fromkeys(c for c, scores in zip(contexts, found, strict=True) if scores is None))
            by_context = dict(zip(unknown, self._ask(unknown, levels), strict=True)) if unknown else {}
        return [by_context[c] if scores is None else scores for c, scores in zip(contexts, found, strict=True)]

    def adopt(self, context: str, levels: Sequence[str], scores: Scores) -> None:
        """Take over scores that the same language model gave elsewhere."""
        self._memo.put(self._model, [context], levels, [scores])

    @property
    def _model(self) -> str:
        if self._memo.path is None:
            return self._memo.name_of(self._scorer)
        digest = getattr(self._scorer, "digest", None)
        if not digest:
            raise ScenarioError(
                "scores on disk are filed by the language model's digest, which this scorer does not tell"
            )
        return f"{digest}/{SCORING_VERSION}"

    def _ask(self, contexts: Sequence[str], levels: Sequence[str]) -> list[Scores]:
        if self._open is None:
            opener = getattr(self._scorer, "session", None)
            self._open = opener() if opener and self._sessions else self._scorer
        lists = [list(levels)] * len(contexts)
        try:
            tokens = self._token_counts(contexts, levels)
            nats = self._open.score(contexts, lists)
        except ValueError as error:
            raise ScenarioError(str(error)) from error
        self.asked += len(contexts)
        scores = [Scores(*row) for row in zip(nats, tokens, strict=True)]
        self._memo.put(self._model, contexts, levels, scores)
        return scores

    def _token_counts(self, contexts: Sequence[str], levels: Sequence[str]) -> list[np.ndarray]:
        """(levels,) token counts a context, NaN where the scorer does not tell; levels that it cannot tell apart are refused."""
        tell = getattr(self._scorer, "level_tokens", None)
        if tell is None:
            return [np.full(len(levels), np.nan)] * len(contexts)
        counts = []
        for row in tell(contexts, [list(levels)] * len(contexts)):
            for place, tokens in enumerate(row):
                if tokens in row[:place]:
                    twin = levels[row.index(tokens)]
                    raise ScenarioError(
                        f"levels {twin!r} and {levels[place]!r} are the same tokens to this language model"
                    )
            counts.append(np.array([len(tokens) for tokens in row], dtype=float))
        return counts
