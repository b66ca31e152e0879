"""Benchmarks whose outcome is a level, a log-probability or an expected score: their truths, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sdscm import ScenarioError, SequenceSCM
from sdscm.benchmark import make_benchmark

from .laws import CONFOUNDER, HashScorer, confounder, scenario, variable

P_Y = {("no", "no"): 0.1, ("no", "yes"): 0.3, ("yes", "no"): 0.4, ("yes", "yes"): 0.8}  # P(y = yes | z, t)
P_Z = {"no": 0.6, "yes": 0.4}


@pytest.fixture
def toy() -> SequenceSCM:
    return SequenceSCM(confounder(), CONFOUNDER)


@pytest.mark.parametrize(
    ("kind", "level", "of"),
    [
        ("log_prob", None, np.log),
        ("log_prob", "no", lambda p: np.log(1 - p)),
        ("expected_score", None, lambda p: p),
    ],
)
def test_a_continuous_outcome_is_a_function_of_the_parents(toy, kind, level, of):
    made = make_benchmark(toy, 500, 1, kind=kind, level=level)
    for z, t, y in zip(made.frame["z"], made.frame["t"], made.frame["y"], strict=True):
        assert y == pytest.approx(of(P_Y[z, t]))
    for arm in ("no", "yes"):
        assert np.allclose(made.frame[f"y__do_{arm}"], [of(P_Y[z, arm]) for z in made.frame["z"]])
    own = np.where(made.frame["t"] == "yes", made.frame["y__do_yes"], made.frame["y__do_no"])
    assert (own == made.frame["y"]).all()
    assert made.exact_ate == pytest.approx(sum(p * (of(P_Y[z, "yes"]) - of(P_Y[z, "no"])) for z, p in P_Z.items()))
    assert made.sample_ate == pytest.approx((made.frame["y__do_yes"] - made.frame["y__do_no"]).mean())
    assert made.manifest["outcome"] == kind


def test_an_expected_score_has_the_effect_that_the_levels_have(toy):
    assert make_benchmark(toy, 10, 1, kind="expected_score").exact_ate == pytest.approx(toy.exact().ate("t", "y"))


def test_noise_on_the_outcome_is_the_same_in_every_arm_and_as_wide_as_stated(toy):
    plain = make_benchmark(toy, 20_000, 1, kind="log_prob")
    noisy = make_benchmark(toy, 20_000, 1, kind="log_prob", noise_sd=0.5)
    added = noisy.frame["y"] - plain.frame["y"]
    assert np.allclose(noisy.frame["y__do_yes"] - plain.frame["y__do_yes"], added)
    assert abs(added.std() - 0.5) < 4 * 0.5 / np.sqrt(2 * 20_000)
    assert abs(added.mean()) < 4 * 0.5 / np.sqrt(20_000)
    assert noisy.unit_effect_sd == pytest.approx(plain.unit_effect_sd)


@pytest.mark.parametrize("heterogeneity", [0.0, 1.0, 2.5])
def test_heterogeneity_scales_the_spread_of_a_continuous_effect(heterogeneity):
    one = confounder().turned(heterogeneity=heterogeneity)
    made = make_benchmark(SequenceSCM(one, CONFOUNDER), 400, 2, kind="log_prob")
    by_z = (made.frame["y__do_yes"] - made.frame["y__do_no"]).groupby(made.frame["z"].astype(str)).agg(["mean", "std"])
    plain = {z: np.log(P_Y[z, "yes"]) - np.log(P_Y[z, "no"]) for z in P_Z}
    assert np.allclose(by_z["std"], 0)
    assert by_z.loc["no", "mean"] - by_z.loc["yes", "mean"] == pytest.approx(
        heterogeneity * (plain["no"] - plain["yes"])
    )
    assert by_z["mean"].mean() == pytest.approx(np.mean(list(plain.values())))  # the centre weighs contexts alike


def test_effect_scales_a_continuous_effect():
    made = make_benchmark(SequenceSCM(confounder().turned(effect=3), CONFOUNDER), 50, 2, kind="expected_score")
    assert made.exact_ate == pytest.approx(3 * 0.28)


def test_hidden_columns_are_named(toy):
    assert make_benchmark(toy, 10, 1).hidden == ()
    turned = SequenceSCM(confounder().turned(hidden_confounding=1), HashScorer())
    assert make_benchmark(turned, 10, 1).hidden == ("hidden_cause",)


def test_units_are_the_same_whatever_the_outcome(toy):
    first, second = make_benchmark(toy, 100, 5), make_benchmark(toy, 100, 5, kind="log_prob")
    assert first.frame[["z", "t"]].equals(second.frame[["z", "t"]])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "rank"}, "none of level, log_prob, expected_score"),
        ({"kind": "log_prob", "level": "maybe"}, "one of no, yes"),
        ({"level": "yes"}, "outcome kind 'log_prob'"),
        ({"noise_sd": 1.0}, "continuous outcome"),
        ({"kind": "log_prob", "noise_sd": -1.0}, "not negative"),
        ({"kind": "log_prob", "noise_sd": float("nan")}, "not negative"),
    ],
)
def test_an_outcome_that_does_not_fit_is_refused(toy, options, said):
    with pytest.raises(ScenarioError, match=said):
        make_benchmark(toy, 10, 1, **options)


def test_an_effect_through_a_mediator_has_its_continuous_truth_too():
    one = scenario(
        variable("t", role="treatment"), variable("m", ("t",), role="mediator"), variable("y", ("m",), role="outcome")
    )
    model = SequenceSCM(one, HashScorer())
    made = make_benchmark(model, 20_000, 3, kind="log_prob")
    m = np.exp(model.tables.rows("m", np.array([[0], [1]])))
    y = model.tables.rows("y", np.array([[0], [1]]))[:, 1]
    assert made.exact_ate == pytest.approx((m[1] - m[0]) @ y)
    assert abs(made.sample_ate - made.exact_ate) < 4 * made.unit_effect_sd / np.sqrt(20_000)


def test_a_variable_called_like_a_potential_outcome_is_not_written_over():
    one = scenario(variable("t", role="treatment"), variable("y__do_yes"), variable("y", ("t",), role="outcome"))
    with pytest.raises(ScenarioError, match="'y__do_yes' is to hold a potential outcome"):
        make_benchmark(SequenceSCM(one, HashScorer()), 20, seed=1)
