"""A token trie laid flat, so that one forward pass scores many continuations and computes every shared prefix once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_Key = tuple[int, int]  # (parent node, token)


@dataclass(frozen=True)
class FlatTrie:
    """Token sequences that share prefixes, as one array of nodes; a parent always stands before its children.

    Attributes:
        tokens: (nodes,) token id of each node.
        parents: (nodes,) index of the parent, -1 for a node that continues the prefix before the trie.
        depths: (nodes,) 0 for the first token after that prefix.
        paths: for each sequence, the node of each of its tokens.
    """

    tokens: np.ndarray
    parents: np.ndarray
    depths: np.ndarray
    paths: list[list[int]]

    def ancestors(self) -> np.ndarray:
        """(nodes, nodes) True where a node may attend to another: itself and its ancestors."""
        nodes = len(self.tokens)
        mask = np.zeros((nodes, nodes), dtype=bool)
        for node in range(nodes):
            if self.parents[node] >= 0:
                mask[node] = mask[self.parents[node]]
            mask[node, node] = True
        return mask


def flatten(sequences: Sequence[Sequence[int]]) -> FlatTrie:
    """Lay sequences flat, each distinct prefix once."""
    index: dict[_Key, int] = {}
    tokens: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    paths: list[list[int]] = []
    for sequence in sequences:
        path: list[int] = []
        parent = -1
        for depth, token in enumerate(sequence):
            node = index.get((parent, token))
            if node is None:
                node = index[(parent, token)] = len(tokens)
                tokens.append(token)
                parents.append(parent)
                depths.append(depth)
            path.append(node)
            parent = node
        paths.append(path)
    return FlatTrie(
        np.array(tokens, dtype=np.int64), np.array(parents, dtype=np.int64), np.array(depths, dtype=np.int64), paths
    )


def chunks(sequences: Sequence[Sequence[int]], budget: int) -> list[list[int]]:
    """Group sequences, neighbours in lexicographic order together, into tries of at most ``budget`` nodes each.

    A sequence longer than the budget forms a group of its own.

    Returns:
        Lists of indices into ``sequences``; every index once.
    """
    order = sorted(range(len(sequences)), key=lambda i: tuple(sequences[i]))
    groups: list[list[int]] = []
    nodes = 0
    previous: Sequence[int] = ()
    for i in order:
        sequence = sequences[i]
        shared = 0
        if groups:
            limit = min(len(previous), len(sequence))
            while shared < limit and previous[shared] == sequence[shared]:
                shared += 1
        if groups and nodes + len(sequence) - shared <= budget:
            groups[-1].append(i)
            nodes += len(sequence) - shared
        else:
            groups.append([i])
            nodes = len(sequence)
        previous = sequence
    return groups
