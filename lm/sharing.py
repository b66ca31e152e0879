"""May texts share key-value states on this model? Asked once of each, by trying."""

from __future__ import annotations

from typing import Any

import numpy as np

from lm.errors import LanguageModelError
from lm.passes import Meter
from lm.scoring import score_sequences
from lm.states import StateTree

_TEXTS = [[5, 6, 7, 8], [5, 6, 7, 9, 4], [5, 6, 10, 8]]
_STARTS = [2, 3, 2]


def require_sharing(model: Any) -> None:
    """Score a few short texts with shared states and without, and compare.

    Raises:
        LanguageModelError: they differ, or the model keeps no states that could be shared (Mamba, ALiBi, latent attention).
    """
    import torch

    with torch.inference_mode():
        plain = []
        for text, start in zip(_TEXTS, _STARTS, strict=True):
            logits = model(input_ids=torch.tensor([text], device=model.device)).logits[0].float()
            law = torch.log_softmax(logits, dim=-1)
            plain.append([float(law[place - 1, text[place]]) for place in range(start, len(text))])
    try:
        tree = StateTree(model, budget=2**26)
        for part in ([0], [1, 2]):  # the second pass goes on from the states of the first
            texts, starts = [_TEXTS[i] for i in part], [_STARTS[i] for i in part]
            scores = score_sequences(model, texts, starts, Meter(), tree=tree)
            away = max(float(_off(np.array(plain[i]), one)) for i, one in zip(part, scores, strict=True))
            if not away < (0.01 if model.dtype == torch.float32 else 0.5):
                raise LanguageModelError(f"scores with shared states are off by {away:.2g} of themselves")
    except (LanguageModelError, AttributeError, TypeError, ValueError, RuntimeError, IndexError) as error:
        kind = type(model).__name__
        raise LanguageModelError(
            f"{kind} cannot be used to score texts that share their beginnings: its layers must attend to the whole text and "
            f"take positions and a mask as given ({error})"
        ) from error


def _off(plain: np.ndarray, shared: np.ndarray) -> np.floating:
    """The largest difference, of nats up to 1 and of its share beyond: rounding grows with what a tuned model rules out."""
    return (np.abs(plain - shared) / np.maximum(1, np.abs(plain))).max()
