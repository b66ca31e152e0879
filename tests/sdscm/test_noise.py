"""Stored Gumbel noise: the draw follows the law, and the same noise stays the same unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sdscm.noise import child_stream, gumbel_max, gumbel_noise

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 5))
FINITE = st.floats(-30, 30)


def test_each_level_is_drawn_with_its_probability():
    law, rows = np.array([0.05, 0.2, 0.75]), 40_000
    drawn = gumbel_max(np.tile(np.log(law), (rows, 1)), gumbel_noise(1, "v", rows, 3))
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


def test_the_first_rows_do_not_depend_on_how_many_are_drawn():
    assert (gumbel_noise(7, "v", 1000, 3)[:10] == gumbel_noise(7, "v", 10, 3)).all()


def test_seeds_and_variables_have_streams_of_their_own():
    first = gumbel_noise(7, "v", 50, 3)
    assert not np.isclose(first, gumbel_noise(8, "v", 50, 3)).any()
    assert not np.isclose(first, gumbel_noise(7, "w", 50, 3)).any()
    assert child_stream(1, "a", "b").random() != child_stream(1, "b", "a").random()
