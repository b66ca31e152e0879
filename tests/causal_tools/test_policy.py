"""The recommended action and its value against the simulators' means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from causal_tools.errors import EstimationRefused
from causal_tools.plots import plot_result
from causal_tools.policy_values import LocalMeans

from .asking import ask, inside, where
from .simulators import logistic, three_actions


@pytest.mark.parametrize(("u", "best", "value"), [(2.0, "walk", 2.0), (-2.0, "run", 2.0), (0.0, "wait", 1.0)])
def test_the_best_action_at_a_point_is_found(u: float, best: str, value: float) -> None:
    result = ask(three_actions(2500, 1), "OPO", "act", "reward", conditions=where("u", u))
    assert result.action == best
    assert result.estimate == pytest.approx(value, abs=0.25)
    assert inside(value, result.interval)
    assert dict(result.values) == {
        "wait": pytest.approx(1, abs=0.3),
        "walk": pytest.approx(u, abs=0.3),
        "run": pytest.approx(-u, abs=0.3),
    }
    assert result.diagnostics["gain_over_behaviour"] > 0


def test_over_everyone_confounding_does_not_mislead() -> None:
    frame = three_actions(2500, 2)
    assert frame.groupby("act")["reward"].mean()["run"] > 0.2
    result = ask(frame, "OPO", "act", "reward")
    assert result.action == "wait"
    assert dict(result.values)["run"] == pytest.approx(0, abs=0.15)
    assert result.diagnostics["behaviour_value"] == pytest.approx(frame["reward"].mean())


def test_numeric_actions_keep_their_type_and_many_are_grouped() -> None:
    generator = np.random.default_rng(4)
    dose = generator.uniform(0, 10, size=2000)
    frame = pd.DataFrame({"dose": dose, "gain": 5 - np.abs(dose - 6) + generator.normal(size=2000)})
    few = ask(frame.assign(dose=np.floor(dose / 4).astype(int)), "OPO", "dose", "gain")
    assert few.action == 1 and isinstance(few.action, int)
    many = ask(frame, "OPO", "dose", "gain")
    assert str(many.action).startswith("3: ")
    assert any("quartiles" in line for line in many.warnings)


def test_actions_that_cannot_be_told_apart_are_said_to_be_so() -> None:
    generator = np.random.default_rng(5)
    frame = pd.DataFrame(
        {"t": generator.integers(0, 2, 400), "y": generator.normal(size=400), "x": generator.normal(size=400)}
    )
    result = ask(frame, "OPO")
    assert any("do not settle" in line for line in result.warnings)
    assert "not settled" in result.summary


def test_an_interval_of_the_best_of_several_says_that_it_was_chosen() -> None:
    generator = np.random.default_rng(8)
    frame = pd.DataFrame({"t": generator.choice(list("abcd"), 200), "y": generator.normal(size=200)})
    several = ask(frame, "OPO", covariates=())
    two = ask(frame.assign(t=np.where(frame["t"] < "c", "a", "c")), "OPO", covariates=())
    assert any("chosen as the best of 4" in line for line in several.assumptions)
    assert not any("chosen as the best" in line for line in two.assumptions)
    plain, wider = several.diagnostics["action_intervals"][several.action], several.interval
    assert wider[1] - wider[0] > plain[1] - plain[0]
    assert list(two.interval) == two.diagnostics["action_intervals"][two.action]


@pytest.mark.parametrize("actions", [2, 3, 8, 30])
@pytest.mark.parametrize("ahead", [0.0, 1.5, 6.0])
def test_the_interval_of_the_best_mean_covers_though_it_was_chosen(actions: int, ahead: float) -> None:
    """Means of known errors, all equal or one ahead; 4,000 samples: 1.4 points are four standard errors of the share."""
    truths = np.zeros(actions)
    truths[0] = ahead
    covered = 0
    for heights in truths + np.random.default_rng(actions).normal(size=(4000, actions)):
        best = int(np.argmax(heights))
        low, high = LocalMeans(heights, np.ones(actions), 0).interval_of_best(best)
        covered += low <= truths[best] <= high
    assert covered / 4000 > 0.936


def test_actions_that_a_rule_decided_are_refused() -> None:
    frame = three_actions(400, 9)
    with pytest.raises(EstimationRefused, match="no overlap"):
        ask(frame.assign(act=(frame["u"] > 0).astype(int)), "OPO", "act", "reward")


def test_a_group_without_rows_is_refused() -> None:
    with pytest.raises(EstimationRefused, match="u lies between"):
        ask(three_actions(300, 6), "OPO", "act", "reward", conditions=where("u", 50, ">"))


def test_where_less_is_better_the_action_of_lowest_mean_is_recommended() -> None:
    """Of a response turned upside down everything is as it was, with the signs of means turned round."""
    frame = three_actions(1500, 7)
    turned = frame.assign(reward=-frame["reward"])
    more = ask(frame, "OPO", "act", "reward", conditions=where("u", 2.0), checks=True)
    less = ask(turned, "OPO", "act", "reward", conditions=where("u", 2.0), checks=True, lower_is_better=True)
    assert less.action == more.action == "walk"
    assert less.estimate == pytest.approx(-more.estimate)
    ours, theirs = less.diagnostics, more.diagnostics
    assert ours["next_best"] == theirs["next_best"]
    for gain in ("gain_over_next_best", "gain_over_behaviour", "gain_over_next_best_interval"):
        assert ours[gain] == pytest.approx(theirs[gain])
    for policy, held in ours["policies"].items():
        assert (held["value"], held["gain"]) == pytest.approx(
            (-theirs["policies"][policy]["value"], theirs["policies"][policy]["gain"])
        )
    assert ours["tree_policy"]["rules"] == theirs["tree_policy"]["rules"]
    assert ours["tree_policy"]["value"] == pytest.approx(-theirs["tree_policy"]["value"])
    assert "causes the lowest mean reward" in less.summary and "a smaller reward is taken to be better" in less.summary
    assert "a smaller reward is better" in less.assumptions


def test_policies_are_compared_for_the_units_asked_about() -> None:
    """Where u = 2: wait 1, walk 2, run -2; walking is recommended, so the gains over them are 1, 0 and 4."""
    result = ask(three_actions(2500, 7), "OPO", "act", "reward", conditions=where("u", 2.0))
    policies = result.diagnostics["policies"]
    done = policies.pop("as done in the data")
    truths = {"treat none: act = run": -2, "treat all: act = wait": 1, "treat all: act = walk": 2}  # run sorts first
    assert set(policies) == set(truths)
    for name, policy in policies.items():
        truth = truths[name]
        assert inside(truth, policy["interval"]), name
        assert inside(2 - truth, policy["gain_interval"]) or policy["gain"] == 0, name
        assert policy["gain"] == pytest.approx(result.estimate - policy["value"])
    assert done["gain"] == pytest.approx(result.estimate - done["value"])
    everyone = result.diagnostics["policies_for_everyone"]
    for name, truth in zip(truths, (0, 1, 0), strict=True):
        assert inside(truth, everyone[name]["interval"]), name
    assert result.diagnostics["gain_over_behaviour_interval"] == pytest.approx(done["gain_interval"])


def test_the_plot_shows_what_was_done_too(tmp_path: Path) -> None:
    result = ask(three_actions(600, 8), "OPO", "act", "reward")
    assert plot_result(result, tmp_path / "actions.png").stat().st_size > 0


def test_an_action_that_nobody_took_among_the_units_asked_about_is_not_recommended() -> None:
    """The old are hardly ever treated, and treatment harms them: the data cannot say what it does there."""
    generator = np.random.default_rng(31)
    age = generator.uniform(40, 90, 2000)
    a = np.where(age > 80, 0, generator.integers(0, 2, 2000))
    frame = pd.DataFrame({"a": a, "age": age, "y": np.where(age > 80, -1.0, 1.0) * a + generator.normal(size=2000)})
    with pytest.raises(EstimationRefused, match=r"0 took a = .: what it does there cannot be told"):
        ask(frame, "OPO", "a", conditions=where("age", 85, ">"), covariates=[])
    assert ask(frame, "OPO", "a", conditions=where("age", 70, "<"), covariates=[]).action == 1


def test_rare_actions_near_a_point_are_told() -> None:
    generator = np.random.default_rng(32)
    x = generator.normal(size=800)
    a = (generator.random(800) < logistic(-1.5 * x)).astype(int)
    frame = pd.DataFrame({"a": a, "x": x, "y": a + x + generator.normal(size=800)})
    result = ask(frame, "OPO", "a", conditions=where("x", 2.0))
    assert any("row(s) took a = 1; its value there is read off a curve" in line for line in result.warnings)
