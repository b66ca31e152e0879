"""The token trie: every sequence once, every shared prefix once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lm.trie import TokenTrie

SEQUENCES = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=7), max_size=12)


def _prefixes(sequences):
    return {tuple(sequence[:length]) for sequence in sequences for length in range(1, len(sequence) + 1)}


@given(SEQUENCES)
def test_a_trie_holds_each_distinct_prefix_once_and_every_path_spells_its_sequence(sequences):
    trie = TokenTrie()
    costs = []
    for number, sequence in enumerate(sequences):
        costs.append(trie.cost(sequence))
        path = trie.add(sequence)
        assert [trie.tokens[node] for node in path] == sequence
        assert [trie.parents[node] for node in path] == [-1, *path[:-1]]
        assert [trie.depths[node] for node in path] == list(range(len(path)))
        assert len(trie) == sum(costs) == len(_prefixes(sequences[: number + 1]))
        assert trie.cost(sequence) == 0
    assert all(parent < node for node, parent in enumerate(trie.parents))


def test_a_node_attends_to_itself_and_its_ancestors_alone():
    # 1 - 2 - 3
    #      \- 4
    # 5
    trie = TokenTrie()
    for sequence in ([1, 2, 3], [1, 2, 4], [5]):
        trie.add(sequence)
    expected = np.array(
        [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 0, 1, 0], [0, 0, 0, 0, 1]], dtype=bool
    )
    assert (trie.ancestors() == expected).all()
