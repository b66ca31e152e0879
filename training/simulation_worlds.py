"""The causal law of a simulated file: what settles the treatment, the mediator and the response.

All columns that are settled before the treatment are drawn independently. Some of them drive both treatment and
response; the others are idle. Every equation is bounded, so values stay within the ranges of the topic library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from causal_tools.contract import CausalQuery, Condition
from training.queries import QueryItem
from training.simulation_columns import Column, asked_score, describe, holds, region
from training.topic_library import load_topics

Drawn = dict[str, np.ndarray]
SHARE_MEETING = 0.6  # of rows under each condition, so that the units asked about can be found
NULL_SHARE = 0.15  # of files in which there is nothing to find for the units asked about
SELECTION = 1.25  # of log odds, at the ends of the confounding index


@dataclass(frozen=True)
class World:
    """The causal law of one file.

    Attributes:
        columns: every column of the file.
        conditions: the conditions asked about, by their column.
        chances: (levels,) shares of each discrete column settled before the treatment.
        selection: (levels,) how the confounding index favours each level of a discrete treatment.
        pull, push: weights of the confounders on the treatment, and on mediator and response; absolute values add to 1.
        arms: (levels or 1, 2) effect of each level on the response where the conditions hold, and its
            change elsewhere.
        mediator_arms: (levels or 1, 2) the same for the mediator.
        shares: of confounders, treatment, mediator and noise in the response's range.
    """

    query: CausalQuery
    columns: dict[str, Column]
    conditions: dict[str, Condition]
    chances: dict[str, np.ndarray]
    selection: np.ndarray
    pull: dict[str, float]
    push: dict[str, float]
    arms: np.ndarray
    mediator_arms: np.ndarray
    shares: tuple[float, float, float, float]

    def before(self, rows: int, random: np.random.Generator, *, idle: bool = True) -> Drawn:
        """Columns settled before the treatment; without ``idle`` ones, those that the law or the question needs."""
        roles = {self.query.treatment, self.query.response, self.query.mediator}
        needed = self.columns if idle else {**self.push, **self.conditions}
        return {name: self._settled(name, rows, random) for name in needed if name not in roles}

    def _settled(self, name: str, rows: int, random: np.random.Generator) -> np.ndarray:
        column, condition = self.columns[name], self.conditions.get(name)
        if column.levels:
            return random.choice(len(column.levels), rows, p=self.chances[name]).astype(float)
        values = random.uniform(column.low, column.high, rows)
        if condition is not None:
            low, high = region(column, condition)
            values = np.where(random.random(rows) < SHARE_MEETING, random.uniform(low, high, rows), values)
        return np.round(values, column.decimals)

    def treat(self, settled: Drawn, random: np.random.Generator) -> np.ndarray:
        """(rows,) the treatment, which the confounders decide in part."""
        column, index = self.columns[str(self.query.treatment)], self._index(self.pull, settled)
        if column.levels:
            odds = np.exp(np.outer(index, self.selection))
            cumulated = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
            return np.sum(random.random(len(index))[:, None] > cumulated[:, :-1], axis=1).astype(float)
        return column.settle(0.5 * index + 0.5 * random.uniform(-1, 1, len(index)), index)

    def noise(self, rows: int, random: np.random.Generator) -> np.ndarray:
        """(4, rows): bounded bell-shaped noise and a uniform draw, for the mediator and for the response."""
        bells = random.uniform(-1, 1, (2, 3, rows)).mean(axis=1)
        uniforms = random.random((2, rows))
        return np.stack([bells[0], uniforms[0], bells[1], uniforms[1]])

    def mediate(self, settled: Drawn, treatment: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """(rows,) the mediator under the treatment."""
        effect = self._effect(self.mediator_arms, settled, treatment)
        latent = 0.3 * self._index(self.push, settled) + 0.45 * effect + 0.25 * noise[0]
        return self.columns[str(self.query.mediator)].settle(latent, noise[1])

    def latent_response(
        self, settled: Drawn, treatment: np.ndarray, mediator: np.ndarray | None, noise: np.ndarray
    ) -> np.ndarray:
        """(rows,) where the response lies in its range, from -1 to 1."""
        confounders, treated, through, chance = self.shares
        effect = self._effect(self.arms, settled, treatment)
        latent = confounders * self._index(self.push, settled) + treated * effect + chance * noise[2]
        return latent if mediator is None else latent + through * self.columns[str(self.query.mediator)].score(mediator)

    def _index(self, weights: dict[str, float], settled: Drawn) -> np.ndarray:
        return np.asarray(sum(weight * self.columns[name].score(settled[name]) for name, weight in weights.items()))

    def _effect(self, arms: np.ndarray, settled: Drawn, treatment: np.ndarray) -> np.ndarray:
        beyond = np.zeros(len(treatment))
        for name, condition in self.conditions.items():
            column = self.columns[name]
            beyond += (column.score(settled[name]) - asked_score(column, condition)) / len(self.conditions)
        if len(arms) == 1:
            return (arms[0, 0] + arms[0, 1] * beyond) * self.columns[str(self.query.treatment)].score(treatment)
        own = arms[treatment.astype(int)]
        return np.asarray(own[:, 0] + own[:, 1] * beyond)


def make_world(item: QueryItem, query: CausalQuery, random: np.random.Generator) -> World:
    """Draw the causal law of an item's file."""
    topic = {topic.name: topic for topic in load_topics()}[item.topic]
    columns = {name: describe(topic.by_column[name], random) for name in item.columns}
    conditions = {condition.column: condition for condition in query.conditions}
    taken = {query.treatment, query.response, query.mediator}
    adjustable = list(query.covariates or [name for name in item.columns if name not in taken | conditions.keys()])
    confounders = [*random.permutation(adjustable)[: random.integers(2, 5)].tolist(), *list(conditions)[:1]]
    treatment = columns[str(query.treatment)]
    amount = treatment.is_amount and not (treatment.levels and query.task == "OPO")
    arms = 1 if amount else len(treatment.levels)
    shares = {"MA": (0.25, 0.2, 0.3, 0.25), "OPO": (0.2, 0.6, 0.0, 0.2)}.get(query.task, (0.3, 0.4, 0.0, 0.3))
    return World(
        query=query,
        columns=columns,
        conditions=conditions,
        chances={
            name: _chances(column, conditions.get(name), random) for name, column in columns.items() if column.levels
        },
        selection=random.permutation(np.linspace(-SELECTION, SELECTION, max(len(treatment.levels), 1))),
        pull=_weights(confounders, random),
        push=_weights(confounders, random),
        arms=_arms(arms, query, random),
        mediator_arms=_spaced(arms, random)[:, None] * np.array([[1.0, 0.0]]),
        shares=shares,
    )


def _chances(column: Column, condition: Condition | None, random: np.random.Generator) -> np.ndarray:
    shares = random.uniform(0.6, 1.4, len(column.levels))
    shares /= shares.sum()
    met = np.array([condition is not None and holds(level, condition) for level in column.levels])
    if met.any() and not met.all():
        shares[met] *= SHARE_MEETING / shares[met].sum()
        shares[~met] *= (1 - SHARE_MEETING) / shares[~met].sum()
    return shares


def _weights(names: Sequence[str], random: np.random.Generator) -> dict[str, float]:
    weights = random.uniform(0.5, 1, len(names)) * random.choice([-1, 1], len(names))
    return {name: float(weight) for name, weight in zip(names, weights / np.abs(weights).sum(), strict=True)}


def _spaced(arms: int, random: np.random.Generator) -> np.ndarray:
    """(arms,) values in [-1, 1], well apart; one slope away from zero where there is one."""
    if arms > 1:
        return random.permutation(np.linspace(-1, 1, arms))
    return random.uniform(0.5, 1, 1) * random.choice([-1, 1], 1)


def _arms(arms: int, query: CausalQuery, random: np.random.Generator) -> np.ndarray:
    if query.task == "OPO":
        # one action is clearly best where the conditions hold; others may be elsewhere
        at = random.uniform(-1, 0.2, arms)
        at[random.integers(arms)] = 1.0
    else:
        at = _spaced(arms, random) * (0.0 if random.random() < NULL_SHARE else random.uniform(0.4, 1))
    change = np.zeros(arms) if query.task not in ("HTE", "OPO") else _spaced(arms, random) * random.uniform(0.5, 0.9)
    both = np.column_stack([at, change if query.conditions else np.zeros(arms)])
    return both / max(1.0, np.abs(both[:, 0]).max() + 2 * np.abs(both[:, 1]).max())
