"""Faults of scenarios and of what is asked of them."""


class ScenarioError(ValueError):
    """A scenario that is not a sound structural causal model, or an intervention that does not fit it."""


class TooLarge(ScenarioError):
    """An exact law that would need more cells than the stated limit."""
