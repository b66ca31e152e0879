"""How often an edge comes back when the rows are drawn anew, within a stated budget of computing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from causal_tools.graph_rows import NodeTable
from causal_tools.graph_search import Marks

RESAMPLES = 20
FEWEST_RESAMPLES = 10
MOST_NODES = 12
MOST_ROWS = 5_000
MOST_SECONDS = 3.0


@dataclass(frozen=True)
class Frequencies:
    """In what share of resamples an edge came back.

    Attributes:
        names: the nodes it is about.
        same: by (source, target, mark).
        adjacent: by pair, whatever the mark.
        resamples: how many counted; those in which a column was constant do not.
        rows: how many rows each drew.
    """

    names: list[str]
    same: dict[tuple[str, str, str], float]
    adjacent: dict[frozenset[str], float]
    resamples: int
    rows: int


def resampled(
    table: NodeTable, relearn: Callable[[NodeTable], Marks], seconds: float, seed: int
) -> tuple[Frequencies | None, str]:
    """Edge frequencies, or a sentence saying why there are none.

    Args:
        relearn: the same search on other rows of the same nodes.
        seconds: about how long one search takes, reckoned from rows and tests and not measured, so that the answer is the
            same on every machine.
    """
    rows, nodes = table.matrix.shape
    if nodes > MOST_NODES:
        return None, f"edges were not checked by resampling, which takes up to {MOST_NODES} nodes; here are {nodes}"
    number = int(min(RESAMPLES, MOST_SECONDS / max(seconds * min(1.0, MOST_ROWS / rows), 1e-9)))
    if number < FEWEST_RESAMPLES:
        return None, (
            f"edges were not checked by resampling: {FEWEST_RESAMPLES} searches of this kind on {min(rows, MOST_ROWS)} rows "
            "take too long"
        )
    found = _frequencies(table, relearn, number, seed)
    return (found, "") if found.resamples else (None, "edges were not checked by resampling: some column hardly varies")


def _frequencies(table: NodeTable, relearn: Callable[[NodeTable], Marks], number: int, seed: int) -> Frequencies:
    """Draw rows with replacement, search again, and count; at most 5,000 rows a draw.

    Source: Friedman, Goldszmidt & Wyner (1999).
    """
    rows = len(table.matrix)
    size = min(rows, MOST_ROWS)
    generator = np.random.default_rng(seed)
    same: Counter[tuple[str, str, str]] = Counter()
    adjacent: Counter[frozenset[str]] = Counter()
    counted = 0
    for _ in range(number):
        drawn = table.rows(generator.integers(0, rows, size))
        if np.any(np.ptp(drawn.matrix, axis=0) == 0):
            continue
        counted += 1
        marks = relearn(drawn)
        same.update((source, target, mark) for (source, target), mark in marks.items())
        adjacent.update(frozenset(pair) for pair in marks)
    return Frequencies(
        table.names,
        {edge: count / counted for edge, count in same.items()},
        {pair: count / counted for pair, count in adjacent.items()},
        counted,
        size,
    )
