"""From question to answer on simulated files: delivered, relevant and correct are told apart, and truth is the simulator's."""

from __future__ import annotations

from typing import Any

import pytest

from causal_tools import Assistant
from causal_tools.contract import CausalQuery
from causal_tools.engine import answer
from causal_tools.errors import NotCausal
from causal_tools.parsing import Reading
from training.end_to_end import answer_questions, is_right
from training.queries import make_queries
from training.simulation import simulate_file
from training.topic_library import load_topics

TOPICS = load_topics()[:8]
ITEMS = {task: make_queries(task, 2, 8, TOPICS)[1] for task in ("ATE", "MA", "OPO")}


class Told(Assistant):
    """Reads every question as it is told, by question; None is no causal one."""

    def __init__(self, queries: dict[str, dict[str, Any] | None]) -> None:
        super().__init__(None)
        self.queries = queries

    def read(self, question, columns, dataset=None, levels=None) -> Reading:
        fields = self.queries[question]
        if fields is None:
            raise NotCausal("this reads as no causal question")
        return Reading(CausalQuery.model_validate(fields))


@pytest.fixture(scope="module")
def found():
    right = {item.question: item.query for item in ITEMS.values()}
    ate = ITEMS["ATE"]
    turned = {**ate.query, "treatment": ate.query["response"], "response": ate.query["treatment"]}
    wrong = {**right, ate.question: turned, ITEMS["MA"].question: None}
    items = list(ITEMS.values())
    return [answer_questions(Told(queries), items, rows=400).set_index("task") for queries in (right, wrong)]


def test_questions_are_answered_by_a_perfect_reader_as_by_the_tool_alone(found):
    right, _ = found
    assert right["delivered"].all(), right["reason"].tolist()
    assert right["relevant"].all()
    assert (right["correct"] == right["tool_correct"]).all()
    assert right["correct"].sum() >= 2
    assert (right["seconds"] > 0).all()


def test_an_answer_to_another_question_is_delivered_but_neither_relevant_nor_correct(found):
    right, wrong = found
    assert not wrong.loc["ATE", "relevant"]
    assert not wrong.loc["ATE", "correct"]
    assert wrong.loc["ATE", "tool_correct"] == right.loc["ATE", "tool_correct"]
    assert not wrong.loc["MA", "delivered"]
    assert wrong.loc["MA", "reason"].startswith("NotCausal")
    assert wrong.loc["OPO", "correct"] == right.loc["OPO", "correct"]


def _shifted(value, by: float):
    return {key: _shifted(part, by) for key, part in value.items()} if isinstance(value, dict) else value + by


@pytest.mark.parametrize("task", ["ATE", "MA"])
def test_an_effect_far_from_the_truth_is_not_right(task):
    simulated = simulate_file(ITEMS[task], 400, 0)
    result = answer(simulated.query, simulated.frame, checks=False)
    truth = {**simulated.truth, "contrasts": _shifted(simulated.truth["contrasts"], 1e6)}
    assert not is_right(result, truth)


def test_an_action_that_loses_much_is_not_right():
    simulated = simulate_file(ITEMS["OPO"], 400, 0)
    result = answer(simulated.query, simulated.frame, checks=False)
    truth = {**simulated.truth, "values": {**simulated.truth["values"], "another": 1e6}}
    assert not is_right(result, truth)
