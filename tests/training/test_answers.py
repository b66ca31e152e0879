"""What comes of a reading: a result, of the question asked, and true; each known once."""

from __future__ import annotations

import pytest

from causal_tools.contract import CausalQuery
from causal_tools.engine import answer
from training.answers import RESULT, answers_of, explained, true_results
from training.explaining import NOTHING_SAID, judged, raw_explanations
from training.ledger import Ledger
from training.queries import make_queries
from training.simulation import simulate_file
from training.topic_library import load_topics

ROWS = 300
ITEMS = [make_queries(task, 1, 8, load_topics()[:6])[0] for task in ("ATE", "CGL", "MA")]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory) -> Ledger:
    return Ledger(tmp_path_factory.mktemp("ledger") / "l.sqlite")


@pytest.fixture(scope="module")
def truths(ledger):
    return true_results(ledger, ITEMS, ROWS, 0)


def test_the_true_query_gives_what_the_tool_gives(truths):
    item = ITEMS[0]
    simulated = simulate_file(item, ROWS, 0)
    expected = answer(simulated.query, simulated.frame, seed=0, dataset=item.dataset or "data.csv", checks=False)
    found = RESULT.validate_json(truths["result"].iloc[0])
    assert (type(found), found.estimate, found.summary) == (type(expected), expected.estimate, expected.summary)
    assert truths["id"].tolist() == [item.id for item in ITEMS]
    assert (truths["reason"] == "").all()


def test_true_readings_are_delivered_and_relevant_and_as_correct_as_the_tool(ledger, truths):
    found = answers_of(ledger, ITEMS, [item.query for item in ITEMS], truths, ROWS, 0)
    assert found["delivered"].all() and found["relevant"].all()
    assert found["correct"].tolist() == truths["correct"].tolist()


def test_other_readings_are_never_correct_and_delivered_only_where_the_tool_has_an_answer(ledger, truths):
    ate = ITEMS[0].query
    turned = {**ate, "treatment": ate["response"], "response": ate["treatment"]}
    readings = [turned, None, {"task": "ATE", "treatment": "nowhere", "response": "to be found"}]
    found = answers_of(ledger, ITEMS, readings, truths, ROWS, 0)
    assert not found["relevant"].any() and not found["correct"].any()
    assert found["delivered"].tolist()[1:] == [False, False]
    assert found["reason"].str.split(":").str[0].tolist()[1:] == ["NotCausal", "ColumnNotFound"]


@pytest.mark.parametrize("reading", [{"task": "UNREADABLE"}, {"task": "ATE"}, {"task": "ATE", "treatment": 7}])
def test_a_reading_that_breaks_the_contract_is_told(ledger, truths, reading):
    found = answers_of(ledger, ITEMS[:1], [reading], truths.head(1), ROWS, 0)
    assert not found["delivered"].iloc[0]
    assert found["reason"].iloc[0].startswith("QueryError")


def test_nothing_is_run_twice(ledger, truths, monkeypatch):
    ran = []
    monkeypatch.setattr("training.answers.answer", lambda *a, **k: ran.append(a))
    again = true_results(ledger, ITEMS, ROWS, 0)
    assert again["result"].tolist() == truths["result"].tolist()
    assert ran == []


class Sayer:
    """Says the summary of the result, each prompt counted."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def chat_text(self, messages) -> str:
        return messages[-1]["content"].split("Result: ")[1]

    def generate(self, texts, **_) -> list[str]:
        self.prompts += texts
        return [f" {text}\n" for text in texts]


def test_explanations_are_generated_once_and_judged_by_the_rubric(ledger, truths):
    results, sayer = explained(truths, 1), Sayer()
    assert [type(result).__name__ for _, _, result in results] == ["EffectResult", "GraphResult", "MediationResult"]
    texts = raw_explanations(ledger, "sayer", lambda: sayer, results)
    assert texts == [result.summary for _, _, result in results]
    assert raw_explanations(ledger, "sayer", lambda: pytest.fail("asked again"), results) == texts
    assert len(sayer.prompts) == 3
    invented = [f"{text} It rose by 987 points." for text in texts]
    table = judged(results, {"sayer": texts, "liar": invented, "mute": [NOTHING_SAID] * 3}).set_index("system")
    assert table.loc["sayer", ["faithful", "complete"]].all(axis=None)
    assert not table.loc["liar", "faithful"].any()
    assert not table.loc["mute", "complete"].any()
    assert table.loc["mute", "faithful"].all()  # who says nothing invents nothing


def test_only_so_many_of_a_task_are_explained(truths):
    assert explained(truths, 0) == []
    assert CausalQuery.model_validate(ITEMS[0].query).task == "ATE"
