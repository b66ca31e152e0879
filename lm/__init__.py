"""The one door to any language model: load, score, choose, generate, call an endpoint."""

import os

# Threads that spin long while they wait make two busy processes on few cores ten times slower; threads that never spin cost
# a quarter of the speed alone. Set before torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

from lm.errors import LanguageModelError, ModelNotFound
from lm.load import load_language_model
from lm.model import LanguageModel

__all__ = ["LanguageModel", "LanguageModelError", "ModelNotFound", "load_language_model"]
