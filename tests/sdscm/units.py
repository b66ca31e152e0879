"""An independent way to the truth: tables given as arrays, and a population in which every kind of unit is listed.

Under the inverse-CDF coupling a variable's uniform noise matters only through which interval between the breakpoints of
all its conditional laws it falls in. So a model has finitely many kinds of unit, and every counterfactual is a weighted
count over them.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from sdscm import Scenario

from .laws import scenario, variable


class Known:
    """Conditional laws as arrays: one axis a parent, then the levels. Counts what is asked for."""

    def __init__(self, laws: dict[str, np.ndarray]) -> None:
        self.laws = {name: np.asarray(law, dtype=float) for name, law in laws.items()}
        self.asked: list[str] = []

    def rows(self, name: str, parents: np.ndarray) -> np.ndarray:
        self.asked.append(name)
        with np.errstate(divide="ignore"):
            return np.log(self.laws[name][tuple(np.asarray(parents, dtype=int).T)].reshape(len(parents), -1))


def random_laws(one: Scenario, seed: int, concentration: float = 1.0) -> Known:
    """Dirichlet laws for every variable; a small concentration makes them nearly deterministic."""
    rng = np.random.default_rng(seed)
    sizes = {v.name: len(v.levels) for v in one.variables}
    return Known(
        {
            v.name: rng.dirichlet([concentration] * sizes[v.name], size=tuple(sizes[p] for p in v.parents))
            for v in one.variables
        }
    )


class Population:
    """All kinds of unit of a model under the inverse-CDF coupling.

    Attributes:
        weights: (units,) their shares, summing to 1.
    """

    def __init__(self, one: Scenario, known: Known) -> None:
        self.scenario, self.known = one, known
        cells, shares = [], []
        for v in one.variables:
            law = known.laws[v.name].reshape(-1, len(v.levels))
            edges = np.unique(np.concatenate([[0.0, 1.0], np.cumsum(law, axis=1)[:, :-1].ravel()]))
            cells.append((edges[1:] + edges[:-1]) / 2)
            shares.append(np.diff(edges))
        self.noise = dict(zip(one.names, np.array(list(product(*cells))).T, strict=True))
        self.weights = np.array(list(product(*shares))).prod(axis=1)

    def solve(self, do: dict[str, str] | None = None, copied: dict[str, np.ndarray] | None = None) -> dict:
        """(units,) level indices of every variable, with some pinned and some given a value a unit."""
        values: dict[str, np.ndarray] = {}
        for v in self.scenario.variables:
            if v.name in (do or {}):
                values[v.name] = np.full(len(self.weights), v.levels.index(do[v.name]))
            elif v.name in (copied or {}):
                values[v.name] = copied[v.name]
            else:
                law = self.known.laws[v.name][tuple(values[p] for p in v.parents)]
                law = np.broadcast_to(law, (len(self.weights), len(v.levels)))
                passed = self.noise[v.name][:, None] > np.cumsum(law, axis=1)[:, :-1]
                values[v.name] = passed.sum(axis=1)
        return values

    def mean(self, values: np.ndarray, among: np.ndarray | None = None) -> float:
        weights = self.weights if among is None else self.weights * among
        return float(weights @ values / weights.sum())


def entangled() -> Scenario:
    """z → t → l → m → y with z → y, t → m, t → y, l → y: l is moved by the treatment and moves mediator and outcome,
    so that natural effects are not identified from data."""
    return scenario(
        variable("z"),
        variable("t", ("z",), role="treatment"),
        variable("l", ("t", "z"), levels=("low", "middle", "high")),
        variable("m", ("t", "l"), role="mediator"),
        variable("y", ("z", "t", "l", "m"), role="outcome"),
    )


# Tables of laws.CONFOUNDER as arrays: z → t, z → y, t → y.
CONFOUNDED = Known(
    {
        "z": [0.6, 0.4],
        "t": [[0.8, 0.2], [0.3, 0.7]],
        "y": [[[0.9, 0.1], [0.7, 0.3]], [[0.6, 0.4], [0.2, 0.8]]],
    }
)
