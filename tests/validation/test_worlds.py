"""Consistency of the worlds, overlap of the arms, and what must not be shared between the sides of a split."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sdscm import SequenceSCM, load_scenario
from sdscm.benchmark import make_benchmark
from validation.leakage import check_split
from validation.worlds import check_consistency, check_positivity, check_worlds

from ..sdscm.laws import CONFOUNDER, HashScorer, confounder


@pytest.fixture
def made() -> pd.DataFrame:
    return make_benchmark(SequenceSCM(confounder(), CONFOUNDER), 200, seed=1).frame


def test_a_units_outcome_under_its_own_treatment_is_its_own(made):
    result = check_consistency(made, "t", "y")
    assert result.passed
    assert result.table["units"].sum() == 200


def test_one_inconsistent_unit_is_found(made):
    broken = made.astype(str)
    unit = broken.index[broken["t"] == "yes"][3]
    broken.loc[unit, "y__do_yes"] = "no" if broken.loc[unit, "y"] == "yes" else "yes"
    result = check_consistency(broken, "t", "y")
    assert not result.passed
    assert result.text.startswith("1 of 200")
    assert result.table.set_index("t")["inconsistent"].to_dict() == {"no": 0, "yes": 1}


def test_other_worlds_may_differ_from_the_factual_one(made):
    other = made.astype(str)
    other.loc[other["t"] == "no", "y__do_yes"] = "yes"
    assert check_consistency(other, "t", "y").passed


@pytest.fixture(params=[("log_prob", 0.0), ("log_prob", 0.3), ("expected_score", 0.0)], ids=str)
def continuous(request) -> pd.DataFrame:
    kind, noise_sd = request.param
    model = SequenceSCM(confounder(), CONFOUNDER)
    return make_benchmark(model, 200, seed=1, kind=kind, noise_sd=noise_sd).frame


def test_a_continuous_outcome_is_compared_as_a_number(continuous):
    assert check_consistency(continuous, "t", "y").passed
    unit = continuous.index[continuous["t"] == "no"][0]
    value = continuous.loc[unit, "y"]
    assert check_consistency(_with(continuous, unit, value + 1e-13), "t", "y").passed  # rounding
    result = check_consistency(_with(continuous, unit, value + 1e-9), "t", "y")
    assert not result.passed
    assert result.table.set_index("t")["inconsistent"].to_dict() == {"no": 1, "yes": 0}
    assert not check_consistency(_with(continuous, unit, np.nan), "t", "y").passed


def test_a_continuous_outcome_stored_as_text_is_compared_as_text(continuous):
    assert check_consistency(continuous.astype(str), "t", "y").passed


def test_an_impossible_outcomes_log_probability_equals_itself(continuous):
    endless = continuous.assign(**dict.fromkeys(("y", "y__do_no", "y__do_yes"), -np.inf))
    assert check_consistency(endless, "t", "y").passed


def test_a_missing_outcome_is_equal_to_nothing():
    frame = pd.DataFrame({"t": ["no"], "y": [np.nan], "y__do_no": [np.nan]})
    assert not check_consistency(frame, "t", "y").passed
    assert not check_consistency(frame.astype(object), "t", "y").passed


@pytest.mark.parametrize("kind", ["str", "object", "category"])
def test_a_unit_without_a_treatment_is_no_pass(made, kind):
    broken = made.astype(str).astype(kind)
    broken.loc[4, "t"] = None
    result = check_consistency(broken, "t", "y")
    assert not result.passed
    assert result.text == "1 of 200 units have no level of 't', so consistency cannot be told."


def test_consistency_that_cannot_be_told_is_no_pass(made):
    lacking = check_consistency(made.drop(columns="y__do_yes"), "t", "y")
    assert not lacking.passed
    assert "'y__do_yes'" in lacking.text
    assert not check_consistency(made.iloc[:0], "t", "y").passed


def _with(frame: pd.DataFrame, unit: int, value: float) -> pd.DataFrame:
    changed = frame.copy()
    changed.loc[unit, "y__do_no"] = value
    return changed


@pytest.fixture
def two_worlds():
    one = load_scenario("tutoring")
    do = {"tutoring": one["tutoring"].levels[-1]}
    factual, other = SequenceSCM(one, HashScorer()).worlds(300, 1, [None, do])
    return one, factual.frame.astype(str), other.frame.astype(str), do


def test_only_descendants_change_between_worlds(two_worlds):
    result = check_worlds(*two_worlds)
    assert result.passed
    table = result.table.set_index("variable")
    assert table["kind"].to_dict() == {
        "school_size": "not a descendant",
        "income": "not a descendant",
        "motivation": "not a descendant",
        "tutoring": "set",
        "homework": "descendant",
        "passed": "descendant",
    }
    assert table.loc["tutoring", "changed"] > 0
    assert table.loc["homework", "changed"] > 0


@pytest.mark.parametrize("name", ["income", "tutoring"])
def test_a_value_that_may_not_change_is_found(two_worlds, name):
    one, factual, other, do = two_worlds
    other.loc[5, name] = next(level for level in one[name].levels if level != other.loc[5, name])
    result = check_worlds(one, factual, other, do)
    assert not result.passed
    assert result.text.endswith(f": 1 values are wrong, in {name}.")


def test_a_unit_that_was_so_already_may_not_change_at_all(two_worlds):
    one, factual, other, do = two_worlds
    unit = factual.index[factual["tutoring"] == do["tutoring"]][0]
    other.loc[unit, "passed"] = next(level for level in one["passed"].levels if level != other.loc[unit, "passed"])
    assert check_worlds(one, factual, other, do).table.set_index("variable")["wrong"].to_dict()["passed"] == 1


def test_worlds_of_different_units_cannot_be_compared(two_worlds):
    one, factual, other, do = two_worlds
    assert not check_worlds(one, factual, other.iloc[:-1], do).passed
    assert not check_worlds(one, factual.iloc[:0], other.iloc[:0], do).passed


def test_the_smallest_probability_of_a_treatment_level_decides():
    model = SequenceSCM(confounder(), CONFOUNDER)
    model.tables.complete()
    frame = model.tables.frame()  # P(t | z) holds .8, .2, .3, .7; the .1 of y does not count
    assert check_positivity(frame, "t", least=0.19).passed
    low = check_positivity(frame, "t", least=0.21)
    assert not low.passed
    assert "0.2000" in low.text
    assert low.table.iloc[0][["context", "level"]].tolist() == ["Z: no. T:", "yes"]


def test_a_treatment_that_is_drawn_at_random_needs_no_table():
    even, rare = (confounder()["z"].model_copy(update={"law": law}).own_law for law in ("uniform", (0.7, 0.3)))
    assert (even, rare, confounder()["z"].own_law) == ({"no": 0.5, "yes": 0.5}, {"no": 0.7, "yes": 0.3}, None)
    nothing = SequenceSCM(confounder(), CONFOUNDER).tables.frame()
    assert check_positivity(nothing, "z", 0.5, even).passed and check_positivity(nothing, "z", 0.3, rare).passed
    low = check_positivity(nothing, "z", 0.31, rare)
    assert not low.passed and "0.3000" in low.text


def test_tables_without_the_treatment_cannot_tell():
    model = SequenceSCM(confounder(), CONFOUNDER)
    model.tables.complete()
    result = check_positivity(model.tables.frame(), "smokes", least=0.01)
    assert not result.passed
    assert "'smokes'" in result.text


def _split(train, held_out) -> pd.DataFrame:
    rows = [("train", *row) for row in train] + [("held_out", *row) for row in held_out]
    return pd.DataFrame(rows, columns=["split", "topic", "question"])


def test_sides_that_share_nothing_pass():
    assert check_split(_split([("a", "q1"), ("b", "q2")], [("c", "q3")]), ["topic", "question"]).passed


def test_a_shared_value_fails_and_is_shown():
    result = check_split(_split([("a", "q1"), ("b", "q2")], [("b", "q3")]), ["topic", "question"])
    assert not result.passed
    assert result.table["in both"].tolist() == [1, 0]
    assert result.table["example"].tolist() == ["b", ""]


@pytest.mark.parametrize("sides", [([], [("c", "q")]), ([("a", "q")], [])])
def test_an_empty_side_proves_nothing(sides):
    assert not check_split(_split(*sides), ["topic"]).passed
