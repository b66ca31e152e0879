"""Continuations from closed lists: exact where it counts, whatever was asked before, and little computed."""

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
ALL = 1e6  # a reach within which everything lies


def _scores(lm, contexts, candidates, offsets=None, reach=ALL, session=None):
    offsets = offsets or [[0.0] * len(row) for row in candidates]
    return (session or lm.session()).likely_continuations(contexts, candidates, offsets, reach)


@settings(deadline=None, max_examples=25)
@given(
    start=st.text('ab "é', max_size=8),
    steps=st.lists(st.tuples(PIECES, st.lists(PIECES, min_size=1, max_size=4, unique=True)), min_size=1, max_size=5),
)
def test_as_a_text_grows_scores_are_those_of_the_whole_text(tiny, start, steps):
    session = tiny.session()
    for piece, candidates in steps:
        start += piece
        expected = [log_prob(tiny, start, candidate) for candidate in candidates]
        assert np.allclose(_scores(tiny, [start], [candidates], session=session)[0], expected, atol=1e-4)


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
    for context, row, scores in zip(contexts, candidates, _scores(tiny, contexts, candidates), strict=True):
        assert np.allclose(scores, [log_prob(tiny, context, candidate) for candidate in row], atol=1e-4)


def test_the_real_model_scores_slot_after_slot_like_whole_texts(smollm):
    text, session = 'Read: {"task": "', smollm.session()
    for lead, candidates in [
        ("", ['effect",', 'graph",', 'none"}']),
        ('effect", "treatment": "', ['smoker",', 'smoker_age",', 'fev1",']),
        ('smoker", "response": "', ['fev1"}', 'age"}']),
    ]:
        text += lead
        expected = [log_prob(smollm, text, candidate) for candidate in candidates]
        assert np.allclose(_scores(smollm, [text], [candidates], session=session)[0], expected, atol=1e-3)


def test_text_that_rewrites_the_last_token_is_scored_anew(smollm):
    """'Her hus' + 'band' become one token, so the cache has to go back."""
    session = smollm.session()
    first = _scores(smollm, ["Her hus"], [[" is", "band"]], session=session)[0]
    then = _scores(smollm, ["Her husband"], [[" is", " was"]], session=session)[0]
    assert np.allclose(first, [log_prob(smollm, "Her hus", c) for c in (" is", "band")], atol=1e-3)
    assert np.allclose(then, [log_prob(smollm, "Her husband", c) for c in (" is", " was")], atol=1e-3)


def test_the_start_of_the_text_is_computed_once():
    lm = load_language_model("tiny", device="cpu")
    session = lm.session()
    _scores(lm, ["x" * 200], [["a", "b"]], session=session)
    after_one = lm.meter.tokens
    _scores(lm, ["x" * 200 + "a"], [["a", "b"]], session=session)
    assert after_one <= 203
    assert lm.meter.tokens - after_one <= 5  # the last token of the text, the appended one, and the candidates


def test_no_candidate_is_refused(tiny):
    with pytest.raises(ValueError, match="no candidate"):
        _scores(tiny, ["a"], [[]])


def test_a_candidate_that_adds_nothing_is_refused(tiny):
    with pytest.raises(ValueError, match="adds no token"):
        _scores(tiny, ["a"], [["b", ""]])


@settings(deadline=None, max_examples=60)
@given(
    asked=st.lists(
        st.tuples(
            st.text("ab c", max_size=6),
            st.lists(st.tuples(st.text("abc ,", min_size=1, max_size=7), st.floats(-20, 0)), min_size=1, max_size=6),
        ),
        min_size=1,
        max_size=3,
    ),
    reach=st.floats(0, 8),
)
def test_within_reach_scores_are_exact_and_the_best_is_among_them(tiny, asked, reach):
    contexts = [context for context, _ in asked]
    candidates = [[text for text, _ in row] for _, row in asked]
    offsets = [[offset for _, offset in row] for _, row in asked]
    found = np.concatenate(_scores(tiny, contexts, candidates, offsets, reach))
    expected = np.array(
        [log_prob(tiny, context, c) for context, row in zip(contexts, candidates, strict=True) for c in row]
    )
    exact = np.isfinite(found)
    assert np.allclose(found[exact], expected[exact], atol=1e-4)
    sums = expected + np.concatenate([np.array(row) for row in offsets])
    assert sums[exact].max() == pytest.approx(sums.max(), abs=1e-4)


def test_the_winner_is_found_beyond_the_first_tokens_reach(tiny):
    """The likeliest first byte may lead to the unlikeliest text; the others are then looked at after all."""
    text = "The"
    firsts = {c: log_prob(tiny, text, c) for c in map(chr, range(97, 123))}
    best, worst = max(firsts, key=firsts.get), min(firsts, key=firsts.get)
    assert firsts[best] - firsts[worst] > 5
    candidates = [best + "qzqzqzqzqzqzqzqz", worst]
    expected = [log_prob(tiny, text, candidate) for candidate in candidates]
    assert expected[1] > expected[0]
    assert _scores(tiny, [text], [candidates], reach=5.0)[0][1] == pytest.approx(expected[1], abs=1e-4)


def test_an_offset_may_rule_a_candidate_out_before_it_is_scored(smollm):
    before = smollm.meter.tokens
    scores = _scores(smollm, ["One, two,"], [[" three and four and five", " x"]], [[-1e6, 0.0]], reach=5.0)[0]
    assert scores[0] == -np.inf
    assert np.isfinite(scores[1])
    assert smollm.meter.tokens - before <= 6  # not the other candidate's later tokens


def test_contests_are_decided_apart_though_computed_together(tiny):
    """Each contest alone gives the same scores and leaves out the same candidates as all in one call."""
    contexts, row = ["a b", "b", 'é "', "a"], ["a b a", "b", ' "', "ab ab", "éé"]
    offsets = [[0.0, -3.0, 0.0, 1.0, 0.0], [50.0] * 5, [0.0] * 5, [-40.0] * 5]
    contests = [0, 1, 1, 2]
    together = tiny.session().likely_continuations(contexts, [row] * 4, offsets, 1.0, (), contests)
    for contest in range(3):
        members = [n for n in range(4) if contests[n] == contest]
        alone = tiny.session().likely_continuations(
            [contexts[n] for n in members], [row] * len(members), [offsets[n] for n in members], 1.0
        )
        for n, scores in zip(members, alone, strict=True):
            assert np.array_equal(np.isfinite(together[n]), np.isfinite(scores))
            assert np.allclose(together[n][np.isfinite(scores)], scores[np.isfinite(scores)], atol=1e-4)


def test_a_limit_follows_up_those_with_the_likeliest_first_tokens_alone(tiny):
    context, row = "a b", ["a b a", "bb ba", ' "a"', "ab ab", "éa é"]
    whole = _scores(tiny, [context], [row])[0]
    session = tiny.session()
    limited = session.likely_continuations([context], [row], [[0.0] * 5], ALL, (), (), 2)[0]
    followed = np.isfinite(limited)
    assert followed.sum() == 2
    assert np.allclose(limited[followed], whole[followed], atol=1e-4)
    none = session.likely_continuations([context], [row], [[0.0] * 5], ALL, (), (), 99)[0]
    assert np.allclose(none, whole, atol=1e-4)
