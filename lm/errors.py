"""Faults of loading, scoring and calling language models."""


class LanguageModelError(Exception):
    """Anything that keeps a language model from being loaded or used."""


class ModelNotFound(LanguageModelError):
    """A model reference that leads nowhere, or in no known form."""


class RegistryDown(ModelNotFound):
    """A model registry that cannot be reached, so that nothing is known of what it holds, or that does not give what it holds."""


class EndpointError(LanguageModelError):
    """An OpenAI-compatible endpoint that cannot be reached, refuses, or answers nonsense."""


class SpendCapReached(EndpointError):
    """The next call could cost more than what is left under the cap; it was not made."""


class EndpointRefused(EndpointError):
    """An endpoint that will not serve us at all: no key, a wrong one, no quota, or no such model."""


class EndpointDown(EndpointError):
    """An endpoint whose last calls all failed, so that it is not asked any more."""
