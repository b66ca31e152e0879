"""Conditional tables: P(level | parents' levels), asked of the language model once for each distinct context."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal, Protocol

import numpy as np
import pandas as pd

from sdscm.errors import ScenarioError
from sdscm.scenario import Scenario, Variable

Rule = Literal["sum", "mean", "pmi"]


class Scorer(Protocol):
    """What a language model must offer: log-probabilities of levels after contexts (see ``lm.LanguageModel.score``)."""

    def score(
        self, contexts: Sequence[str], levels: Sequence[Sequence[str]], rule: Rule = "sum", *, baseline: str = ""
    ) -> list[np.ndarray]: ...


def all_combinations(sizes: list[int]) -> np.ndarray:
    """(product of sizes, len(sizes)) every combination of codes, the last varying fastest; one empty row for no sizes."""
    return np.array(list(product(*map(range, sizes))), dtype=int).reshape(int(np.prod(sizes, initial=1)), len(sizes))


class ConditionalTables:
    """Log-probabilities of every variable's levels, normalised over the levels (domain-restricted sampling).

    Each distinct context is scored at most once; ``contexts_scored`` counts them.

    Args:
        scenario: whose variables and phrasing.
        scorer: the language model.
        rule: ``sum`` is the definition; ``mean`` and ``pmi`` counter its preference for short levels.
        temperature: divides the scores before they are normalised; above 1 flattens.
    """

    def __init__(self, scenario: Scenario, scorer: Scorer, rule: Rule = "sum", temperature: float = 1.0) -> None:
        if not temperature > 0:
            raise ScenarioError(f"temperature must be positive; given {temperature}")
        self.scenario = scenario
        self.rule = rule
        self.temperature = temperature
        self.contexts_scored = 0
        self._scorer = scorer
        self._known: dict[tuple[str, tuple[int, ...]], np.ndarray] = {}

    def rows(self, name: str, parents: np.ndarray) -> np.ndarray:
        """Log-probabilities of a variable's levels under the given parents.

        Args:
            name: the variable.
            parents: (rows, parents) level indices, parents in the order of ``scenario[name].parents``.

        Returns:
            (rows, levels) nats, normalised along the last axis.
        """
        variable = self.scenario[name]
        if isinstance(variable.law, tuple):
            with np.errstate(divide="ignore"):
                return np.tile(np.log(variable.law), (len(parents), 1))
        if variable.law == "uniform":
            return np.full((len(parents), len(variable.levels)), -np.log(len(variable.levels)))
        distinct, inverse = np.unique(parents, axis=0, return_inverse=True)
        keys = [(name, tuple(int(code) for code in row)) for row in distinct]
        self._ask([key for key in keys if key not in self._known], variable)
        return np.stack([self._known[key] for key in keys])[inverse.reshape(-1)]

    def complete(self, limit: int = 20_000) -> None:
        """Fill the table of every variable for all combinations of its parents' levels.

        Raises:
            ScenarioError: that would be more than ``limit`` contexts.
        """
        needed = sum(self._size(variable) for variable in self.scenario.variables)
        if needed > limit:
            raise ScenarioError(
                f"complete tables of {self.scenario.name!r} need {needed:,} contexts, more than the limit of {limit:,}; "
                f"sample instead, which asks only for the contexts that occur"
            )
        for variable in self.scenario.variables:
            self.rows(variable.name, self._all_parents(variable))

    def frame(self) -> pd.DataFrame:
        """What is known so far, one line a context and level: variable, context, level, log_prob, probability."""
        lines = []
        for (name, codes), log_probs in self._known.items():
            variable = self.scenario[name]
            context = self.scenario.context(name, self._texts(variable, codes))
            for level, log_prob in zip(variable.levels, log_probs, strict=True):
                lines.append(
                    (name, ",".join(map(str, codes)), context, level, float(log_prob), float(np.exp(log_prob)))
                )
        return pd.DataFrame(lines, columns=["variable", "parents", "context", "level", "log_prob", "probability"])

    def adopt(self, frame: pd.DataFrame) -> None:
        """Take over tables that :meth:`frame` gave, of the same scenario, language model, rule and temperature."""
        for (name, codes), part in frame.groupby(["variable", "parents"], sort=False):
            key = (str(name), tuple(int(code) for code in str(codes).split(",") if code))
            by_level = dict(zip(part["level"], part["log_prob"], strict=True))
            self._known[key] = np.array([by_level[level] for level in self.scenario[key[0]].levels])

    def _size(self, variable: Variable) -> int:
        if variable.law != "language model":
            return 0
        return int(np.prod([len(self.scenario[parent].levels) for parent in variable.parents], initial=1))

    def _all_parents(self, variable: Variable) -> np.ndarray:
        return all_combinations([len(self.scenario[parent].levels) for parent in variable.parents])

    def _texts(self, variable: Variable, codes: tuple[int, ...]) -> dict[str, str]:
        return {
            parent: self.scenario[parent].levels[code] for parent, code in zip(variable.parents, codes, strict=True)
        }

    def _ask(self, keys: list[tuple[str, tuple[int, ...]]], variable: Variable) -> None:
        if not keys:
            return
        contexts = [self.scenario.context(variable.name, self._texts(variable, codes)) for _, codes in keys]
        baseline = " ".join(part for part in (self.scenario.intro.strip(), self.scenario.stem(variable.name)) if part)
        scores = self._scorer.score(contexts, [list(variable.levels)] * len(contexts), self.rule, baseline=baseline)
        self.contexts_scored += len(contexts)
        for key, row in zip(keys, scores, strict=True):
            if not (row < np.inf).all() or not np.isfinite(row).any():
                raise ScenarioError(f"the language model gives no usable probability to any level of {key[0]!r}: {row}")
            scaled = row / self.temperature
            self._known[key] = scaled - np.logaddexp.reduce(scaled)
