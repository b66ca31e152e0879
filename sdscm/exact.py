"""Exact laws, effects and counterfactuals of an SD-SCM: sums over its conditional tables, with no sampling error.

What costs is the tables, since each of their contexts is a call of the language model, and the arrays in between. The
joint table is never made unless it is asked for. Rungs 1 and 2 (law, effects) need no coupling of noise; rung 3 does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd

from sdscm.coupling import check_coupling
from sdscm.effects import Effects
from sdscm.elimination import check_cells
from sdscm.errors import ScenarioError
from sdscm.interventions import Do, Given, read_do, read_given
from sdscm.noise import Coupling
from sdscm.scenario import Scenario
from sdscm.twin import Network, World


class Tables(Protocol):
    """What gives conditional laws: see :class:`sdscm.tables.ConditionalTables`."""

    def rows(self, name: str, parents: np.ndarray) -> np.ndarray: ...


class ExactLaws(Effects):
    """Probabilities and effects of an SD-SCM without sampling error.

    Levels are given by their texts; a contrast is (from, to) levels of the treatment, first and last by default; effects
    are in units of the outcome's scores (for two levels without scores: probability of the last). Methods raise
    ScenarioError for unknown variables or levels and for evidence of probability zero, TooLarge beyond the limit.

    Args:
        scenario: the model's variables.
        tables: its conditional laws; contexts that a query needs and that are missing are asked for.
        limit: most cells of the complete tables, and of any array made from them.
        coupling: how stored noise makes levels; only counterfactuals depend on it.

    Raises:
        TooLarge: the complete tables have more cells than the limit.
        ScenarioError: unknown coupling.
    """

    def __init__(self, scenario: Scenario, tables: Tables, limit: int, coupling: Coupling = "gumbel") -> None:
        check_coupling(coupling)
        self.scenario = scenario
        self.coupling = coupling
        self.limit = limit
        self._tables = tables
        self._known: dict[str, np.ndarray] = {}
        cells = sum(math.prod(self._shape(name)) for name in scenario.names)
        check_cells(cells, limit, f"the complete tables of {scenario.name!r} have")

    def table(self, name: str) -> np.ndarray:
        """P(name | its parents): one axis a parent, in the variable's own order, and then the levels."""
        if name not in self._known:
            *sizes, levels = self._shape(name)
            combinations = np.indices(sizes).reshape(len(sizes), math.prod(sizes)).T
            law = np.exp(self._tables.rows(name, combinations))
            if np.isnan(law).any():
                raise ScenarioError(f"the conditional law of {name!r} is not a number in some context")
            self._known[name] = (law / law.sum(axis=-1, keepdims=True)).reshape(*sizes, levels)
        return self._known[name]

    def law(self, names: Sequence[str], do: Do | None = None, given: Given | None = None) -> np.ndarray:
        """P(names | do, given): in the world of ``do``, among those for whom ``given`` holds there.

        Args:
            names: all different.
            do: levels to pin, or laws to follow, by variable.
            given: levels seen in that same world, by variable. For what was seen before acting, see
                :meth:`counterfactual_law`.

        Returns:
            One axis a name, in that order; sums to 1.
        """
        seen = {(name, 0): level for name, level in read_given(self.scenario, given).items()}
        return self.network(do or {}).law([(name, 0) for name in self._names(names)], seen)

    def frame(self, names: Sequence[str], do: Do | None = None, given: Given | None = None) -> pd.DataFrame:
        """:meth:`law` as a table: one row a combination of levels, one column a name, and ``probability``."""
        law = self.law(names, do, given)
        codes = np.indices(law.shape).reshape(law.ndim, law.size)
        frame = pd.DataFrame(
            {
                name: pd.Categorical.from_codes(column, categories=pd.Index(self.scenario[name].levels), ordered=True)
                for name, column in zip(names, codes, strict=True)
            }
        )
        frame.insert(len(names), "probability", law.reshape(-1))
        return frame

    def joint(self, do: Do | None = None) -> np.ndarray:
        """P(all variables), or P(· | do): an array with one axis a variable, in order τ."""
        cells = math.prod(len(v.levels) for v in self.scenario.variables)
        check_cells(cells, self.limit, f"the joint law of {self.scenario.name!r} has")
        return self.law(self.scenario.names, do)

    def marginal(self, name: str, do: Do | None = None, given: Given | None = None) -> np.ndarray:
        """(levels,) P(name | do, given)."""
        return self.law([name], do, given)

    def mean(self, name: str, do: Do | None = None, given: Given | None = None) -> float:
        """E[score of name | do, given]; scores are the scenario's, 0, 1, 2, … by default."""
        return float(self.marginal(name, do, given) @ self.scenario[name].score_of())

    def counterfactual_law(self, names: Sequence[str], do: Do, given: Given | None = None) -> np.ndarray:
        """P(names in the world of ``do`` | given in the factual world), with the same noise in both.

        Args:
            names: all different.
            do: levels to pin, or laws to follow, by variable.
            given: levels observed before anything was done, by variable.

        Returns:
            One axis a name, in that order; sums to 1.
        """
        seen = {(name, 0): level for name, level in read_given(self.scenario, given).items()}
        return self.network({}, do).law([(name, 1) for name in self._names(names)], seen)

    def network(self, *worlds: Do | World) -> Network:
        """One world, or two on the same noise, to ask for laws across both."""
        read = [world if isinstance(world, World) else World(read_do(self.scenario, world)) for world in worlds]
        return Network(self.scenario, self.table, read, self.coupling, self.limit)

    def independent(
        self,
        first: str | Sequence[str],
        second: str | Sequence[str],
        given: str | Sequence[str] = (),
        do: Do | None = None,
        tolerance: float = 1e-9,
    ) -> bool:
        """Whether the first variables are independent of the second given every combination of the third's levels.

        Args:
            first: one or more variables.
            second: one or more others.
            given: none or more others; combinations of probability zero do not count.
            do: in the world of this intervention.
            tolerance: most that P(first, second | given) may differ from the product of its margins, in any cell.
        """
        law = self._three(first, second, given, do)
        stratum = law.sum(axis=(0, 1), keepdims=True)
        law = np.divide(law, stratum, out=np.zeros_like(law), where=stratum > 0)
        product = law.sum(axis=1, keepdims=True) * law.sum(axis=0, keepdims=True)
        return bool(np.abs(law - product).max() <= tolerance)

    def conditional_mutual_information(
        self,
        first: str | Sequence[str],
        second: str | Sequence[str],
        given: str | Sequence[str] = (),
        do: Do | None = None,
    ) -> float:
        """I(first; second | given) in nats, 0 where they are independent; arguments as of :meth:`independent`."""
        law = self._three(first, second, given, do)
        one, other, neither = (np.broadcast_to(law.sum(axis=axes, keepdims=True), law.shape) for axes in (1, 0, (0, 1)))
        seen = law > 0
        ratio = (law[seen] / one[seen]) * (neither[seen] / other[seen])  # in this order nothing underflows
        return max(0.0, float(law[seen] @ np.log(ratio)))

    def edge_strengths(self) -> pd.DataFrame:
        """How much each parent tells of its child beyond the other parents: columns parent, child, nats.

        This is I(parent; child | other parents) in the observational law. It is zero exactly where the edge could be
        left out; it is small, too, where the parent hardly varies.
        """
        rows = []
        for parent, child in self.scenario.edges():
            others = [name for name in self.scenario[child].parents if name != parent]
            rows.append((parent, child, self.conditional_mutual_information(parent, child, others)))
        return pd.DataFrame(rows, columns=["parent", "child", "nats"])

    def _shape(self, name: str) -> tuple[int, ...]:
        return tuple(len(self.scenario[n].levels) for n in (*self.scenario[name].parents, name))

    def _names(self, names: Sequence[str]) -> list[str]:
        if isinstance(names, str):
            raise ScenarioError(f"names must be a list of variables; given the text {names!r}")
        for name in names:
            self.scenario[name]
        if len(set(names)) < len(names):
            raise ScenarioError(f"a variable is named twice in {list(names)}")
        return list(names)

    def _three(
        self, first: str | Sequence[str], second: str | Sequence[str], given: str | Sequence[str], do: Do | None
    ) -> np.ndarray:
        """(levels of first, levels of second, levels of given): the joint law, each group's axes flattened to one."""
        groups = [[group] if isinstance(group, str) else list(group) for group in (first, second, given)]
        if not groups[0] or not groups[1]:
            raise ScenarioError("dependence is between two groups of variables; one of them is empty")
        law = self.law([name for group in groups for name in group], do)
        return law.reshape([math.prod(len(self.scenario[name].levels) for name in group) for group in groups])
