"""Variable elimination against the product of all factors, written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdscm import TooLarge
from sdscm.elimination import Factor, eliminate

SIZES = {"a": 2, "b": 3, "c": 2, "d": 4, "e": 2}


@st.composite
def queries(draw):
    scopes = draw(st.lists(st.lists(st.sampled_from(sorted(SIZES)), unique=True, max_size=3), min_size=1, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    factors = [Factor(tuple(scope), rng.random([SIZES[name] for name in scope])) for scope in scopes]
    names = sorted({name for scope in scopes for name in scope})
    return factors, draw(st.lists(st.sampled_from(names), unique=True) if names else st.just([]))


@settings(deadline=None)
@given(query=queries())
def test_it_is_the_sum_over_the_product_up_to_a_constant(query):
    factors, keep = query
    letters = ["".join(factor.names) for factor in factors]
    expected = np.einsum(f"{','.join(letters)}->{''.join(keep)}", *(factor.array for factor in factors))
    found = eliminate(factors, keep, 10_000)
    assert found.shape == expected.shape
    assert np.allclose(found / found.sum(), expected / expected.sum())


def test_an_array_beyond_the_limit_is_refused_before_it_is_made():
    """Summing out the hub of a star joins all its leaves: 2^20 cells with the hub's."""
    star = [Factor(("hub", f"leaf{i}"), np.ones((2, 2))) for i in range(19)]
    with pytest.raises(TooLarge, match=r"1,048,576 cells, more than the limit of 1,000,000; sample rows instead"):
        eliminate(star, [f"leaf{i}" for i in range(19)], 1_000_000)
    with pytest.raises(TooLarge, match=r"the law asked for has 16 cells, more than the limit of 15"):
        eliminate([Factor((i,), np.ones(2)) for i in range(4)], range(4), 15)


def test_the_order_keeps_a_long_chain_small():
    chain = [Factor((i, i + 1), np.array([[0.9, 0.1], [0.2, 0.8]])) for i in range(200)]
    law = eliminate([Factor((0,), np.array([1.0, 0.0])), *chain], [200], 8)
    assert np.allclose(law / law.sum(), [2 / 3, 1 / 3])  # its stationary law


def test_the_cheapest_variable_is_summed_out_first():
    """Leaf by leaf a star needs four cells at a time; hub first, 2^20."""
    star = [Factor(("hub", f"leaf{i}"), np.array([[0.9, 0.1], [0.2, 0.8]])) for i in range(19)]
    prior = Factor(("hub",), np.array([0.5, 0.5]))
    law = eliminate([prior, *star], ["leaf0"], 4)
    assert np.allclose(law / law.sum(), [0.55, 0.45])


def test_a_product_of_many_small_numbers_does_not_vanish():
    """Sixty reports, each 1e-10 likely under one cause and twice that under the other: odds of 2^60."""
    reports = [Factor(("cause",), np.array([1e-10, 2e-10])) for _ in range(60)]
    law = eliminate([Factor(("cause",), np.array([0.5, 0.5])), *reports], ["cause"], 10)
    assert law[0] / law[1] == pytest.approx(2.0**-60)


def test_an_impossible_product_is_all_zero():
    clash = [Factor(("a",), np.array([1.0, 0.0])), Factor(("a",), np.array([0.0, 1.0]))]
    assert eliminate(clash, [], 10) == 0
