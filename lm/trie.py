"""A token trie laid flat, so that one forward pass scores many continuations and computes every shared prefix once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class TokenTrie:
    """Token sequences that share prefixes, as a growing array of nodes; a parent always stands before its children.

    Attributes:
        tokens: token id of each node.
        parents: index of each node's parent, -1 for a node that continues the text before the trie.
        depths: 0 for the first token after that text.
    """

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.parents: list[int] = []
        self.depths: list[int] = []
        self._index: dict[tuple[int, int], int] = {}  # (parent, token) -> node

    def __len__(self) -> int:
        return len(self.tokens)

    def cost(self, sequence: Sequence[int]) -> int:
        """How many nodes adding the sequence would make."""
        parent = -1
        for held, token in enumerate(sequence):
            node = self._index.get((parent, token))
            if node is None:
                return len(sequence) - held
            parent = node
        return 0

    def add(self, sequence: Sequence[int]) -> list[int]:
        """Add a sequence; returns the node of each of its tokens."""
        path: list[int] = []
        parent = -1
        for depth, token in enumerate(sequence):
            node = self._index.get((parent, token))
            if node is None:
                node = self._index[(parent, token)] = len(self.tokens)
                self.tokens.append(token)
                self.parents.append(parent)
                self.depths.append(depth)
            path.append(node)
            parent = node
        return path

    def ancestors(self) -> np.ndarray:
        """(nodes, nodes) True where a node may attend to another: itself and its ancestors."""
        mask = np.eye(len(self.tokens), dtype=bool)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                mask[node] |= mask[parent]
        return mask
