"""Seeds: libraries that draw from numpy's global generator leave it as they found it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


def child_seed(seed: int, name: str) -> int:
    """A seed for one named use, so that adding a use changes no other."""
    return int(np.random.SeedSequence([seed, *name.encode()]).generate_state(1)[0])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generators for a while, and put them back."""
    before, before_plain = np.random.get_state(), random.getstate()  # noqa: NPY002 - it is the global state that is kept
    np.random.seed(seed % 2**32)  # noqa: NPY002 - econml and causal-learn draw from it
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
        random.setstate(before_plain)
