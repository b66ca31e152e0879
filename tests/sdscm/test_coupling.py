"""The joint law of two worlds on the same noise: by hand, by simulation, and by the properties that define it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad

from sdscm import ScenarioError
from sdscm.coupling import joint_law

COUPLINGS = ["gumbel", "inverse_cdf"]
BOTH = pytest.mark.parametrize("coupling", COUPLINGS)


def _normalised(weights: np.ndarray) -> np.ndarray:
    weights = np.where(weights < 0.05, 0.0, weights)  # impossible levels are common here
    weights[weights.sum(axis=-1) == 0] = 1.0
    return weights / weights.sum(axis=-1, keepdims=True)


@st.composite
def pairs(draw):
    levels = draw(st.integers(2, 6))
    return tuple(_normalised(draw(arrays(float, (3, levels), elements=st.floats(0, 1)))) for _ in range(2))


def test_gumbel_with_two_levels_by_hand():
    """P(0, 0) = 1 / (1 + max(1, .8/.2)) = .2, P(1, 1) = 1 / (1 + max(1, .2/.5)) = .5; the rest moves up."""
    law = joint_law(np.array([0.5, 0.5]), np.array([0.2, 0.8]))
    assert np.allclose(law, [[0.2, 0.3], [0.0, 0.5]], atol=1e-15)


def test_gumbel_with_three_levels_by_hand():
    """From thirds to (1/2, 1/4, 1/4): all who leave a level leave for the first, whose odds alone rose."""
    law = joint_law(np.full(3, 1 / 3), np.array([0.5, 0.25, 0.25]))
    assert np.allclose(law, [[1 / 3, 0, 0], [1 / 12, 1 / 4, 0], [1 / 12, 0, 1 / 4]], atol=1e-15)


def test_inverse_cdf_by_hand():
    """The intervals end at .5, .8, 1 and at .2, .5, 1."""
    law = joint_law(np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5]), "inverse_cdf")
    assert np.allclose(law, [[0.2, 0.3, 0.0], [0.0, 0.0, 0.3], [0.0, 0.0, 0.2]], atol=1e-15)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([0.5, 0.3, 0.2], [0.2, 0.3, 0.5]),
        ([0.1, 0.4, 0.2, 0.3], [0.3, 0.1, 0.2, 0.4]),
        ([0.5, 0.5, 0.0, 0.0], [0.0, 0.2, 0.8, 0.0]),
        ([0.01, 0.97, 0.01, 0.005, 0.005], [0.6, 0.1, 0.2, 0.05, 0.05]),
    ],
)
def test_gumbel_is_the_law_of_gumbel_max_draws(first, second):
    rows, rng = 400_000, np.random.default_rng(7)
    noise = rng.gumbel(size=(rows, len(first)))
    with np.errstate(divide="ignore"):
        drawn = [(np.log(law) + noise).argmax(axis=1) for law in (first, second)]
    shares = np.zeros((len(first), len(first)))
    np.add.at(shares, tuple(drawn), 1 / rows)
    law = joint_law(np.array(first), np.array(second))
    assert (np.abs(shares - law) <= 4 * np.sqrt(law * (1 - law) / rows) + 1e-12).all()


def test_gumbel_is_the_integral_over_the_winning_times():
    """The race's density integrated by numerical quadrature, over r = s/t between b_i/a_i and b_j/a_j."""
    a, b = np.array([0.05, 0.4, 0.25, 0.3]), np.array([0.45, 0.1, 0.25, 0.2])
    law = joint_law(a, b)
    for i in range(4):
        for j in set(range(4)) - {i}:
            low, high = b[i] / a[i], b[j] / a[j]
            area = quad(lambda r: 1 / np.maximum(a * r, b).sum() ** 2, low, high)[0] if low < high else 0.0
            assert law[i, j] == pytest.approx(a[i] * b[j] * area, abs=1e-9)


@BOTH
@settings(deadline=None)
@given(laws=pairs())
def test_the_margins_are_the_two_laws(coupling, laws):
    law = joint_law(*laws, coupling)
    assert (law >= 0).all()
    assert np.allclose(law.sum(axis=-1), laws[0], atol=1e-12)
    assert np.allclose(law.sum(axis=-2), laws[1], atol=1e-12)


@BOTH
@settings(deadline=None)
@given(laws=pairs())
def test_under_equal_laws_nobody_moves(coupling, laws):
    first, _ = laws
    expected = first[..., None] * np.eye(first.shape[-1])
    assert np.allclose(joint_law(first, first, coupling), expected, atol=1e-15)


@BOTH
@settings(deadline=None)
@given(laws=pairs())
def test_swapping_the_worlds_transposes_the_law(coupling, laws):
    first, second = laws
    assert np.allclose(joint_law(first, second, coupling), joint_law(second, first, coupling).swapaxes(-1, -2))


@settings(deadline=None)
@given(laws=pairs())
def test_gumbel_moves_nobody_from_a_level_whose_odds_rose(laws):
    """Counterfactual stability: i can change into j only where b_j / a_j > b_i / a_i."""
    a, b = laws
    law = joint_law(a, b)
    rose = b[..., :, None] * a[..., None, :] > b[..., None, :] * a[..., :, None] * (1 + 1e-12)
    assert (law[rose] <= 1e-15).all()


@settings(deadline=None)
@given(first=st.floats(0, 1), second=st.floats(0, 1))
def test_with_two_levels_the_couplings_agree(first, second):
    """A difference of two Gumbel terms is one logistic term, so that two levels leave no other choice."""
    a, b = np.array([1 - first, first]), np.array([1 - second, second])
    assert np.allclose(joint_law(a, b, "gumbel"), joint_law(a, b, "inverse_cdf"), atol=1e-12)


@BOTH
def test_leading_axes_broadcast(coupling):
    rng = np.random.default_rng(1)
    first, second = rng.dirichlet(np.ones(3), size=(4, 1)), rng.dirichlet(np.ones(3), size=(1, 5))
    law = joint_law(first, second, coupling)
    assert law.shape == (4, 5, 3, 3)
    assert np.allclose(law[2, 3], joint_law(first[2, 0], second[0, 3], coupling), atol=1e-15)


def test_laws_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="first has 2 levels but second 3"):
        joint_law(np.ones(2) / 2, np.ones(3) / 3)
    with pytest.raises(ScenarioError, match="no coupling 'antithetic'; there are: gumbel, inverse_cdf"):
        joint_law(np.ones(2) / 2, np.ones(2) / 2, "antithetic")
