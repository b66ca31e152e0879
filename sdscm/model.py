"""The sequence-driven structural causal model: sampling, intervening, and counterfactuals from stored noise.

Source: Bynum & Cho, arXiv 2411.08019. Unlike the authors' code, noise is stored, so that a unit stays itself across worlds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sdscm.errors import ScenarioError
from sdscm.exact import ExactLaws
from sdscm.noise import gumbel_max, gumbel_noise
from sdscm.scenario import Scenario
from sdscm.tables import ConditionalTables, Rule, Scorer


@dataclass(frozen=True)
class Sample:
    """Rows drawn from an SD-SCM.

    Attributes:
        frame: one column a variable, in order τ, levels as text (ordered categoricals in the scenario's level order).
        noise: per variable (rows, levels) standard Gumbel noise; with it the same units can be asked "what if".
        do: what was pinned.
    """

    frame: pd.DataFrame
    noise: dict[str, np.ndarray]
    do: dict[str, str] = field(default_factory=dict)


class SequenceSCM:
    """A DAG, an order and a language model, used as a structural causal model.

    Args:
        scenario: variables, order and phrasings.
        model: what :func:`lm.load_language_model` returns, or anything with its ``score``.
        rule: scoring rule, ``sum`` by the definition.
        temperature: divides the scores; above 1 flattens every conditional law.
    """

    def __init__(self, scenario: Scenario, model: Scorer, rule: Rule = "sum", temperature: float = 1.0) -> None:
        self.scenario = scenario
        self.tables = ConditionalTables(scenario, model, rule, temperature)

    def sample(self, rows: int, seed: int, do: Mapping[str, str] | None = None) -> Sample:
        """Draw rows from the observational law, or under an intervention.

        The same seed gives the same noise with and without ``do``, so the arms are counterfactuals of each other. Row i
        does not depend on how many rows are drawn.

        Args:
            rows: how many, at least 1.
            seed: any non-negative integer.
            do: levels to pin, by variable.

        Raises:
            ScenarioError: no rows, or ``do`` names no variable or level of the scenario.
        """
        if rows < 1:
            raise ScenarioError(f"sample needs at least one row; given rows={rows}")
        noise = {v.name: gumbel_noise(seed, v.name, rows, len(v.levels)) for v in self.scenario.variables}
        return self._push(noise, self._codes_of(do), {}, rows)

    def counterfactual(self, factual: Sample, do: Mapping[str, str]) -> Sample:
        """The same units had ``do`` been so: non-descendants keep their values, descendants keep their noise.

        Raises:
            ScenarioError: ``do`` does not fit, or the sample is not of this scenario.
        """
        if list(factual.frame.columns) != self.scenario.names or set(factual.noise) != set(self.scenario.names):
            raise ScenarioError(f"the factual sample is not one of scenario {self.scenario.name!r} with its noise")
        pinned = self._codes_of(do)
        changed = set(pinned) | self.scenario.descendants(set(pinned))
        kept = {name: factual.frame[name].cat.codes.to_numpy() for name in self.scenario.names if name not in changed}
        return self._push(factual.noise, {**self._codes_of(factual.do), **pinned}, kept, len(factual.frame))

    def exact(self, limit: int = 2_000_000) -> ExactLaws:
        """Laws by enumeration, with no sampling error.

        Raises:
            TooLarge: the joint law has more cells than ``limit``.
        """
        return ExactLaws(self.scenario, self.tables, limit)

    def _push(
        self, noise: dict[str, np.ndarray], pinned: Mapping[str, int], kept: Mapping[str, np.ndarray], rows: int
    ) -> Sample:
        codes: dict[str, np.ndarray] = {}
        for variable in self.scenario.variables:
            name = variable.name
            if name in pinned:
                codes[name] = np.full(rows, pinned[name])
            elif name in kept:
                codes[name] = kept[name]
            else:
                parents = (
                    np.column_stack([codes[p] for p in variable.parents])
                    if variable.parents
                    else np.zeros((rows, 0), int)
                )
                codes[name] = gumbel_max(self.tables.rows(name, parents), noise[name])
        frame = pd.DataFrame(
            {
                v.name: pd.Categorical.from_codes(codes[v.name], categories=pd.Index(v.levels), ordered=True)
                for v in self.scenario.variables
            }
        )
        return Sample(frame, noise, {name: self.scenario[name].levels[code] for name, code in pinned.items()})

    def _codes_of(self, do: Mapping[str, str] | None) -> dict[str, int]:
        codes = {}
        for name, level in (do or {}).items():
            levels = self.scenario[name].levels
            if level not in levels:
                raise ScenarioError(f"variable {name!r} has no level {level!r}; it has: {', '.join(levels)}")
            codes[name] = levels.index(level)
        return codes
