"""The one door to any language model: load, score, choose, generate, call an endpoint."""

from lm.errors import LanguageModelError, ModelNotFound
from lm.load import load_language_model
from lm.model import Continuation, LanguageModel

__all__ = ["Continuation", "LanguageModel", "LanguageModelError", "ModelNotFound", "load_language_model"]
