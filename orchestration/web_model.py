"""One language model for everybody at the page: loaded when it is first needed, asked by one at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from orchestration.language_model import assistant_is_there, load_chosen

Load = Callable[[], tuple[Any, str | None]]
AGAIN_AFTER = 300.0  # seconds until the model asked for is looked for again, where another stands in


class SharedModel:
    """A language model as :class:`causal_tools.Assistant` needs it, not loaded before it is asked.

    Tokenizers and key-value states are changed while they are used, so whoever asks holds ``lock`` for a whole reading.

    Args:
        load: gives the model, and a sentence on what was taken in the place of the model asked for, or None.
        name: as the page shows it before the model is loaded.
        is_there: whether the model asked for can be loaded now; asked where another stands in.
    """

    def __init__(self, load: Load, name: str, is_there: Callable[[], bool] = lambda: False) -> None:
        self.name = name
        self.note: str | None = None
        self.lock = threading.RLock()
        self._load, self._is_there = load, is_there
        self._lm: Any = None
        self._looked = 0.0

    @classmethod
    def named(cls, name: str | None) -> Self:
        """The model of this name, or the default one.

        Raises:
            ModelNotFound: the name is in no known form.
        """
        from lm.references import parse_reference

        if name is not None:
            parse_reference(name)
        return cls(lambda: load_chosen(name), name or "assistant", assistant_is_there)

    @property
    def is_loaded(self) -> bool:
        return self._lm is not None

    @property
    def lm(self) -> Any:
        """The model itself; the first call takes the time to load it."""
        with self.lock:
            if self._lm is None:
                self._lm, self.note = self._load()
                self._looked = time.monotonic()
            return self._lm

    def look_again(self) -> None:
        """Load anew where another model stands in and the one asked for has come since; for use before a reading."""
        with self.lock:
            if self.note is None or time.monotonic() - self._looked < AGAIN_AFTER:
                return
            if self._is_there():
                self._lm, self.note = self._load()
            self._looked = time.monotonic()

    def describe(self) -> str:
        """One line for people."""
        return str(self.lm.describe())

    def chat_text(self, messages: Sequence[Mapping[str, str]]) -> str:
        """See :meth:`lm.LanguageModel.chat_text`."""
        with self.lock:
            return str(self.lm.chat_text(messages))

    @property
    def adapter(self) -> Any:
        """See :class:`lm.LanguageModel`: the readers that go with it lie beside it."""
        return getattr(self.lm, "adapter", None)

    def score_continuations(self, contexts: Sequence[str], candidates: Sequence[Sequence[str]]) -> list[Any]:
        """See :meth:`lm.LanguageModel.score_continuations`."""
        with self.lock:
            return list(self.lm.score_continuations(contexts, candidates))

    def count_tokens(self, text: str) -> int:
        """See :meth:`lm.LanguageModel.count_tokens`."""
        with self.lock:
            return int(self.lm.count_tokens(text))

    def generate(self, texts: Sequence[str], **settings: Any) -> list[str]:
        """See :meth:`lm.LanguageModel.generate`."""
        with self.lock:
            return list(self.lm.generate(texts, **settings))
