"""Log-probabilities of continuations by the chain rule, with every shared prefix computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lm.errors import LanguageModelError
from lm.passes import Meter, Row, tree_pass
from lm.states import Place, StateTree

NODES_PER_PASS = 1024  # tokens in one forward pass, padding counted: more than saturates two cores
PASS_COST = 24  # tokens that take as long as a pass does whatever it computes, since it reads all weights
NODES_PER_TRIE = 512  # attention inside a trie is dense and costs nodes²; beyond this it outweighs the linear layers
SCORING_VERSION = 1  # raised when the same model would score the same text otherwise; scores on disk are filed by it


def score_sequences(
    model: Any,
    sequences: Sequence[Sequence[int]],
    starts: Sequence[int],
    meter: Meter,
    budget: int = NODES_PER_PASS,
    tree: StateTree | None = None,
) -> list[np.ndarray]:
    """Log-probability of each sequence's tokens from its start on.

    Sequences are taken in lexicographic order. Each continues the longest beginning whose states the tree holds; those that
    share tokens beyond it go into one trie, others side by side into the same pass; and every context's states are kept
    for the next pass. So a prefix that many contexts share, in this call or in earlier ones, is computed once.

    Args:
        model: a causal LM of transformers, all of whose layers attend to the whole text.
        sequences: token ids.
        starts: index of the first token to score, at least 1.
        meter: counts what was computed.
        budget: at most this many tokens in one pass, padding counted (a longer sequence goes alone).
        tree: states kept from earlier calls; by default a new one.

    Returns:
        One array a sequence: nats for each token from its start on.

    Raises:
        LanguageModelError: a text is longer than the model sees as a whole.
    """
    tree = tree or StateTree(model)
    if (longest := max(map(len, sequences), default=0)) > tree.longest:
        raise LanguageModelError(f"a text has {longest:,} tokens; this model sees {tree.longest:,} as a whole")
    scores: dict[int, np.ndarray] = {}
    waiting = sorted(range(len(sequences)), key=lambda i: tuple(sequences[i]), reverse=True)
    while waiting:
        later = _next_rows(sequences, starts, waiting, tree, budget)
        while later:
            rows, later = _of_one_width(later)
            dropped = tree.dropped
            scores |= tree_pass(model, rows, sequences, starts, meter, tree)
            if later and tree.dropped != dropped:  # what these continue may be gone: they are looked up anew
                again = (i for row in later for i in row.paths)
                waiting += sorted(again, key=lambda i: tuple(sequences[i]), reverse=True)
                later = []
    return [scores[i] for i in range(len(sequences))]


def _next_rows(
    sequences: Sequence[Sequence[int]], starts: Sequence[int], waiting: list[int], tree: StateTree, budget: int
) -> list[Row]:
    """Take sequences off the end of ``waiting`` until a pass is full."""
    rows: dict[tuple[int, int, int], Row] = {}
    width = before = 0
    known: Sequence[int] = ()  # the context last looked up, which most sequences share with the one before
    place = Place()
    while waiting:
        i = waiting[-1]
        if len(known) != starts[i] - 1 or sequences[i][: starts[i] - 1] != known:
            known = sequences[i][: starts[i] - 1]
            place = tree.find(sequences[i], starts[i] - 1)
        key = (id(place.segment), place.taken, sequences[i][place.length])
        row = rows.get(key) or Row(place)
        nodes = len(row.trie) + row.trie.cost(sequences[i][place.length : -1])
        wider, longer = max(width, nodes), max(before, place.length)
        count = len(rows) + (key not in rows)
        if rows and (
            wider * count > budget
            or (wider + longer) * count > max(tree.capacity, budget)  # states gathered for the pass
            or (len(row.trie) and nodes > NODES_PER_TRIE)
            or wider > 2 * len(next(iter(rows.values())).trie) > NODES_PER_TRIE  # much padding
        ):
            break
        rows[key], width, before = row, wider, longer
        row.add(i, sequences[i])
        waiting.pop()
    return list(rows.values())


def _of_one_width(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """The rows to compute now, and those for other passes: where widths differ much, padding costs more than a pass.

    Passes are cut out of the rows by width so that tokens computed, padding counted, and the fixed cost of passes are fewest
    together (dynamic programming). The widest come first.
    """
    order = sorted(rows, key=lambda row: -len(row.trie))
    costs, ends = [0.0] * (len(order) + 1), [0] * (len(order) + 1)
    for first in range(len(order) - 1, -1, -1):
        width = len(order[first].trie)
        choices = [PASS_COST + width * (last - first) + costs[last] for last in range(first + 1, len(order) + 1)]
        costs[first] = min(choices)
        ends[first] = first + 1 + choices.index(costs[first])
    return order[: ends[0]], order[ends[0] :]
