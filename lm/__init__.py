"""The one door to any language model: load, score, choose, generate, call an endpoint."""

import os

# Threads that spin while they wait make two busy processes on few cores ten times slower; set before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from lm.errors import LanguageModelError, ModelNotFound
from lm.load import load_language_model
from lm.model import Continuation, LanguageModel

__all__ = ["Continuation", "LanguageModel", "LanguageModelError", "ModelNotFound", "load_language_model"]
