"""Each kind of fault is told by its own name."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from training.failures import KINDS, counted, failure_kinds, failures_of, in_short
from training.scoreboard import field_scores, outcomes_of, scoreboard, time_and_cost

HTE = {
    "task": "HTE",
    "treatment": "drug",
    "response": "pain",
    "conditions": [{"column": "age", "operator": ">=", "value": 60}],
}
OTHER = {"column": "sex", "operator": "=", "value": "f"}


def changed(**fields) -> dict:
    return {**HTE, **fields}


def condition(**fields) -> dict:
    return changed(conditions=[{**HTE["conditions"][0], **fields}])


@pytest.mark.parametrize(
    ("reading", "truth", "kinds"),
    [
        (HTE, HTE, []),
        (None, None, []),
        (None, HTE, ["wrongly refused"]),
        (HTE, None, ["wrongly accepted"]),
        ({"task": "UNREADABLE"}, HTE, ["unreadable"]),
        ({"task": "UNREADABLE"}, None, ["unreadable"]),
        (changed(task="ATE"), HTE, ["wrong task"]),
        (changed(treatment="pain", response="drug"), HTE, ["roles swapped"]),
        (changed(treatment="dose"), HTE, ["wrong treatment"]),
        (changed(treatment="dose", response="score"), HTE, ["wrong treatment", "wrong response"]),
        (changed(conditions=[]), HTE, ["condition missing"]),
        (changed(conditions=None), HTE, ["condition missing"]),
        (changed(conditions=[*HTE["conditions"], OTHER]), HTE, ["condition added"]),
        (changed(conditions=[OTHER]), HTE, ["condition on another column"]),
        (condition(operator=">"), HTE, ["wrong comparison"]),
        (condition(value=65), HTE, ["wrong value"]),
        (changed(treatment="dose", conditions=[]), HTE, ["wrong treatment", "condition missing"]),
        ({"task": "CGL", "nodes": ["a"]}, {"task": "CGL", "nodes": "all"}, ["wrong nodes"]),
        (changed(conditions="age >= 60"), HTE, ["condition missing"]),
        (changed(conditions=["age >= 60"]), HTE, ["condition missing"]),
        (changed(treatment=["drug"], response=["pain"]), HTE, ["wrong treatment", "wrong response"]),
        (condition(value=10**400), HTE, ["wrong value"]),
    ],
)
def test_kinds_of_fault(reading, truth, kinds):
    assert failure_kinds(reading, truth) == kinds
    assert set(kinds) <= set(KINDS)


READINGS = pd.DataFrame(
    {
        "id": ["i1", "i2", "i3", "i4"],
        "task": ["HTE", "HTE", "NONE", "HTE"],
        "topic": ["t", "u", "t", "u"],
        "question": ["q1", "q2", "q3", "q4"],
        "query": [json.dumps(q) for q in (HTE, HTE, None, HTE)],
        "ours": [json.dumps(q) for q in (HTE, condition(value=1), None, None)],
        "theirs": [json.dumps(HTE), None, json.dumps(HTE), json.dumps(HTE)],
        "seconds ours": [1.0, 2.0, 3.0, 4.0],
    }
)
NONE = pd.DataFrame(columns=["id", "task", "topic", "system"])


def test_failures_are_listed_and_counted_by_kind_and_task():
    found = failures_of(READINGS, "ours")
    assert found[["id", "kinds"]].to_numpy().tolist() == [["i2", "wrong value"], ["i4", "wrongly refused"]]
    assert found["wanted"].iloc[0] == "HTE | treatment drug | response pain | where age >= 60"
    assert found["read"].iloc[1] == "not causal"
    assert counted(found)["all"].to_dict() == {"wrong value": 1, "wrongly refused": 1}


def test_what_a_hosted_model_has_not_answered_is_no_failure_of_it():
    assert failures_of(READINGS, "theirs")["id"].tolist() == ["i3"]
    exact = outcomes_of(READINGS, NONE, NONE).query("metric == 'reading_exact'")
    assert exact["theirs"].tolist() == [True, None, False, True]
    board = scoreboard(outcomes_of(READINGS, NONE, NONE))
    line = board.query("metric == 'reading_exact' and system == 'theirs' and task == 'all'").iloc[0]
    assert (line["right"], line["questions"]) == (2, 3)


def test_an_unknown_system_is_refused_with_those_there_are():
    for name in ("nobody", "topic", "seconds ours"):
        with pytest.raises(KeyError, match="there are: ours, theirs"):
            failures_of(READINGS, name)


def test_outcomes_of_readings_answers_and_explanations_stand_in_one_table():
    answers = pd.DataFrame(
        {"id": ["i1", "i1"], "task": "HTE", "topic": "t", "system": ["ours", "theirs"], "delivered": [True, False],
         "relevant": [True, False], "correct": [False, False]}
    )  # fmt: skip
    said = pd.DataFrame(
        {"id": ["i1"], "task": "HTE", "topic": "t", "system": ["template"], "faithful": [True], "complete": [True],
         "fluent": [False], "text": "…"}
    )  # fmt: skip
    board = (
        scoreboard(outcomes_of(READINGS, answers, said)).query("task == 'all'").set_index(["metric", "system"])["share"]
    )
    assert board["answer_delivered", "ours"] == 1.0
    assert board["answer_correct", "ours"] == 0.0
    assert board["explanation_fluent", "template"] == 0.0
    assert board["reading_exact", "ours"] == 0.5
    assert ("explanation_fluent", "ours") not in board.index


def test_fields_are_scored_one_by_one():
    fields = field_scores(READINGS).set_index(["system", "field"])["exact"]
    assert fields["ours", "task"] == 0.75
    assert fields["ours", "conditions"] == 0.5
    assert fields["ours", "treatment"] == 0.75
    assert fields["theirs", "treatment"] == pytest.approx(2 / 3)


def test_seconds_and_dollars_are_means_a_question():
    costs = time_and_cost({"ours": [1.0, 3.0], "theirs": [2.0]}, {"theirs": [0.25]}).set_index("system")
    assert costs.loc["ours", ["seconds", "dollars"]].tolist() == [2.0, 0.0]
    assert costs.loc["theirs", "dollars"] == 0.25
    assert 1.0 <= costs.loc["ours", "low"] <= costs.loc["ours", "high"] <= 3.0


def test_readings_in_short():
    assert in_short({"task": "CGL", "nodes": ["a", "b"]}) == "CGL | a, b"
    assert in_short({"task": "MA", "treatment": "a", "response": "b", "mediator": "c"}).endswith("mediator c")
