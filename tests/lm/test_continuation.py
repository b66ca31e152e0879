"""Continuations from closed lists: exact, and what they share computed once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lm import load_language_model

from .oracle import log_prob


@pytest.fixture(scope="module")
def tiny():
    return load_language_model("tiny", device="cpu")


@pytest.fixture(scope="module")
def smollm():
    return load_language_model("smollm2-135m", device="cpu")


PIECES = st.text('ab "é', min_size=1, max_size=6)


@settings(deadline=None, max_examples=25)
@given(
    asked=st.lists(
        st.tuples(st.text('ab "é', max_size=8), st.lists(PIECES, min_size=1, max_size=4, unique=True)),
        min_size=1,
        max_size=4,
    )
)
def test_several_contexts_are_scored_as_each_alone(tiny, asked):
    contexts, candidates = [context for context, _ in asked], [row for _, row in asked]
    for context, row, scores in zip(contexts, candidates, tiny.score_continuations(contexts, candidates), strict=True):
        assert np.allclose(scores, [log_prob(tiny, context, candidate) for candidate in row], atol=1e-4)


def test_the_real_model_scores_a_reading_in_parts_like_the_whole_text(smollm):
    start, parts = "Read: ", ["effect:", " smoker on", " lung function = fev1."]
    contexts = [start + "".join(parts[:number]) for number in range(len(parts))]
    scores = smollm.score_continuations(contexts, [[part] for part in parts])
    assert sum(own[0] for own in scores) == pytest.approx(log_prob(smollm, start, "".join(parts)), abs=1e-3)


def test_text_that_rewrites_the_last_token_is_scored_as_the_whole_text_has_it(smollm):
    """'Her hus' + 'band' become one token."""
    found = smollm.score_continuations(["Her hus", "Her husband"], [[" is", "band"], [" is", " was"]])
    expected = [
        [log_prob(smollm, "Her hus", c) for c in (" is", "band")],
        [log_prob(smollm, "Her husband", c) for c in (" is", " was")],
    ]
    assert np.allclose(found, expected, atol=1e-3)


def test_what_texts_share_is_computed_once():
    lm = load_language_model("tiny", device="cpu")
    lm.score_continuations(["x" * 200, "x" * 200 + "a"], [["a", "b"], ["c", "de"]])
    assert lm.meter.tokens <= 206


def test_a_candidate_that_adds_nothing_is_refused(tiny):
    with pytest.raises(ValueError, match="adds no token"):
        tiny.score_continuations(["a"], [["b", ""]])


def test_nothing_asked_is_nothing_scored(tiny):
    assert tiny.score_continuations([], []) == []
