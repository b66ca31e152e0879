"""Knobs: what they do to laws and to continuous outcomes, against the formulas worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sdscm import SequenceSCM
from sdscm.turning import reference_rows, turned_effect

from .laws import CONFOUNDER, HashScorer, confounder

VALUES = arrays(float, (4, 3, 2), elements=st.floats(-5, 5))


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def test_overlap_mixes_the_uniform_law_into_the_treatments_alone():
    turned = SequenceSCM(confounder().turned(overlap=0.4), CONFOUNDER)
    assert np.allclose(np.exp(turned.tables.rows("t", np.array([[0], [1]]))), [[0.68, 0.32], [0.38, 0.62]])
    assert np.allclose(np.exp(turned.tables.rows("z", np.zeros((1, 0), int))), [[0.6, 0.4]])
    assert turned.exact().ate("t", "y") == pytest.approx(0.28)  # an effect does not hang on who is treated
    randomised = SequenceSCM(confounder().turned(overlap=1), CONFOUNDER)
    assert np.allclose(np.exp(randomised.tables.rows("t", np.array([[0], [1]]))), 0.5)


def test_effect_scales_the_difference_of_log_odds_about_their_mean():
    turned = SequenceSCM(confounder().turned(effect=0.5), CONFOUNDER)
    law = np.exp(turned.tables.rows("y", np.array([[1, 0], [1, 1]])))[:, 1]
    middle = (_logit(0.4) + _logit(0.8)) / 2
    expected = [middle + 0.5 * (_logit(p) - middle) for p in (0.4, 0.8)]
    assert [_logit(p) for p in law] == pytest.approx(expected)


def test_no_effect_is_none():
    exact = SequenceSCM(confounder().turned(effect=0), CONFOUNDER).exact()
    assert exact.ate("t", "y") == pytest.approx(0, abs=1e-12)


def test_without_heterogeneity_the_log_odds_move_alike_everywhere():
    turned = SequenceSCM(confounder().turned(heterogeneity=0), CONFOUNDER)
    law = np.exp(turned.tables.rows("y", np.array([[0, 0], [0, 1], [1, 0], [1, 1]])))[:, 1]
    moves = [_logit(law[1]) - _logit(law[0]), _logit(law[3]) - _logit(law[2])]
    mean = np.mean([_logit(0.3) - _logit(0.1), _logit(0.8) - _logit(0.4)])
    assert moves == pytest.approx([mean, mean])


def test_hidden_confounding_tilts_both_and_is_in_no_text():
    scorer = HashScorer()
    model = SequenceSCM(confounder().turned(hidden_confounding=1.5), scorer)
    frame = model.sample(200, 1).frame
    assert set(frame["hidden_cause"]) == {"absent", "present"}
    assert not any("absent" in text or "present" in text for text in scorer.asked)
    assert len(scorer.asked) == len(set(scorer.asked)) == 1 + 2 + 4  # the hidden cause adds no context
    plain = SequenceSCM(confounder(), HashScorer())
    for codes in ([0, 0], [1, 0], [0, 1], [1, 1]):  # (hidden, z); c(absent) = c(no) = -1, c(present) = c(yes) = 1
        law = np.exp(model.tables.rows("t", np.array([codes])))[0, 1]
        before = np.exp(plain.tables.rows("t", np.array([codes[1:]])))[0, 1]
        assert _logit(law) == pytest.approx(_logit(before) + 2 * 1.5 * (1 if codes[0] else -1))


def test_hidden_confounding_biases_what_is_seen_and_not_the_truth():
    exact = SequenceSCM(confounder().turned(hidden_confounding=1.0), CONFOUNDER).exact()
    z = exact.marginal("z")
    adjusted = sum(
        z[i]
        * (exact.law(["y"], given={"t": "yes", "z": level})[1] - exact.law(["y"], given={"t": "no", "z": level})[1])
        for i, level in enumerate(("no", "yes"))
    )
    assert adjusted > exact.ate("t", "y") + 0.1


@given(arms=VALUES, treated=arrays(int, 4, elements=st.integers(0, 2)))
def test_knobs_at_one_change_nothing_and_at_zero_leave_the_mean(arms, treated):
    own = arms[np.arange(4), treated]
    centre = (arms - arms.mean(axis=1, keepdims=True)).mean(axis=0)
    assert np.allclose(turned_effect(arms, treated, centre, 1, 1), own)
    assert np.allclose(turned_effect(arms, treated, centre, 0, 3), arms.mean(axis=1))


@given(arms=VALUES, effect=st.floats(-3, 3), heterogeneity=st.floats(0, 3))
def test_effects_scale_and_their_spread_scales_about_its_centre(arms, effect, heterogeneity):
    centre = (arms - arms.mean(axis=1, keepdims=True)).mean(axis=0)
    low, high = (turned_effect(arms, np.full(4, arm), centre, effect, heterogeneity) for arm in (0, 2))
    before = arms[:, 2] - arms[:, 0]
    middle = before.mean(axis=0)
    assert np.allclose(high - low, effect * (middle + heterogeneity * (before - middle)))


def test_reference_rows_are_all_where_they_are_few_and_the_same_draw_where_they_are_many():
    few = reference_rows("y", [2, 3])
    assert sorted(map(tuple, few.tolist())) == [(a, b) for a in range(2) for b in range(3)]
    many = reference_rows("y", [7] * 6)
    assert many.shape == (100, 6)
    assert (many == reference_rows("y", [7] * 6)).all()
    assert many.max() == 6
