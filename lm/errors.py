"""Faults of loading, scoring and calling language models."""


class LanguageModelError(Exception):
    """Anything that keeps a language model from being loaded or used."""


class ModelNotFound(LanguageModelError):
    """A model reference that leads nowhere, or in no known form."""


class EndpointError(LanguageModelError):
    """An OpenAI-compatible endpoint that cannot be reached, refuses, or answers nonsense."""


class SpendCapReached(EndpointError):
    """The next call could cost more than what is left under the cap; it was not made."""
