"""Where the nodes of a small graph stand, and how far its edges must bend to keep clear of them."""

from __future__ import annotations

from itertools import combinations, islice, permutations
from math import factorial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import networkx as nx

Places = dict[str, np.ndarray]  # node → (x, y) or (width, height), inches
_BENDS = (0.0, *(sign * size for size in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6) for sign in (1, -1)))
_SHIFTS = (0.0, 0.4, -0.4, 0.8, -0.8, 1.2, -1.2)  # inches
_ORDERS_TRIED = 24  # of one row; more are not worth the time
_SWEEPS = 3
_MOST_WORK = (
    2000  # edges × arrangements tried in one sweep; each takes about a third of a millisecond, and there are _SWEEPS
)
_DENSE = 0.75  # share of all pairs joined, above which rows would hide the edges behind each other
_ALONG = np.linspace(0, 1, 41)[:, None]  # where a curve is looked at
_WEIGHTS = ((1 - _ALONG) ** 2, 2 * _ALONG * (1 - _ALONG), _ALONG**2)  # of its start, control point and end


class _Row(NamedTuple):
    """Nodes of one depth, from left to right, and how far the row is moved to the right, in inches."""

    names: tuple[str, ...]
    shift: float = 0.0


def place_nodes(graph: nx.DiGraph, sizes: Places) -> Places:
    """Centres of the nodes in inches: causes above effects, or on a circle where nearly all pairs are joined.

    Args:
        graph: acyclic.
        sizes: (width, height) of each node.
    """
    return _on_a_circle(graph) if is_dense(graph) else _in_rows(graph, sizes)


def is_dense(graph: nx.DiGraph) -> bool:
    """Whether nearly all pairs of nodes are joined, and there are too many nodes to draw that in rows."""
    pairs = len(graph) * (len(graph) - 1) / 2
    return len(graph) > 6 and graph.number_of_edges() > _DENSE * pairs


def _on_a_circle(graph: nx.DiGraph) -> Places:
    """Clockwise from the top, in the graph's order."""
    radius = max(2.0, 0.19 * len(graph))
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(graph)) / len(graph)
    return {
        name: radius * np.array([1.25 * np.cos(angle), np.sin(angle)])
        for name, angle in zip(graph, angles, strict=True)
    }


def _in_rows(graph: nx.DiGraph, sizes: Places) -> Places:
    """Each node above its effects; rows are reordered and moved one at a time as long as that tidies the edges.

    Where there is too much to try, each node of a row stands by the mean place of its causes and effects instead.
    """
    import networkx as nx

    depth: dict[str, int] = {}
    for layer, names in enumerate(nx.topological_generations(graph)):
        depth |= dict.fromkeys(names, layer)
    for name in graph:
        if not graph.pred[name] and graph.succ[name]:
            depth[name] = min(depth[child] for child in graph.succ[name]) - 1
    rows = [_Row(tuple(name for name in graph if depth[name] == layer)) for layer in sorted(set(depth.values()))]
    tried_in_a_sweep = sum(min(_ORDERS_TRIED, factorial(len(row.names))) for row in rows) * len(_SHIFTS)
    if tried_in_a_sweep * graph.number_of_edges() > _MOST_WORK:
        return _placed(_by_neighbours(graph, rows, sizes), sizes)
    cost = _untidiness(graph, _placed(rows, sizes), sizes)
    for _ in range(_SWEEPS):
        before = cost
        for i, row in enumerate(rows):
            for order in islice(permutations(row.names), _ORDERS_TRIED):
                for shift in _SHIFTS:
                    tried = [*rows[:i], _Row(order, shift), *rows[i + 1 :]]
                    if (new := _untidiness(graph, _placed(tried, sizes), sizes)) < cost - 1e-9:
                        rows, cost = tried, new
        if cost == before:
            break
    return _placed(rows, sizes)


def _by_neighbours(graph: nx.DiGraph, rows: list[_Row], sizes: Places) -> list[_Row]:
    """The rows, each sorted by where its nodes' causes and effects stand on average, down the rows and up again.

    Source: Sugiyama, Tagawa & Toda (1981), the barycentre method.
    """
    for sweep in range(2 * _SWEEPS):
        for i in range(len(rows)) if sweep % 2 == 0 else reversed(range(len(rows))):
            places = _placed(rows, sizes)
            pull = {
                name: float(np.mean([places[other][0] for other in (*graph.pred[name], *graph.succ[name])]))
                if graph.degree(name)
                else places[name][0]
                for name in rows[i].names
            }
            rows = [*rows[:i], _Row(tuple(sorted(rows[i].names, key=pull.__getitem__))), *rows[i + 1 :]]
    return rows


def _placed(rows: list[_Row], sizes: Places) -> Places:
    places: Places = {}
    for depth, row in enumerate(rows):
        widths = [sizes[name][0] + 0.45 for name in row.names]
        left = np.cumsum([0.0, *widths[:-1]]) - sum(widths) / 2 + row.shift
        places |= {
            name: np.array([x + w / 2, -0.95 * depth]) for name, x, w in zip(row.names, left, widths, strict=True)
        }
    return places


def _untidiness(graph: nx.DiGraph, places: Places, sizes: Places) -> float:
    """Edges that touch a node weigh most, then crossings, then bends, then length."""
    bends = {edge: bend_of(*edge, places, sizes) for edge in graph.edges}
    touching = sum(_clearance(*edge, bend, places, sizes) < 1 for edge, bend in bends.items())
    crossings = sum(
        _cross(places[a], places[b], places[c], places[d])
        for (a, b), (c, d) in combinations(graph.edges, 2)
        if len({a, b, c, d}) == 4
    )
    length = sum(float(np.hypot(*(places[a] - places[b]))) for a, b in graph.edges)
    return 10 * touching + 2 * crossings + 3 * sum(abs(bend) for bend in bends.values()) + 0.1 * length


def _cross(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def bend_of(cause: str, effect: str, places: Places, sizes: Places) -> float:
    """The least curvature, as a share of its length, with which an edge keeps clear of every other node."""
    clear: dict[float, float] = {}
    for bend in _BENDS:
        clear[bend] = _clearance(cause, effect, bend, places, sizes)
        if clear[bend] >= 1:
            return bend
    return max(clear, key=clear.__getitem__)


def _clearance(cause: str, effect: str, bend: float, places: Places, sizes: Places) -> float:
    """Least distance of an edge from the other nodes, in units of their half axes and a margin; below 1 it touches one."""
    others = [name for name in places if name not in (cause, effect)]
    if not others:
        return np.inf
    start, end = places[cause], places[effect]
    control = (start + end) / 2 + bend * np.array([end[1] - start[1], start[0] - end[0]])
    curve = _WEIGHTS[0] * start + _WEIGHTS[1] * control + _WEIGHTS[2] * end
    reach = np.array([sizes[name] / 2 + 0.07 for name in others])
    offsets = (curve[:, None] - np.array([places[name] for name in others])) / reach
    return float(np.hypot(offsets[..., 0], offsets[..., 1]).min())
