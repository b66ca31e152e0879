"""Data files whose true answer is known, one for a question: its columns, their kinds and levels, and a causal law.

Truths come from the equations, by giving every treatment to the same units; no estimator is asked.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from causal_tools.contract import CausalQuery, CausalResult, EffectResult, GraphResult, MediationResult, PolicyResult
from training.queries import QueryItem
from training.simulation_columns import describe
from training.simulation_worlds import Drawn, World, make_world
from training.topic_library import load_topics

TRUTH_ROWS = 200_000
EDGE_WEIGHTS = (0.5, 1.0)
PARENT_SHARES = (0.3, 0.45, 0.25)  # of nodes with 0, 1 and 2 parents


@dataclass(frozen=True)
class SimulatedFile:
    """A data file, the query that is asked of it, and the true answer.

    ``truth`` holds, for ATE and HTE, ``contrasts``: the effect of each level against ``reference`` (of one unit more,
    under the key ``1``, for an amount); for MA the same with ``direct``, ``indirect`` and ``total``; for OPO the best
    ``action``, every action's mean ``values`` and the ``gap``; for CGL ``edges`` as (source, target, weight).
    ``response_sd`` is the scale to judge errors by.
    """

    frame: pd.DataFrame
    truth: dict[str, Any]
    query: CausalQuery


def simulate_file(item: QueryItem, rows: int, seed: int, *, gaussian: bool = False) -> SimulatedFile:
    """Simulate the file that an item's question is asked about.

    It has the item's columns that the topic knows; identifiers and columns of other topics have no law and are left out.

    Args:
        item: of a causal task.
        rows: of the file.
        seed: with the item's id, decides the law, the rows and the draws that the truth is computed from.
        gaussian: give the nodes of a graph Gaussian noise, so that data cannot settle every direction.

    Raises:
        ValueError: the item is of task NONE, or ``rows`` is not positive.
    """
    if item.query is None or rows < 1:
        raise ValueError(f"a file is simulated for a causal item and rows >= 1; given task {item.task} and rows {rows}")
    query = CausalQuery.model_validate(item.query)
    known = {topic.name: topic for topic in load_topics()}[item.topic].by_column
    item = item.model_copy(update={"columns": tuple(name for name in item.columns if name in known)})
    own = int.from_bytes(hashlib.sha256(item.id.encode()).digest()[:8], "big")
    law, data, large = (np.random.default_rng(child) for child in np.random.SeedSequence([seed, own]).spawn(3))
    if query.task == "CGL":
        return _graph_file(item, query, rows, (law, data), gaussian)
    world = make_world(item, query, law)
    drawn = world.before(rows, data)
    noise = world.noise(rows, data)
    treatment = world.treat(drawn, data)
    mediator = world.mediate(drawn, treatment, noise) if query.mediator else None
    latent = world.latent_response(drawn, treatment, mediator, noise)
    response = world.columns[str(query.response)].settle(latent, noise[3])
    drawn |= {str(query.treatment): treatment, str(query.response): response}
    drawn |= {query.mediator: mediator} if query.mediator and mediator is not None else {}
    frame = pd.DataFrame({name: world.columns[name].written(drawn[name]) for name in item.columns})
    spread = float(np.std(world.columns[str(query.response)].amount(response)))
    return SimulatedFile(frame, {**true_answer(world, large), "response_sd": spread}, query)


def true_answer(world: World, random: np.random.Generator) -> dict[str, Any]:
    """The true answer: each treatment given to the same many units, with the same noise."""
    query = world.query
    settled = _units_asked_about(world, random)
    rows = len(next(iter(settled.values())))
    noise = world.noise(rows, random)
    column, outcome = world.columns[str(query.treatment)], world.columns[str(query.response)]

    def mean_under(treatment: float, mediator_under: float | None = None) -> float:
        given = np.full(rows, treatment)
        under = given if mediator_under is None else np.full(rows, mediator_under)
        mediator = world.mediate(settled, under, noise) if query.mediator else None
        return outcome.mean(world.latent_response(settled, given, mediator, noise), noise[3])

    if query.task == "OPO":
        values = {str(level): mean_under(code) for code, level in enumerate(column.levels)}
        ranked = sorted(values.values(), reverse=True)
        best = max(range(len(column.levels)), key=lambda code: values[str(column.levels[code])])
        return {"action": column.levels[best], "values": values, "gap": ranked[0] - ranked[1]}

    def moved(low: float, high: float, units: float) -> Any:
        total = (mean_under(high) - mean_under(low)) / units
        if not query.mediator:
            return total
        direct = (mean_under(high, low) - mean_under(low)) / units
        return {"direct": direct, "indirect": total - direct, "total": total}

    if not column.is_amount:
        contrasts = {str(level): moved(0, code, 1) for code, level in enumerate(column.levels) if code}
        return {"reference": column.levels[0], "contrasts": contrasts}
    ends = (
        np.array([0.0, len(column.levels) - 1])
        if column.levels
        else np.round(column.low + np.array([0.25, 0.75]) * (column.high - column.low), column.decimals)
    )
    units = float(np.ptp(column.amount(ends)))
    return {"reference": 0, "contrasts": {"1": moved(float(ends[0]), float(ends[1]), units)}}


def _units_asked_about(world: World, random: np.random.Generator) -> Drawn:
    """Many units that meet the conditions; a number asked for exactly is set, as nothing else depends on it."""
    settled = world.before(TRUTH_ROWS, random, idle=False)
    met = np.ones(TRUTH_ROWS, dtype=bool)
    for name, condition in world.conditions.items():
        column = world.columns[name]
        if condition.operator == "=" and not column.levels:
            settled[name] = np.full(TRUTH_ROWS, float(condition.value))  # type: ignore[arg-type]
        else:
            met &= column.meets(settled[name], condition)
    return {name: values[met] for name, values in settled.items()}


def errors_of(result: CausalResult, truth: dict[str, Any]) -> dict[str, float]:
    """How far a result lies from the truth, by quantity, in the units of the result.

    OPO gives the loss in mean response of the action advised; CGL the largest wrong entry of the weights, where an edge
    that is missing, turned or without direction counts as a wrong entry.
    """
    if isinstance(result, PolicyResult):
        return {"regret": max(truth["values"].values()) - truth["values"][str(result.action)]}
    if isinstance(result, GraphResult):
        return {"weight": _weight_error(result, truth["edges"])}
    if isinstance(result, MediationResult):
        if str(result.contrast[0]) != str(truth["reference"]):  # of another beginning the parts are others
            return dict.fromkeys(("direct", "indirect", "total"), np.inf)
        true = truth["contrasts"][str(result.contrast[1])]
        return {name: abs(getattr(result, name) - true[name]) for name in ("direct", "indirect", "total")}
    if isinstance(result, EffectResult):
        heights = {str(truth["reference"]): 0.0, **truth["contrasts"]}
        before, after = (heights[str(level)] for level in result.contrast)
        return {"effect": abs(result.estimate - (after - before))}
    raise TypeError(f"no truth is kept for {type(result).__name__}")


def _weight_error(result: GraphResult, edges: list[tuple[str, str, float]]) -> float:
    true = {(source, target): weight for source, target, weight in edges}
    found = {(edge.source, edge.target): edge.weight for edge in result.edges if edge.mark == "-->"}
    wrong = [abs(weight - (found.get(pair) or 0.0)) for pair, weight in true.items()]
    surplus = {(edge.source, edge.target): abs(edge.weight or 1.0) for edge in result.edges}
    return max([*wrong, *(weight for pair, weight in surplus.items() if pair not in true)], default=0.0)


def _graph_file(
    item: QueryItem,
    query: CausalQuery,
    rows: int,
    streams: tuple[np.random.Generator, np.random.Generator],
    gaussian: bool,
) -> SimulatedFile:
    """A sparse linear graph whose noise is not Gaussian; nodes are scores of order one, whatever the library says."""
    law, data = streams
    nodes = list(query.nodes) if isinstance(query.nodes, tuple) else list(item.columns)
    order = law.permutation(nodes).tolist()
    edges: list[tuple[str, str, float]] = []
    for position, node in enumerate(order[1:], start=1):
        count = min(int(law.choice(len(PARENT_SHARES), p=PARENT_SHARES)), position)
        if position == len(order) - 1 and not edges:
            count = 1
        for parent in law.permutation(order[:position])[:count].tolist():
            edges.append((parent, node, round(float(law.uniform(*EDGE_WEIGHTS) * law.choice([-1, 1])), 3)))
    drawn: dict[str, np.ndarray] = {}
    for node in order:
        shape = int(law.integers(3))
        values = data.standard_normal(rows) if gaussian else _noise_of_a_node(rows, shape, data)
        drawn[node] = values + sum(weight * drawn[source] for source, target, weight in edges if target == node)
    topic = {topic.name: topic for topic in load_topics()}[item.topic]
    columns: dict[str, list[Any]] = {}
    for name in item.columns:
        if name in drawn:
            columns[name] = drawn[name].round(4).tolist()
        else:
            idle = describe(topic.by_column[name], law)
            columns[name] = idle.written(idle.settle(data.uniform(-1, 1, rows), data.random(rows)))
    return SimulatedFile(pd.DataFrame(columns), {"edges": edges}, query)


def _noise_of_a_node(rows: int, shape: int, random: np.random.Generator) -> np.ndarray:
    """(rows,) noise of mean 0 and variance 1: flat, peaked or lopsided."""
    if shape == 0:
        return random.uniform(-math.sqrt(3), math.sqrt(3), rows)
    return random.laplace(0, math.sqrt(0.5), rows) if shape == 1 else random.exponential(1, rows) - 1
