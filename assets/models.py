"""Language models for the assets of one run: each loaded once, and only when something asks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assets.storage import Stored
from lm.model import LanguageModel, ScoringSession

if TYPE_CHECKING:
    from sdscm.memo import ScoreMemo


@dataclass
class LanguageModels:
    """Loads language models by name and keeps the last of each in memory.

    Attributes:
        device: where to load; None chooses.
        scores: database of scores of levels after contexts, shared by all runs on this machine; None keeps none.
    """

    device: str | None = None
    scores: Path | None = None
    _loaded: dict[str, LanguageModel] = field(default_factory=dict, repr=False)

    def load(self, name: str, adapter: Path | None = None) -> LanguageModel:
        """The model, with an adapter where one is given (never kept: adapters come and go)."""
        from lm import load_language_model

        if adapter is not None:
            return load_language_model(name, adapter=adapter, device=self.device)
        if name not in self._loaded:
            self._loaded[name] = load_language_model(name, device=self.device)
        return self._loaded[name]

    def still(self, name: str) -> Callable[[Stored], bool]:
        """Whether stored data that tell an ``lm_digest`` were made by this very model."""
        return lambda stored: stored.metadata.get("lm_digest") == self.load(name).digest

    def memo(self) -> ScoreMemo:
        """Scores known on this machine."""
        from sdscm.memo import ScoreMemo

        return ScoreMemo(self.scores)

    def lazy(self, name: str) -> LazyScorer:
        """A scorer that loads the model only when a context is not in the tables."""
        return LazyScorer(self, name)


@dataclass(frozen=True)
class LazyScorer:
    """Stands for a language model that may never be asked."""

    models: LanguageModels
    name: str

    @property
    def digest(self) -> str:
        return self.models.load(self.name).digest

    def score(self, *arguments: Any, **named: Any) -> list[np.ndarray]:
        return self.models.load(self.name).score(*arguments, **named)

    def level_tokens(self, *arguments: Any) -> list[list[list[int]]]:
        return self.models.load(self.name).level_tokens(*arguments)

    def session(self) -> ScoringSession:
        return self.models.load(self.name).session()
