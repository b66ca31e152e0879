"""Key-value states kept between calls: found to the token, dropped within the budget, and never changing a score."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lm import load_language_model
from lm.states import FreeSlots, StateTree

from .oracle import log_prob

TEXTS = st.lists(st.integers(0, 2), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def tiny():
    return load_language_model("tiny", device="cpu")


def _add(tree: StateTree, text: list[int]) -> None:
    place = tree.find(text, len(text))
    if rest := text[place.length :]:
        numbers = torch.tensor(rest, dtype=torch.float32)
        tree.add(place, rest, numbers[:, None].expand(2, 2, 2, len(rest), 16))  # a token's states are its number


@given(texts=st.lists(TEXTS, max_size=10), asked=TEXTS, most=st.integers(0, 9))
def test_what_is_found_is_the_longest_beginning_that_was_added(tiny, texts, asked, most):
    tree = StateTree(tiny.model)
    for text in texts:
        _add(tree, text)
    place = tree.find(asked, min(most, len(asked)))
    held = {tuple(text[:length]) for text in texts for length in range(len(text) + 1)} | {()}
    longest = max(length for length in range(min(most, len(asked)) + 1) if tuple(asked[:length]) in held)
    assert place.length == longest
    assert len(place.slots()) == longest
    if longest:
        assert tree.gather(np.array([place.slots()]))[1, 1, 1, 0, :, 7].tolist() == asked[:longest]
    assert tree.held == len(held) - 1  # every distinct beginning once


PER_TOKEN = 2 * 2 * 2 * 16 * 4  # bytes: layers, keys and values, heads, dimensions, float32


def test_the_least_recently_used_end_goes_first(tiny):
    tree = StateTree(tiny.model, budget=10 * PER_TOKEN)
    assert tree.capacity == 10
    for text in ([1, 1, 1], [1, 1, 2, 2, 2], [3, 3, 3]):
        _add(tree, text)
    assert tree.held == 9
    tree.find([1, 1, 1], 3)
    _add(tree, [4, 4])
    assert tree.held <= 10
    assert tree.find([1, 1, 1], 3).length == 3
    assert tree.find([1, 1, 2, 2, 2], 5).length == 2  # its end was the oldest
    assert tree.find([4, 4], 2).length == 2


@given(texts=st.lists(TEXTS, min_size=1, max_size=40))
def test_however_much_is_added_the_budget_is_kept_and_what_is_found_is_right(tiny, texts):
    tree = StateTree(tiny.model, budget=12 * PER_TOKEN)
    for text in texts:
        _add(tree, text)
        assert tree.held <= 12
        for other in texts:
            place = tree.find(other, len(other))
            slots = np.array([[0, *place.slots(), 0, 0]])
            assert tree.gather(slots)[0, 1, 0, 0, :, 3].tolist() == [0, *other[: place.length], 0, 0]
    assert tree.find(texts[-1], len(texts[-1])).length > 0


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6)), max_size=40))
def test_free_slots_are_given_out_once_and_side_by_side_where_they_can(steps):
    free, out = FreeSlots(1, 20), []
    for take, count in steps:
        held = sum(map(len, out))
        if take and held + count <= 20:
            out.append(free.take(count))
            assert len(out[-1]) == count
        elif out:
            free.give(out.pop(count % len(out)))
        taken = [slot for run in out for slot in run]
        assert len(set(taken)) == len(taken)
        assert all(1 <= slot <= 20 for slot in taken)
        assert sum(length for _, length in free._runs) == 20 - len(taken)
    for run in out:
        free.give(run)
    assert free.take(20) == list(range(1, 21))


def test_nothing_is_kept_beyond_a_budget_of_nothing(tiny):
    session = tiny.session(memory=0)
    for _ in range(2):
        (row,) = session.score(["The colour is"], [["red", "blue"]])
        assert session.tree.held == 0
    assert np.allclose(row, [log_prob(tiny, "The colour is", f" {level}") for level in ("red", "blue")], atol=1e-4)


WORDS = st.sampled_from(["a", "ab", "abc", "b. a", "b. ab", " c", "a. b. c"])


@settings(deadline=None, max_examples=30)
@given(
    calls=st.lists(
        st.lists(
            st.tuples(st.lists(WORDS, max_size=4).map(". ".join), st.lists(WORDS, min_size=1, max_size=3)),
            min_size=1,
            max_size=5,
        ),
        min_size=1,
        max_size=4,
    ),
    memory=st.sampled_from([0, 20_000, 10**9]),
)
def test_a_session_scores_like_whole_texts_whatever_came_before_and_however_little_it_holds(tiny, calls, memory):
    session = tiny.session(memory)
    for call in calls:
        contexts, levels = [c for c, _ in call], [[word.strip() for word in row] for _, row in call]
        rows = session.score(contexts, levels)
        for context, names, row in zip(contexts, levels, rows, strict=True):
            expected = [log_prob(tiny, context, f" {name}" if context else name) for name in names]
            assert np.allclose(row, expected, atol=1e-4)
        assert session.tree.held <= session.tree.capacity


def test_a_session_computes_what_is_new_alone():
    lm = load_language_model("tiny", device="cpu")
    session = lm.session()
    session.score(["x" * 100], [["ab", "ac"]])
    first = lm.meter.tokens
    assert first == 100 + 2  # ' ' and 'a'; the last byte of a level is asked for, not computed on
    session.score(["x" * 100 + " ab. y"], [["ab", "ac"]])
    assert lm.meter.tokens - first == len(" ab. y") + 2
    lm.score(["x" * 100], [["ab", "ac"]])  # no session: anew
    assert lm.meter.tokens - first == len(" ab. y") + 2 + 102


def test_many_contexts_after_kept_states_share_one_pass():
    lm = load_language_model("tiny", device="cpu")
    session = lm.session()
    starts = [f"{'x' * n}{letter}" for n in (30, 31, 35) for letter in "abc"]
    session.score(starts, [["q"]] * len(starts))
    before = lm.meter.forward_calls
    rows = session.score([f"{start} then" for start in starts], [["one", "two"]] * len(starts))
    assert lm.meter.forward_calls == before + 1
    for start, row in zip(starts, rows, strict=True):
        assert np.allclose(row, [log_prob(lm, f"{start} then", f" {w}") for w in ("one", "two")], atol=1e-4)


def test_level_tokens_are_those_of_the_level_within_the_text(tiny):
    whole = [tiny.tokenizer(text).input_ids for text in ("ab c", "ab de", "xyz")]
    assert tiny.level_tokens(["ab", ""], [["c", "de"], ["xyz"]]) == [[whole[0][2:], whole[1][2:]], [whole[2]]]
