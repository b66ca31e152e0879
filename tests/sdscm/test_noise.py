"""Stored noise: the draw follows the law, the same noise stays the same unit, and any row can be had alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sdscm.errors import ScenarioError
from sdscm.noise import child_stream, choose, draw_noise, gumbel_max, inverse_cdf, posterior_noise, uniforms

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 5))
FINITE = st.floats(-30, 30)


def test_each_level_is_drawn_with_its_probability():
    law, rows = np.array([0.05, 0.2, 0.75]), 40_000
    drawn = gumbel_max(np.tile(np.log(law), (rows, 1)), draw_noise("gumbel", 1, "v", rows, 3))
    shares = np.bincount(drawn, minlength=3) / rows
    assert (np.abs(shares - law) < 4 * np.sqrt(law * (1 - law) / rows)).all()


@given(st.data(), SHAPES)
def test_the_draw_is_the_largest_sum_and_ignores_a_rows_constant(data, shape):
    law, noise = (data.draw(arrays(float, shape, elements=FINITE)) for _ in range(2))
    constant = data.draw(st.integers(-8, 8))
    drawn = gumbel_max(law, noise)
    for row, level in enumerate(drawn):
        sums = [a + b for a, b in zip(law[row], noise[row], strict=True)]
        assert sums[level] == max(sums)
    again = gumbel_max(law + constant, noise)
    for row in range(shape[0]):
        assert (law + noise)[row, again[row]] == pytest.approx((law + noise)[row].max(), abs=1e-9)


@given(st.data(), SHAPES)
def test_raising_the_probability_of_the_level_drawn_keeps_it(data, shape):
    """The stability of Gumbel-max (Oberst & Sontag, 2019): no counterfactual moves away from a level made likelier."""
    law, noise = (data.draw(arrays(float, shape, elements=FINITE)) for _ in range(2))
    drawn = gumbel_max(law, noise)
    raised = law.copy()
    raised[np.arange(shape[0]), drawn] += data.draw(st.floats(0.001, 5))
    assert (gumbel_max(raised, noise) == drawn).all()


@given(st.data(), SHAPES)
def test_a_level_of_probability_zero_is_never_drawn(data, shape):
    rows, levels = shape
    law = data.draw(arrays(float, (rows, levels + 1), elements=FINITE))
    noise = data.draw(arrays(float, (rows, levels + 1), elements=FINITE))
    out = data.draw(st.integers(0, levels))
    law[:, out] = -np.inf
    assert (gumbel_max(law, noise) != out).all()


def test_impossible_rows_and_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="no level of positive probability"):
        gumbel_max(np.array([[0.0, -1], [-np.inf, -np.inf]]), np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"\(1, 2\).*\(1, 3\)"):
        gumbel_max(np.zeros((1, 2)), np.zeros((1, 3)))


@pytest.mark.parametrize("coupling", ["gumbel", "inverse_cdf"])
@given(
    ids=st.lists(st.integers(0, 5000), min_size=1, max_size=30), levels=st.integers(1, 5), seed=st.integers(0, 2**40)
)
def test_any_subset_of_rows_has_the_noise_it_has_among_all(coupling, ids, levels, seed):
    whole = draw_noise(coupling, seed, "v", 5001, levels)
    assert (draw_noise(coupling, seed, "v", ids, levels) == whole[ids]).all()
    assert (draw_noise(coupling, seed, "v", ids[0] + 1, levels) == whole[: ids[0] + 1]).all()


def test_seeds_and_variables_have_streams_of_their_own():
    first = draw_noise("gumbel", 7, "v", 50, 3)
    assert not np.isclose(first, draw_noise("gumbel", 8, "v", 50, 3)).any()
    assert not np.isclose(first, draw_noise("gumbel", 7, "w", 50, 3)).any()
    assert child_stream(1, "a", "b").random() != child_stream(1, "b", "a").random()


def test_gumbel_noise_is_standard_gumbel():
    """P(G <= g) = exp(-exp(-g)), at 20,000 draws within four standard errors."""
    noise = draw_noise("gumbel", 3, "v", 20_000, 1)[:, 0]
    for g in (-1.0, 0.0, 1.5, 4.0):
        law = np.exp(-np.exp(-g))
        assert abs((noise <= g).mean() - law) < 4 * np.sqrt(law * (1 - law) / 20_000)


@pytest.mark.parametrize("rows", [0, -1, [], [-1, 2], [0.5], [[1]], [True]])
def test_rows_that_are_none_are_refused(rows):
    with pytest.raises(ValueError, match="rows must be"):
        uniforms(1, ["v"], rows, 2)


@given(st.data(), SHAPES)
def test_inverse_cdf_takes_the_first_level_whose_cumulative_law_passes(data, shape):
    law = data.draw(arrays(float, shape, elements=st.floats(0.01, 1)))
    law /= law.sum(axis=1, keepdims=True)
    number = data.draw(arrays(float, (shape[0], 1), elements=st.floats(1e-9, 1 - 1e-9)))
    for row, level in enumerate(inverse_cdf(np.log(law), number)):
        assert sum(law[row, :level]) <= number[row, 0] + 1e-12
        assert number[row, 0] < sum(law[row, : level + 1]) + 1e-12


def test_inverse_cdf_is_monotone_and_never_takes_an_impossible_level():
    with np.errstate(divide="ignore"):
        law = np.log([[0.0, 0.5, 0.0, 0.5, 0.0]])
    numbers = np.array([1e-300, 0.25, 0.5, 0.75, 1 - 1e-16])
    drawn = [int(inverse_cdf(law, np.array([[u]]))[0]) for u in numbers]
    assert drawn == [1, 1, 3, 3, 3]


def test_inverse_cdf_needs_one_number_a_row():
    with pytest.raises(ValueError, match=r"must be \(2, 1\)"):
        inverse_cdf(np.zeros((2, 3)), np.zeros((2, 3)))


@pytest.mark.parametrize("coupling", ["gumbel", "inverse_cdf"])
@given(data=st.data(), shape=SHAPES)
def test_noise_given_a_level_gives_the_level_back(coupling, data, shape):
    levels = shape[1]
    law = data.draw(arrays(float, shape, elements=FINITE))
    if levels > 1:
        law[:, data.draw(st.integers(0, levels - 1))] = -np.inf
    law -= np.logaddexp.reduce(law, axis=1, keepdims=True)
    least = 0 if coupling == "gumbel" else 1e-12  # an interval narrower than rounding is refused, below
    drawn = np.array([data.draw(st.sampled_from(np.flatnonzero(np.exp(row) > least).tolist())) for row in law])
    numbers = data.draw(arrays(float, shape, elements=st.floats(1e-12, 1 - 1e-12)))
    noise = posterior_noise(coupling, law, drawn, numbers)
    assert (choose(coupling, law, noise) == drawn).all()


@pytest.mark.parametrize(("law", "drawn"), [([1 - 1e-18, 1e-18], 1), ([0.5, 1e-18, 0.5], 1)])
def test_a_level_too_unlikely_for_an_interval_is_refused_and_not_mistaken(law, drawn):
    numbers = np.full((1, len(law)), 0.5)
    with pytest.raises(ValueError, match="so unlikely"):
        posterior_noise("inverse_cdf", np.log([law]), np.array([drawn]), numbers)
    noise = posterior_noise("gumbel", np.log([law]), np.array([drawn]), numbers)
    assert gumbel_max(np.log([law]), noise) == [drawn]


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True])
def test_a_seed_that_is_no_integer_is_refused(seed):
    with pytest.raises(ScenarioError, match="non-negative integer"):
        draw_noise("gumbel", seed, "v", 2, 2)


@pytest.mark.parametrize("coupling", ["gumbel", "inverse_cdf"])
def test_noise_drawn_given_levels_drawn_from_the_law_is_noise_again(coupling):
    """Averaged over the law of the level, the posterior is the prior: held by its distribution function at four points."""
    rows, law = 40_000, np.log(np.tile([0.2, 0.5, 0.3], (40_000, 1)))
    drawn = choose(coupling, law, draw_noise(coupling, 1, "v", rows, 3))
    noise = posterior_noise(coupling, law, drawn, uniforms(2, ["posterior"], rows, 3))
    for column in noise.T:
        for share in (0.1, 0.4, 0.7, 0.95):
            at = share if coupling == "inverse_cdf" else -np.log(-np.log(share))
            assert abs((column <= at).mean() - share) < 4 * np.sqrt(share * (1 - share) / rows)
