"""The token trie: every sequence once, every shared prefix once, within the budget."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lm.trie import chunks, flatten

SEQUENCES = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=7), max_size=12)


def _prefixes(sequences):
    return {tuple(sequence[:length]) for sequence in sequences for length in range(1, len(sequence) + 1)}


@given(SEQUENCES, st.integers(1, 20))
def test_chunks_cover_every_sequence_once_and_keep_the_budget(sequences, budget):
    groups = chunks(sequences, budget)
    assert sorted(i for group in groups for i in group) == list(range(len(sequences)))
    for group in groups:
        nodes = len(_prefixes([sequences[i] for i in group]))
        assert nodes <= budget or len({tuple(sequences[i]) for i in group}) == 1


@given(SEQUENCES)
def test_a_trie_holds_each_distinct_prefix_once_and_every_path_spells_its_sequence(sequences):
    trie = flatten(sequences)
    assert len(trie.tokens) == len(_prefixes(sequences))
    for sequence, path in zip(sequences, trie.paths, strict=True):
        assert [int(trie.tokens[node]) for node in path] == sequence
        assert [int(trie.parents[node]) for node in path] == [-1, *path[:-1]]
        assert [int(trie.depths[node]) for node in path] == list(range(len(path)))
    assert all(parent < node for node, parent in enumerate(trie.parents))


def test_a_node_attends_to_itself_and_its_ancestors_alone():
    # 1 - 2 - 3
    #      \- 4
    # 5
    trie = flatten([[1, 2, 3], [1, 2, 4], [5]])
    expected = np.array(
        [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 0, 1, 0], [0, 0, 0, 0, 1]], dtype=bool
    )
    assert (trie.ancestors() == expected).all()


def test_neighbours_that_share_a_prefix_stand_in_one_chunk():
    sequences = [[1, 1, 1, 1], [2, 2, 2, 2], [1, 1, 1, 2], [2, 2, 2, 3]]
    assert sorted(sorted(group) for group in chunks(sequences, 5)) == [[0, 2], [1, 3]]
