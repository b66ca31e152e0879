"""One language model for everybody at the page: loaded when it is first needed, asked by one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from orchestration.language_model import load_chosen

Load = Callable[[], tuple[Any, str | None]]


class SharedModel:
    """A language model as :class:`causal_tools.Assistant` needs it, not loaded before it is asked.

    Tokenizers and key-value states are changed while they are used, so whoever asks holds ``lock`` for a whole reading.

    Args:
        load: gives the model, and a sentence on what was taken in the place of the model asked for, or None.
        name: as the page shows it before the model is loaded.
    """

    def __init__(self, load: Load, name: str) -> None:
        self.name = name
        self.note: str | None = None
        self.lock = threading.RLock()
        self._load = load
        self._lm: Any = None

    @classmethod
    def named(cls, name: str | None) -> Self:
        """The model of this name, or the default one.

        Raises:
            ModelNotFound: the name is in no known form.
        """
        from lm.references import parse_reference

        if name is not None:
            parse_reference(name)
        return cls(lambda: load_chosen(name), name or "assistant")

    @property
    def is_loaded(self) -> bool:
        return self._lm is not None

    @property
    def lm(self) -> Any:
        """The model itself; the first call takes the time to load it."""
        with self.lock:
            if self._lm is None:
                self._lm, self.note = self._load()
            return self._lm

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
