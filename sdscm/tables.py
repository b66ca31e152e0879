"""Conditional tables: P(level | parents' levels), asked of the language model once for each distinct context."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, get_args

import numpy as np
import pandas as pd

from lm.model import Rule
from sdscm.errors import ScenarioError, TooLarge
from sdscm.memo import ScoreMemo, Scores
from sdscm.scenario import Scenario, Variable
from sdscm.scores import LevelScores, Scorer
from sdscm.turning import reference_rows, turned_effect

Law = Callable[[np.ndarray], np.ndarray]  # (rows, parents) level indices -> (rows, values)
MOST_COMBINATIONS = 2**62  # parents' level combinations that an integer numbers


def all_combinations(sizes: list[int]) -> np.ndarray:
    """(product of sizes, len(sizes)) every combination of codes, the last varying fastest; one empty row for no sizes."""
    return np.array(list(product(*map(range, sizes))), dtype=int).reshape(int(np.prod(sizes, initial=1)), len(sizes))


class ConditionalTables:
    """Log-probabilities of every variable's levels, normalised over the levels (domain-restricted sampling).

    Each distinct context is scored at most once; ``contexts_scored`` counts those that the language model was asked.

    Args:
        scenario: whose variables, phrasing and knobs.
        scorer: the language model.
        rule: ``sum`` is the definition; ``mean`` and ``pmi`` counter its preference for short levels.
        temperature: divides the scores before they are normalised; above 1 flattens.
        memo: scores known already, and where to keep new ones; by default in this object's memory only.
    """

    def __init__(
        self,
        scenario: Scenario,
        scorer: Scorer,
        rule: Rule = "sum",
        temperature: float = 1.0,
        memo: ScoreMemo | None = None,
    ) -> None:
        if not 1e-6 <= temperature < np.inf:
            raise ScenarioError(f"temperature must be positive, at least 1e-6, and finite; given {temperature}")
        if rule not in get_args(Rule):
            raise ScenarioError(f"rule {rule!r} is none of {', '.join(get_args(Rule))}")
        self.scenario = scenario
        self.rule = rule
        self.temperature = temperature
        self.scores = LevelScores(scorer, memo or ScoreMemo())
        self._tables = {variable.name: _Table(len(variable.levels)) for variable in scenario.variables}
        self._lock = threading.RLock()
        self._strides = {variable.name: self._strides_of(variable) for variable in scenario.variables}

    @property
    def contexts_scored(self) -> int:
        """How many contexts the language model has been asked."""
        return self.scores.asked

    def rows(self, name: str, parents: np.ndarray) -> np.ndarray:
        """Log-probabilities of a variable's levels under the given parents.

        Args:
            name: the variable.
            parents: (rows, parents) level indices, parents in the order of ``scenario[name].parents``.

        Returns:
            (rows, levels) nats, normalised along the last axis.
        """
        return self.known_rows(name, self.keys(name, list(np.asarray(parents).T), len(parents)))

    def keys(self, name: str, parents: Sequence[np.ndarray], rows: int) -> np.ndarray:
        """(rows,) one number for each combination of the parents' level indices, parents in their own order."""
        keys = np.zeros(rows, dtype=np.int64)
        for codes, stride in zip(parents, self._strides[name], strict=True):
            keys += codes * stride
        return keys

    def keys_under(self, name: str, codes: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
        """As :meth:`keys`, from the level indices of all variables drawn so far."""
        return self.keys(name, [codes[parent] for parent in self.scenario[name].parents], rows)

    def missing(self, name: str, keys: np.ndarray) -> np.ndarray:
        """Distinct keys whose law has not been worked out yet."""
        table = self._tables[name]
        return np.unique(keys[table.find(keys) < 0]) if len(keys) else keys

    def known_rows(self, name: str, keys: np.ndarray) -> np.ndarray:
        """(rows, levels) laws by key; what is missing is asked for first."""
        with self._lock:
            table = self._tables[name]
            if (fresh := self.missing(name, keys)).size:
                table.add(fresh, self._law(self.scenario[name], self._codes(name, fresh)))
            return table.laws[table.find(keys)]

    def outcome_values(self, parents: np.ndarray, transform: Law) -> np.ndarray:
        """(rows, values) a continuous outcome: a function of its law, with the effect and heterogeneity knobs on its own scale.

        Args:
            parents: (rows, parents) level indices of the one outcome's parents.
            transform: (rows, levels) log-probabilities to (rows, values).
        """
        outcome = self.scenario.only("outcome")
        keys = self.keys(outcome.name, list(parents.T), len(parents))
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)

        def values(codes: np.ndarray) -> np.ndarray:
            return transform(self._tilted(outcome, codes, self._base(outcome, codes)))

        return self._turned(outcome, parents[first], values)[inverse]

    def complete(self, limit: int = 20_000) -> None:
        """Fill the table of every variable for all combinations of its parents' levels.

        Raises:
            TooLarge: that would be more than ``limit`` contexts.
        """
        self.require_contexts(limit)
        with self.scores.session():
            for variable in self.scenario.variables:
                self.rows(variable.name, all_combinations([len(self.scenario[p].levels) for p in variable.parents]))

    def require_contexts(self, limit: int) -> None:
        """Raise TooLarge where the complete tables have more than ``limit`` contexts."""
        needed = sum(self.contexts_of(variable.name) for variable in self.scenario.variables)
        if needed > limit:
            raise TooLarge(
                f"complete tables of {self.scenario.name!r} need {needed:,} contexts, more than the limit of {limit:,}; "
                f"sample rows instead, which asks only for the contexts that occur"
            )

    def contexts_of(self, name: str) -> int:
        """How many contexts the complete table of a variable has (none where no language model is asked)."""
        if self.scenario[name].law != "language model":
            return 0
        return int(np.prod([len(parent.levels) for parent in self._spoken(self.scenario[name])], initial=1.0))

    def contexts_at_once(self, name: str, key: int) -> int:
        """How many contexts of a variable, as long as the one of this key, should be worked on together."""
        (context,) = self._contexts(self.scenario[name], self._codes(name, np.array([key])))
        return self.scores.contexts_at_once(context)

    def frame(self) -> pd.DataFrame:
        """What is known so far of the laws that are the language model's, one line a context and level.

        Columns: variable, parents (level indices), context, level, score and tokens (its log-probability in nats, and token
        count, missing where it does not tell), log_prob and probability (by rule, temperature and knobs).
        """
        lines: list[tuple[Any, ...]] = []
        for variable in self.scenario.variables:
            table = self._tables[variable.name]
            if variable.law != "language model":
                continue
            codes = self._codes(variable.name, table.order)
            contexts = self._contexts(variable, codes)
            scores = self.scores.of(contexts, variable.levels)
            for row, context, score, law in zip(codes, contexts, scores, table.laws, strict=True):
                key = ",".join(map(str, row))
                for level, nats, tokens, log_prob in zip(variable.levels, score.nats, score.tokens, law, strict=True):
                    lines.append((variable.name, key, context, level, nats, tokens, log_prob, np.exp(log_prob)))
        columns = ["variable", "parents", "context", "level", "score", "tokens", "log_prob", "probability"]
        return pd.DataFrame(lines, columns=columns)

    def adopt(self, frame: pd.DataFrame) -> None:
        """Take over the scores that :meth:`frame` gave, of the same language model; rule, temperature and knobs may differ."""
        for context, part in frame.groupby("context", sort=False):
            scores = Scores(part["score"].to_numpy(dtype=float), part["tokens"].to_numpy(dtype=float))
            self.scores.adopt(str(context), [str(level) for level in part["level"]], scores)

    def _law(self, variable: Variable, parents: np.ndarray) -> np.ndarray:
        """(rows, levels) the law of a variable, all told, for distinct parents' codes."""
        knobs = self.scenario.knobs
        if variable.role == "outcome" and (knobs.effect, knobs.heterogeneity) != (1, 1):
            law = _normalised(self._turned(variable, parents, lambda codes: self._base(variable, codes)))
        else:
            law = self._base(variable, parents)
        law = self._tilted(variable, parents, law)
        if variable.role == "treatment" and knobs.overlap:
            levels = len(variable.levels)
            law = (
                np.logaddexp(np.log1p(-knobs.overlap) + law, np.log(knobs.overlap / levels))
                if knobs.overlap < 1
                else (np.full_like(law, -np.log(levels)))
            )
        return law

    def _base(self, variable: Variable, parents: np.ndarray) -> np.ndarray:
        """The law before tilts and knobs: fixed, uniform, or the language model's by rule and temperature."""
        if variable.law == "uniform":
            return np.full((len(parents), len(variable.levels)), -np.log(len(variable.levels)))
        if isinstance(variable.law, tuple):
            with np.errstate(divide="ignore"):
                return np.tile(np.log(variable.law), (len(parents), 1))
        scores = self.scores.of(self._contexts(variable, parents), variable.levels)
        nats = np.array([score.nats for score in scores])
        if self.rule == "mean":
            tokens = np.array([score.tokens for score in scores])
            if np.isnan(tokens).any():
                raise ScenarioError(
                    "rule 'mean' divides by token counts, which this scorer does not tell (level_tokens)"
                )
            nats = nats / tokens
        if self.rule == "pmi":
            alone = " ".join(part for part in (self.scenario.intro.strip(), self.scenario.stem(variable.name)) if part)
            with np.errstate(invalid="ignore"):
                nats = np.where(np.isneginf(nats), -np.inf, nats - self.scores.of([alone], variable.levels)[0].nats)
        if not (nats < np.inf).all() or not np.isfinite(nats).any(axis=1).all():
            raise ScenarioError(f"the language model gives no usable probability to any level of {variable.name!r}")
        return _normalised(nats / self.temperature)

    def _tilted(self, variable: Variable, parents: np.ndarray, law: np.ndarray) -> np.ndarray:
        """With the push of silent parents, in nats (see :class:`Variable`)."""
        if not variable.tilts:
            return law
        for parent, tilt in variable.tilts.items():
            push = self.scenario[parent].centred_scores()[parents[:, variable.parents.index(parent)]]
            law = law + tilt * push[:, None] * variable.centred_scores()
        return _normalised(law)

    def _turned(self, outcome: Variable, parents: np.ndarray, law: Law) -> np.ndarray:
        """A law, or other values, of the outcome with its treatment's effect scaled by the knobs."""
        knobs = self.scenario.knobs
        if (knobs.effect, knobs.heterogeneity) == (1, 1):
            return law(parents)
        treatment = self.scenario.only("treatment")
        place, arms = outcome.parents.index(treatment.name), len(treatment.levels)

        def by_arm(rows: np.ndarray) -> np.ndarray:
            stacked = np.repeat(rows, arms, axis=0)
            stacked[:, place] = np.tile(np.arange(arms), len(rows))
            return law(stacked).reshape(len(rows), arms, -1)

        centre: np.ndarray | float = 0.0
        if knobs.heterogeneity != 1:
            sizes = [len(self.scenario[parent].levels) for parent in outcome.parents]
            values = by_arm(reference_rows(outcome.name, sizes))
            centre = (values - values.mean(axis=1, keepdims=True)).mean(axis=0)
        return turned_effect(by_arm(parents), parents[:, place], centre, knobs.effect, knobs.heterogeneity)

    def _spoken(self, variable: Variable) -> list[Variable]:
        return [self.scenario[parent] for parent in variable.parents if not self.scenario[parent].silent]

    def _contexts(self, variable: Variable, parents: np.ndarray) -> list[str]:
        levels = [self.scenario[parent].levels for parent in variable.parents]
        return [
            self.scenario.context(
                variable.name,
                {parent: texts[code] for parent, texts, code in zip(variable.parents, levels, row, strict=True)},
            )
            for row in parents.tolist()
        ]

    def _strides_of(self, variable: Variable) -> list[int]:
        sizes = [len(self.scenario[parent].levels) for parent in variable.parents]
        strides = [1]
        for size in reversed(sizes):
            strides.append(strides[-1] * size)
        if strides[-1] > MOST_COMBINATIONS:
            raise TooLarge(
                f"the parents of {variable.name!r} have {strides[-1]:.1e} combinations of levels; at most 2^62"
            )
        return strides[-2::-1]

    def _codes(self, name: str, keys: np.ndarray) -> np.ndarray:
        """(rows, parents) level indices that the keys stand for."""
        codes = np.empty((len(keys), len(self._strides[name])), dtype=np.int64)
        rest = keys
        for place, stride in enumerate(self._strides[name]):
            codes[:, place], rest = np.divmod(rest, stride)
        return codes


class _Table:
    """Laws of one variable by key, found by hashing."""

    def __init__(self, levels: int) -> None:
        self.order = np.empty(0, dtype=np.int64)
        self.laws = np.empty((0, levels))
        self._index = pd.Index(self.order)

    def find(self, keys: np.ndarray) -> np.ndarray:
        return self._index.get_indexer(pd.Index(keys))

    def add(self, keys: np.ndarray, laws: np.ndarray) -> None:
        self.order = np.concatenate([self.order, keys])
        self.laws = np.concatenate([self.laws, laws])
        self._index = pd.Index(self.order)


def _normalised(log_weights: np.ndarray) -> np.ndarray:
    return log_weights - np.logaddexp.reduce(log_weights, axis=-1, keepdims=True)
