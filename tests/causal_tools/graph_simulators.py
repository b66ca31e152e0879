"""Files made by known graphs, thirty plain and thirty hard, and the score of a learned graph against the truth.

A file counts as right when the learned marks are those of the truth's equivalence class or, where the model tells every
direction (linear, with non-Gaussian noise or noise of equal variances), those of the graph itself with every entry of
the matrix of weights within 0.5 of the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import xlogy

from causal_tools.contract import CausalQuery, Edge, GraphResult

ROWS = 5000
TOLERANCE = 0.5
DISTRACTORS = 20
VISIBLE = 0.1
GRID = np.arange(-7.0, 7.1, 1.0)
NAMES = ("age", "bmi", "cost", "dose", "exercise", "fever", "glucose", "height")
Pair = tuple[str, str]


@dataclass(frozen=True)
class SimulatedFile:
    """A file, the question to ask of it, and the graph that made it.

    Attributes:
        edges: weight of each (cause, effect); 1 stands for an effect that has no weight.
        directions_told: whether data of this kind tell the direction of every edge, and its weight.
    """

    name: str
    frame: pd.DataFrame
    query: CausalQuery
    edges: dict[Pair, float] = field(repr=False)
    directions_told: bool


def score(result: GraphResult, truth: SimulatedFile) -> bool:
    """Whether the learned graph is right, in the sense of this module's first lines."""
    found = marks_of(result.edges)
    if not truth.directions_told:
        return found == equivalence_class(truth.edges)
    weights = {(edge.source, edge.target): edge.weight or 0.0 for edge in result.edges}
    errors = [abs(weights.get(pair, 0.0) - truth.edges.get(pair, 0.0)) for pair in {*weights, *truth.edges}]
    return found == {(*pair, "-->") for pair in truth.edges} and max(errors, default=0.0) < TOLERANCE


def marks_of(edges: Iterable[Edge]) -> set[tuple[str, str, str]]:
    """(source, target, mark) of each edge, the ends of a symmetric one in alphabetical order."""
    return {
        (
            *(sorted((edge.source, edge.target)) if edge.mark in ("---", "<->", "o-o") else (edge.source, edge.target)),
            edge.mark,
        )  # type: ignore[misc]
        for edge in edges
    }


def equivalence_class(edges: Iterable[Pair]) -> set[tuple[str, str, str]]:
    """Marks of the completed partially directed graph: the directions that all graphs of the class share.

    Every way to direct the skeleton is tried, so only small graphs will do; nothing is shared with the code under test.
    """
    arrows = set(edges)
    skeleton = sorted({tuple(sorted(pair)) for pair in arrows})
    colliders = unshielded_colliders(arrows)
    free = [pair for pair in skeleton if not any(set(pair) <= {x, y} or set(pair) <= {z, y} for x, y, z in colliders)]
    fixed = arrows - {pair for pair in arrows if tuple(sorted(pair)) in set(free)}
    members = [
        candidate
        for turned in range(2 ** len(free))
        if not cyclic(candidate := fixed | {pair[:: -1 if turned >> bit & 1 else 1] for bit, pair in enumerate(free)})
        and unshielded_colliders(candidate) == colliders
    ]
    shared = set.intersection(*members) if members else set()
    return {
        (a, b, "-->") if (a, b) in shared else (b, a, "-->") if (b, a) in shared else (a, b, "---") for a, b in skeleton
    }


def unshielded_colliders(arrows: set[Pair]) -> set[tuple[str, str, str]]:
    """x → y ← z with x and z apart, x before z."""
    causes: dict[str, list[str]] = {}
    for cause, effect in arrows:
        causes.setdefault(effect, []).append(cause)
    return {
        (x, effect, z)
        for effect, some in causes.items()
        for x, z in combinations(sorted(some), 2)
        if (x, z) not in arrows and (z, x) not in arrows
    }


def cyclic(arrows: set[Pair]) -> bool:
    """Whether some node cannot be laid aside by taking away nodes without causes."""
    left = set(arrows)
    while left:
        effects = {effect for _, effect in left}
        kept = {pair for pair in left if pair[0] in effects}
        if kept == left:
            return True
        left = kept
    return False


Noise = Literal["uniform", "exponential", "laplace", "student", "bimodal", "gamma", "normal"]


def noise(generator: np.random.Generator, kind: Noise, rows: int) -> np.ndarray:
    """(rows,) draws of mean 0 and variance 1."""
    if kind == "uniform":
        return generator.uniform(-(3**0.5), 3**0.5, rows)
    if kind == "exponential":
        return generator.exponential(size=rows) - 1
    if kind == "laplace":
        return generator.laplace(size=rows) / 2**0.5
    if kind == "student":
        return generator.standard_t(5, rows) * (3 / 5) ** 0.5
    if kind == "bimodal":
        return 0.9 * generator.choice([-1.0, 1.0], rows) + 0.19**0.5 * generator.normal(size=rows)
    if kind == "gamma":
        return (generator.gamma(3, size=rows) - 3) / 3**0.5
    return generator.normal(size=rows)


def random_arrows(generator: np.random.Generator, names: tuple[str, ...], density: float) -> list[Pair]:
    """A random graph's arrows, each from an earlier to a later node of a random order; at least one."""
    order = [names[position] for position in generator.permutation(len(names))]
    while True:
        arrows = [pair for pair in combinations(order, 2) if generator.random() < density]
        if arrows:
            return arrows


def causes_first(names: tuple[str, ...], arrows: Iterable[Pair]) -> list[str]:
    """The nodes, each after its causes."""
    left, pairs, placed = list(names), list(arrows), []
    while left:
        node = next(name for name in left if not any(effect == name and cause in left for cause, effect in pairs))
        left.remove(node)
        placed.append(node)
    return placed


def linear_frame(
    generator: np.random.Generator, names: tuple[str, ...], kind: Noise, spreads: dict[str, float], density: float
) -> tuple[pd.DataFrame, dict[Pair, float]]:
    """A linear model with weights of 0.5 to 2 in size."""
    weights = {
        pair: float(generator.uniform(0.5, 2) * generator.choice([-1, 1]))
        for pair in random_arrows(generator, names, density)
    }
    values: dict[str, np.ndarray] = {}
    for name in causes_first(names, weights):
        values[name] = spreads[name] * noise(generator, kind, ROWS)
        for (cause, effect), weight in weights.items():
            if effect == name:
                values[name] = values[name] + weight * values[cause]
    return pd.DataFrame({name: values[name] for name in names}), weights


def told_apart(names: tuple[str, ...], weights: dict[Pair, float], spreads: dict[str, float]) -> bool:
    """Whether every edge shows whatever else is known: no partial correlation of its ends below 0.1 in size.

    Exact, from the weights. Where effects nearly cancel, 5,000 rows cannot tell the class, and no method is asked to.
    """
    position = {name: place for place, name in enumerate(names)}
    matrix = np.eye(len(names))
    for (cause, effect), weight in weights.items():
        matrix[position[effect], position[cause]] = -weight
    inverse = np.linalg.inv(matrix)
    covariance = inverse @ np.diag([spreads[name] ** 2 for name in names]) @ inverse.T
    for cause, effect in weights:
        others = [place for name, place in position.items() if name not in (cause, effect)]
        for size in range(len(others) + 1):
            for given in combinations(others, size):
                chosen = [position[cause], position[effect], *given]
                precision = np.linalg.inv(covariance[np.ix_(chosen, chosen)])
                if abs(precision[0, 1]) / np.sqrt(precision[0, 0] * precision[1, 1]) < VISIBLE:
                    return False
    return True


def curved_frame(
    generator: np.random.Generator, names: tuple[str, ...], density: float
) -> tuple[pd.DataFrame, dict[Pair, float]]:
    """Effects in curves, and products of a node's first two causes; Gaussian noise of unlike spread."""
    curves: list[Callable[[np.ndarray], np.ndarray]] = [
        lambda x: 1.5 * np.tanh(1.5 * x),
        lambda x: 0.8 * (x**2 - 1),
        lambda x: 1.3 * np.sin(1.5 * x),
        lambda x: 1.5 * np.abs(x),
        lambda x: 0.5 * x + 0.5 * np.maximum(x, 0) ** 2,
    ]
    arrows = random_arrows(generator, names, density)
    values: dict[str, np.ndarray] = {}
    for name in causes_first(names, arrows):
        causes = [cause for cause, effect in arrows if effect == name]
        total = np.zeros(ROWS)
        for cause in causes:
            total = total + curves[generator.integers(len(curves))](values[cause])
        if len(causes) > 1:
            total = total + 0.8 * values[causes[0]] * values[causes[1]]
        total = total + generator.uniform(0.5, 0.9) * generator.normal(size=ROWS)
        values[name] = (total - total.mean()) / total.std()
    return pd.DataFrame({name: values[name] for name in names}), dict.fromkeys(arrows, 1.0)


def mixed_frame(
    generator: np.random.Generator, names: tuple[str, ...], density: float
) -> tuple[pd.DataFrame, dict[Pair, float]]:
    """Amounts and categories of two to four levels in turn; log odds of levels and means of amounts add up over causes.

    Drawn again until every edge shows whatever else is known: at least 0.005 nats of information.
    """
    return drawn_with_levels(generator, names, {name: int(generator.integers(2, 5)) for name in names[::2]}, density)


def categorical_frame(
    generator: np.random.Generator, names: tuple[str, ...], density: float
) -> tuple[pd.DataFrame, dict[Pair, float]]:
    """As ``mixed_frame``, all nodes categories, some written as words and some as numbers."""
    return drawn_with_levels(generator, names, {name: int(generator.integers(2, 5)) for name in names}, density)


def drawn_with_levels(
    generator: np.random.Generator, names: tuple[str, ...], levels: dict[str, int], density: float
) -> tuple[pd.DataFrame, dict[Pair, float]]:
    """Data of a graph over categories (``levels`` of each) and amounts, every edge visible."""
    while True:
        arrows = random_arrows(generator, names, density)
        effects = {pair: effect_of(generator, levels.get(pair[0]), levels.get(pair[1])) for pair in arrows}
        spreads = {name: float(generator.uniform(0.7, 1.5)) for name in names if name not in levels}
        if information(names, levels, spreads, effects) >= VISIBLE**2 / 2:
            break
    values: dict[str, np.ndarray] = {}
    for name in causes_first(names, arrows):
        pushed = np.zeros((ROWS, levels.get(name, 1)))
        for (cause, effect), shifts in effects.items():
            if effect == name:
                pushed = pushed + (shifts[values[cause]] if cause in levels else np.outer(values[cause], shifts))
        values[name] = (
            np.argmax(pushed + generator.gumbel(size=pushed.shape), axis=1)
            if name in levels
            else pushed[:, 0] + spreads[name] * generator.normal(size=ROWS)
        )
    words = np.array(["low", "mid", "high", "top"])
    written = {
        name: words[values[name]] if name in levels and place % 4 < 2 else values[name]
        for place, name in enumerate(names)
    }
    return pd.DataFrame(written), dict.fromkeys(arrows, 1.0)


def effect_of(generator: np.random.Generator, levels: int | None, onto: int | None) -> np.ndarray:
    """Shifts of log odds or of a mean: (levels, onto) of a category, (onto,) a unit of an amount; None is an amount."""
    if levels is None:
        return 0.8 * generator.choice([-1, 1]) * (np.ones(1) if onto is None else spread_out(generator, onto, 1)[:, 0])
    return spread_out(generator, levels, onto or 1)


def information(
    names: tuple[str, ...], levels: dict[str, int], spreads: dict[str, float], effects: dict[Pair, np.ndarray]
) -> float:
    """The least mutual information, in nats, of the ends of an edge given any other nodes, from the law itself.

    Exact for categories; amounts are held to a grid.
    """
    place = {name: axis for axis, name in enumerate(names)}
    support = {name: np.arange(levels[name]) if name in levels else GRID for name in names}

    def along(values: np.ndarray, *axes: str) -> np.ndarray:
        ordered = values if len(axes) == 1 or place[axes[0]] < place[axes[1]] else values.T
        return ordered.reshape([len(support[name]) if name in axes else 1 for name in names])

    law = np.ones([len(support[name]) for name in names])
    for name in names:
        pushed = np.zeros([len(support[other]) if other == name and name in levels else 1 for other in names])
        for (cause, effect), shifts in effects.items():
            if effect == name:
                table = shifts if cause in levels else np.outer(GRID, shifts)
                pushed = pushed + (along(table, cause, name) if name in levels else along(table[:, 0], cause))
        logs = pushed if name in levels else -(((along(GRID, name) - pushed) / spreads[name]) ** 2) / 2
        weights = np.exp(logs - logs.max(axis=place[name], keepdims=True))
        law = law * weights / weights.sum(axis=place[name], keepdims=True)

    known: dict[frozenset[str], float] = {}

    def entropy(kept: frozenset[str]) -> float:
        if kept not in known:
            marginal = law.sum(axis=tuple(place[name] for name in names if name not in kept))
            known[kept] = -float(np.sum(xlogy(marginal, marginal)))
        return known[kept]

    return min(
        entropy(some | {cause}) + entropy(some | {effect}) - entropy(some | {cause, effect}) - entropy(some)
        for cause, effect in effects
        for size in range(len(names) - 1)
        for some in map(frozenset, combinations([name for name in names if name not in (cause, effect)], size))
    )


def spread_out(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """(rows, columns) shifts of log odds: a wave that runs across the rows and starts elsewhere in each column."""
    angles = np.subtract.outer(np.arange(rows) / rows, np.arange(columns) / columns) * 2 * np.pi
    waves = 1.7 * np.cos(angles + generator.uniform(-0.5, 0.5))
    return waves[generator.permutation(rows)][:, generator.permutation(columns)]


def with_distractors(generator: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """Twenty columns that have nothing to do with anything, a third of them categories, and all columns shuffled."""
    kinds: tuple[Noise, ...] = ("normal", "uniform", "exponential", "laplace", "student")
    others = {
        f"extra_{place}": np.array(["red", "green", "blue"])[generator.integers(0, 3, ROWS)]
        if place % 3 == 0
        else 10 ** generator.uniform(-1, 2) * noise(generator, kinds[generator.integers(len(kinds))], ROWS)
        for place in range(DISTRACTORS)
    }
    wide = pd.concat([frame, pd.DataFrame(others)], axis=1)
    return wide[list(generator.permutation(wide.columns))]


NOT_GAUSSIAN: tuple[Noise, ...] = ("uniform", "exponential", "laplace", "student", "bimodal", "gamma")
Kind = Literal["not Gaussian", "equal variances", "Gaussian", "categories", "curves", "mixed"]


def simulated(kind: Kind, seed: int, *, hard: bool, everything: bool = True) -> SimulatedFile:
    """One file; hard ones have denser graphs (confounding among the nodes), distractors and shuffled columns.

    Args:
        everything: whether the question is about all columns or names the nodes.
    """
    generator = np.random.default_rng(seed)
    names = NAMES[: generator.integers(4, 7)]
    density = 0.5 if hard else 0.4
    while True:
        spreads = {name: float(generator.uniform(0.5, 1.5)) for name in names}
        if kind == "curves":
            frame, edges = curved_frame(generator, names, density)
        elif kind == "mixed":
            frame, edges = mixed_frame(generator, names, density)
        elif kind == "categories":
            frame, edges = categorical_frame(generator, names, density)
        else:
            law = NOT_GAUSSIAN[seed % len(NOT_GAUSSIAN)] if kind == "not Gaussian" else "normal"
            if kind == "equal variances":
                spreads = dict.fromkeys(names, spreads[names[0]])
            frame, edges = linear_frame(generator, names, law, spreads, density)
        if kind != "Gaussian" or told_apart(names, edges, spreads):
            break
    frame = with_distractors(generator, frame) if hard else frame[list(generator.permutation(frame.columns))]
    query = CausalQuery(task="CGL", nodes="all" if everything else tuple(generator.permutation(names)))
    told = kind in ("not Gaussian", "equal variances")
    return SimulatedFile(f"{kind}, seed {seed}", frame, query, edges, told)


PLAIN: tuple[Kind, ...] = (*["not Gaussian"] * 12, *["equal variances"] * 8, *["Gaussian"] * 6, *["categories"] * 4)  # type: ignore[assignment]
HARD: tuple[Kind, ...] = (
    *["not Gaussian"] * 7,
    *["equal variances"] * 6,
    *["Gaussian"] * 4,
    *["curves"] * 5,
    *["mixed"] * 5,
    *["categories"] * 3,
)  # type: ignore[assignment]


def plain_files(first_seed: int = 0) -> Iterable[SimulatedFile]:
    """Thirty files without difficulties."""
    return (simulated(kind, first_seed + place, hard=False) for place, kind in enumerate(PLAIN))


def hard_files(first_seed: int = 100) -> Iterable[SimulatedFile]:
    """Thirty files with confounding, curves and products, categories, twenty distractors and shuffled columns.

    Every second question is about all columns of the file.
    """
    return (
        simulated(kind, first_seed + place, hard=True, everything=place % 2 == 0) for place, kind in enumerate(HARD)
    )
