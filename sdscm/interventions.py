"""What is done and what is seen: interventions and evidence, checked against a scenario.

An intervention pins a variable to a level, or lets it follow a stated law instead of its own (a stochastic
intervention: Correa & Bareinboim 2020, "A calculus for stochastic interventions", section 2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real

import numpy as np

from sdscm.errors import ScenarioError
from sdscm.scenario import Scenario

Do = Mapping[str, str | Mapping[str, float]]
Given = Mapping[str, str]

_SUM_TOLERANCE = 1e-9


def level_index(scenario: Scenario, name: str, level: object) -> int:
    """Position of a level in its variable.

    Raises:
        ScenarioError: no such variable, or the variable has no such level.
    """
    levels = scenario[name].levels
    if not isinstance(level, str) or level not in levels:
        raise ScenarioError(f"variable {name!r} has no level {level!r}; it has: {', '.join(levels)}")
    return levels.index(level)


def read_do(scenario: Scenario, do: Do | None) -> dict[str, np.ndarray]:
    """The law that each variable intervened on follows instead of its own.

    Args:
        scenario: whose variables.
        do: for each target a level, which pins it, or a probability for some of its levels (the others get none).

    Returns:
        By target, (levels,) probabilities that sum to 1: one-hot for a pinned level.

    Raises:
        ScenarioError: an unknown variable or level; a probability that is negative, not finite or no number;
            probabilities that do not sum to 1 within 1e-9.
    """
    return {name: _law(scenario, name, target) for name, target in _items(do, "do", "{variable: level}")}


def read_given(scenario: Scenario, given: Given | None, do: Do | None = None) -> dict[str, int]:
    """Evidence as level indices, by variable; in the world of ``do``, where one is told.

    Raises:
        ScenarioError: an unknown variable or level, ``do`` does not fit, or it rules a given level out.
    """
    held = {name: level_index(scenario, name, level) for name, level in _items(given, "given", "{variable: level}")}
    laws = read_do(scenario, do)
    for name, level in held.items():
        if name in laws and not laws[name][level] > 0:
            said = f"{name} = {scenario[name].levels[level]}"
            raise ScenarioError(
                f"{said} has probability zero, since do sets {name!r} otherwise; leave one of the two out"
            )
    return held


def is_pinned(law: np.ndarray) -> bool:
    """Whether a law that :func:`read_do` gave puts all its mass on one level."""
    return bool(np.count_nonzero(law) == 1)


def _items(mapping: object, argument: str, shape: str) -> list[tuple[str, object]]:
    if mapping is None:
        return []
    if not isinstance(mapping, Mapping):
        raise ScenarioError(f"{argument} must be a mapping {shape}; given {mapping!r}")
    return list(mapping.items())


def _law(scenario: Scenario, name: str, target: object) -> np.ndarray:
    law = np.zeros(len(scenario[name].levels))
    if not isinstance(target, Mapping):
        law[level_index(scenario, name, target)] = 1.0
        return law
    for level, probability in target.items():
        sound = isinstance(probability, Real) and not isinstance(probability, bool | np.bool_)
        if not sound or not math.isfinite(probability) or probability < 0:
            raise ScenarioError(
                f"do gives level {level!r} of {name!r} the probability {probability!r}; it must be a number from 0 to 1"
            )
        law[level_index(scenario, name, level)] = float(probability)
    total = float(law.sum())
    if abs(total - 1) > _SUM_TOLERANCE:
        raise ScenarioError(f"the probabilities that do gives the levels of {name!r} sum to {total:.9g}, not to 1")
    return law / total
