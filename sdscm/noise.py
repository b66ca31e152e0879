"""One noise term per row, variable and level, from child streams named after the variable.

Stored noise is what makes counterfactuals possible: the same noise under new parents is the same unit in another world.
"""

from __future__ import annotations

import hashlib

import numpy as np


def child_stream(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on the seed and the names alone, not on what was drawn elsewhere."""
    words = np.frombuffer(hashlib.sha256("/".join(names).encode()).digest(), dtype=np.uint32)
    return np.random.default_rng(np.random.SeedSequence([seed, *map(int, words)]))


def gumbel_noise(seed: int, variable: str, rows: int, levels: int) -> np.ndarray:
    """(rows, levels) standard Gumbel noise; the first rows are the same however many are drawn."""
    return child_stream(seed, "noise", variable).gumbel(size=(rows, levels))


def gumbel_max(log_probs: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Draw one level a row, reusing stored noise so that counterfactuals share it.

    Args:
        log_probs: (rows, levels), nats, normalised along the last axis.
        noise: (rows, levels), standard Gumbel, one draw per row and level.

    Returns:
        (rows,) index of the level drawn.

    Raises:
        ValueError: shapes differ, or a row has no level of positive probability.

    Source: Oberst & Sontag (2019), section 3.
    """
    if log_probs.shape != noise.shape:
        raise ValueError(f"log_probs has shape {log_probs.shape} but noise {noise.shape}; they must agree")
    if not np.isfinite(log_probs).any(axis=-1).all():
        raise ValueError("a row has no level of positive probability")
    return np.argmax(log_probs + noise, axis=-1)
