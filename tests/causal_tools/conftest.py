"""Models that several modules of tests read questions with."""

from __future__ import annotations

import pytest

from lm import LanguageModel
from lm.tiny import tiny_model


@pytest.fixture(scope="session")
def models() -> list[LanguageModel]:
    """Random models with weights of their own, so that they prefer different tasks."""
    return [LanguageModel(f"tiny {seed}", *tiny_model(seed)) for seed in range(4)]
