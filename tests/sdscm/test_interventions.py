"""Interventions and evidence: what is read, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from sdscm import ScenarioError
from sdscm.interventions import is_pinned, read_do, read_given

from .laws import scenario, variable


@pytest.fixture
def one():
    return scenario(variable("a", levels=("low", "middle", "high")), variable("b", ("a",)))


def test_a_level_pins_and_a_mapping_states_a_law(one):
    laws = read_do(one, {"a": {"high": 0.25, "low": 0.75}, "b": "yes"})
    assert np.array_equal(laws["a"], [0.75, 0, 0.25])
    assert np.array_equal(laws["b"], [0, 1])
    assert is_pinned(laws["b"])
    assert not is_pinned(laws["a"])


def test_a_law_on_one_level_is_the_same_as_the_level(one):
    assert np.array_equal(read_do(one, {"b": {"yes": 1}})["b"], read_do(one, {"b": "yes"})["b"])


def test_a_law_is_normalised_to_rounding(one):
    law = read_do(one, {"a": {"low": 1 / 3, "middle": 1 / 3, "high": 1 / 3 + 5e-10}})["a"]
    assert law.sum() == pytest.approx(1, abs=1e-15)  # and not 1 + 5e-10


def test_nothing_done_and_nothing_seen(one):
    assert read_do(one, None) == read_do(one, {}) == read_given(one, None) == {}


def test_evidence_is_read_as_positions(one):
    assert read_given(one, {"a": "high", "b": "no"}) == {"a": 2, "b": 0}


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ({"x": "yes"}, "no variable 'x'"),
        ({"x": {"yes": 1.0}}, "no variable 'x'"),
        ({"b": "maybe"}, "has no level 'maybe'; it has: no, yes"),
        ({"b": {"maybe": 1.0}}, "has no level 'maybe'; it has: no, yes"),
        ({"b": 1}, "has no level 1; it has: no, yes"),
        ({"b": True}, "has no level True"),
        ({"b": None}, "has no level None"),
        ({"b": {"no": 0.5, "yes": 0.4}}, "sum to 0.9, not to 1"),
        ({"b": {"no": 0.5, "yes": 0.5 + 2e-9}}, "not to 1"),
        ({"b": {}}, "sum to 0, not to 1"),
        ({"b": {"no": -0.5, "yes": 1.5}}, "'no' of 'b' the probability -0.5; it must be a number from 0 to 1"),
        ({"b": {"no": float("nan")}}, "probability nan"),
        ({"b": {"no": float("inf")}}, "probability inf"),
        ({"b": {"no": "half", "yes": 0.5}}, "probability 'half'"),
        ({"b": {"yes": True}}, "probability True"),
        ("b", "do must be a mapping"),
        ([("b", "yes")], "do must be a mapping"),
    ],
)
def test_an_intervention_that_does_not_fit_is_refused(one, do, said):
    with pytest.raises(ScenarioError, match=said):
        read_do(one, do)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"x": "yes"}, "no variable 'x'"),
        ({"b": "maybe"}, "has no level 'maybe'; it has: no, yes"),
        ({"b": {"yes": 1.0}}, "has no level"),
        ("b", "given must be a mapping"),
    ],
)
def test_evidence_that_does_not_fit_is_refused(one, given, said):
    with pytest.raises(ScenarioError, match=said):
        read_given(one, given)
