"""Exact laws by enumeration of the joint table, where it is small enough."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sdscm.errors import ScenarioError, TooLarge
from sdscm.scenario import Scenario
from sdscm.tables import ConditionalTables, all_combinations


class ExactLaws:
    """Probabilities and effects of an SD-SCM without sampling error.

    Args:
        scenario: the model's variables.
        tables: its conditional laws; missing contexts are asked for.
        limit: most cells of the joint table.

    Raises:
        TooLarge: the joint table has more cells.
    """

    def __init__(self, scenario: Scenario, tables: ConditionalTables, limit: int) -> None:
        cells = int(np.prod([len(v.levels) for v in scenario.variables], dtype=float))
        if cells > limit:
            raise TooLarge(
                f"the joint law of {scenario.name!r} has {cells:,} cells, more than the limit of {limit:,}; "
                f"sample rows instead, or raise the limit"
            )
        self.scenario = scenario
        self._tables = tables

    def joint(self, do: Mapping[str, str] | None = None) -> np.ndarray:
        """P(all variables), or P(· | do): an array with one axis a variable, in order τ."""
        do = do or {}
        for name, level in do.items():
            if level not in self.scenario[name].levels:
                raise ScenarioError(
                    f"variable {name!r} has no level {level!r}; it has: {', '.join(self.scenario[name].levels)}"
                )
        names = self.scenario.names
        law = np.ones([len(v.levels) for v in self.scenario.variables])
        for axis, variable in enumerate(self.scenario.variables):
            if variable.name in do:
                factor = np.zeros(len(variable.levels))
                factor[variable.levels.index(do[variable.name])] = 1.0
                axes = [axis]
            else:
                parents = [names.index(parent) for parent in variable.parents]
                sizes = [law.shape[p] for p in parents]
                factor = np.exp(self._tables.rows(variable.name, all_combinations(sizes))).reshape(
                    *sizes, len(variable.levels)
                )
                axes = [*parents, axis]
            order = np.argsort(axes)
            shape = [law.shape[a] if a in axes else 1 for a in range(law.ndim)]
            law = law * factor.transpose(order).reshape(shape)
        return law

    def marginal(self, name: str, do: Mapping[str, str] | None = None) -> np.ndarray:
        """(levels,) P(name), or P(name | do)."""
        self.scenario[name]
        axis = self.scenario.names.index(name)
        law = self.joint(do)
        return law.sum(axis=tuple(a for a in range(law.ndim) if a != axis))

    def mean(self, name: str, do: Mapping[str, str] | None = None) -> float:
        """E[score of name], or E[· | do]; scores are the scenario's, 0, 1, 2, … by default."""
        return float(self.marginal(name, do) @ self.scenario[name].score_of())

    def ate(self, treatment: str, outcome: str, contrast: tuple[str, str] | None = None) -> float:
        """E[outcome | do(treatment = to)] − E[outcome | do(treatment = from)], in units of the outcome's scores.

        Args:
            treatment: the variable intervened on.
            outcome: the variable whose mean is compared; for two levels this is the difference of P(last level).
            contrast: (from, to) levels; first and last by default.
        """
        levels = self.scenario[treatment].levels
        low, high = contrast or (levels[0], levels[-1])
        return self.mean(outcome, {treatment: high}) - self.mean(outcome, {treatment: low})
