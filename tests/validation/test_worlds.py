"""Consistency of the worlds, overlap of the arms, and what must not be shared between the sides of a split."""

from __future__ import annotations

import pandas as pd
import pytest

from sdscm import SequenceSCM
from sdscm.benchmark import make_benchmark
from validation.leakage import check_split
from validation.worlds import check_consistency, check_positivity

from ..sdscm.laws import CONFOUNDER, confounder


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


def test_the_smallest_probability_of_a_treatment_level_decides():
    model = SequenceSCM(confounder(), CONFOUNDER)
    model.tables.complete()
    frame = model.tables.frame()  # P(t | z) holds .8, .2, .3, .7; the .1 of y does not count
    assert check_positivity(frame, "t", least=0.19).passed
    low = check_positivity(frame, "t", least=0.21)
    assert not low.passed
    assert "0.2000" in low.text
    assert low.table.iloc[0][["context", "level"]].tolist() == ["Z: no. T:", "yes"]


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
