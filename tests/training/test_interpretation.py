"""Explanations: complete, varied, and their faults found by rule."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from causal_tools.contract import (
    CausalQuery,
    CausalResult,
    EffectResult,
    GraphResult,
    MediationResult,
    PolicyResult,
    Task,
)
from causal_tools.engine import answer
from causal_tools.wording import check_wording
from training import interpretation_phrases as phrases
from training.grammar.engine import readings
from training.interpretation import COLUMNS, explain, interpretation_corpus, rubric
from training.queries import QueryItem, make_queries
from training.simulation import simulate_file
from training.topic_library import load_topics

TOPICS = load_topics()
TASKS: tuple[Task, ...] = ("CGL", "ATE", "HTE", "MA", "OPO")
RESULT_TYPES: dict[str, type[CausalResult]] = {
    "CGL": GraphResult, "ATE": EffectResult, "HTE": EffectResult, "MA": MediationResult, "OPO": PolicyResult,
}  # fmt: skip


@pytest.fixture(scope="module")
def corpus() -> pd.DataFrame:
    items = [item for task in (*TASKS, "NONE") for item in make_queries(task, 2, 3, TOPICS)]  # type: ignore[arg-type]
    return interpretation_corpus(items, 500, 2)


@pytest.fixture(scope="module")
def results(corpus: pd.DataFrame) -> list[tuple[str, CausalResult]]:
    return [
        (row.question, RESULT_TYPES[row.task].model_validate_json(row.result))
        for row in corpus[["question", "task", "result"]].itertuples()
    ]


@pytest.fixture(scope="module")
def effect() -> CausalResult:
    item = make_queries("ATE", 1, 3, TOPICS)[0]
    file = simulate_file(item, 300, 1)
    return answer(file.query, file.frame, dataset="trial_2019.csv")


def test_corpus_holds_a_row_an_answered_item_and_counts_the_others(corpus: pd.DataFrame) -> None:
    assert list(corpus.columns) == list(COLUMNS)
    assert len(corpus) + len(corpus.attrs["refused"]) == 10
    assert set(corpus["task"]) == set(TASKS)
    assert corpus["id"].is_unique
    messages = json.loads(corpus["messages"].iloc[0])
    assert [message["role"] for message in messages] == ["system", "user"]
    assert corpus["summary"].iloc[0] in messages[1]["content"]


def test_for_a_question_that_the_tools_refuse_the_next_one_is_asked() -> None:
    def through_kinds_of_text(item: QueryItem) -> bool:
        levels = item.levels.get(str((item.query or {}).get("mediator")), ())
        return len(levels) > 2 and all(isinstance(level, str) for level in levels)

    items = sorted(make_queries("MA", 150, 3, TOPICS), key=lambda item: not through_kinds_of_text(item))
    assert through_kinds_of_text(items[0])
    told: list[tuple[int, int]] = []
    found = interpretation_corpus(items, 300, 2, lambda *done: told.append(done), each=1)
    assert len(found) == 1 and told == [(1, 1)]
    assert items[0].id in found.attrs["refused"]


def test_explanations_are_sound_and_of_the_length_asked_for(corpus: pd.DataFrame) -> None:
    assert (corpus["faults"] == 0).all(), corpus[corpus["faults"] > 0]["completion"].tolist()
    assert corpus["words"].between(32, 132).all()
    assert not corpus["completion"].str.contains(r"(?i)correlat|associat").any()


def test_many_explanations_are_sound_fluent_and_all_different(results: list[tuple[str, CausalResult]]) -> None:
    texts = [(explain(result, question, seed), result) for question, result in results for seed in range(7)]
    assert len(texts) >= 60
    assert len({text for text, _ in texts}) == len(texts)
    for text, result in texts:
        check = check_wording(text, result)
        assert check.passed, (check, text, result.summary)
        assert not any(rubric(text, result).values()), text
        assert 2 <= len(re.findall(r"[.](?= [A-Z]|$)", text)) <= 5, text


def test_same_seed_gives_the_same_words(results: list[tuple[str, CausalResult]]) -> None:
    question, result = results[0]
    assert explain(result, question, 7) == explain(result, question, 7)


@pytest.mark.parametrize(
    "part", ["EFFECT", "CERTAIN", "UNCERTAIN", "CONTRASTS", "CONTRAST", "METHOD", "TOTAL", "PARTS", "SHARE", "ACTION",
             "OTHERS", "OTHER", "BEHAVIOUR", "GRAPH", "SETTLED", "WEIGHTS", "ARROWS", "NO_EDGES"],
)  # fmt: skip
def test_every_part_can_be_said_in_a_dozen_ways(part: str) -> None:
    assert sum(readings(template, phrases.RULES) for template in getattr(phrases, part)) >= 12


def test_a_wrong_number_is_a_hallucination(effect: CausalResult) -> None:
    text = explain(effect, "does it work?", 1)
    rows = str(effect.n_rows)
    assert rubric(text.replace(rows, f"{rows}7"), effect) == {
        "hallucination": True, "incompleteness": True, "non_fluency": False,
    }  # fmt: skip


def test_a_missing_method_is_an_incompleteness(effect: CausalResult) -> None:
    text = explain(effect, "does it work?", 1)
    method = effect.method.split(" ")[0]
    assert rubric(text, effect)["incompleteness"] is False
    assert rubric(text.replace(method, "a procedure"), effect)["incompleteness"] is True


def test_a_missing_data_set_is_an_incompleteness(effect: CausalResult) -> None:
    assert rubric(explain(effect, "does it work?", 1).replace("trial_2019.csv", "the file"), effect)["incompleteness"]


def test_association_words_are_a_hallucination(effect: CausalResult) -> None:
    text = explain(effect, "does it work?", 1)
    for word in ("correlated", "Associated", "association"):
        assert rubric(f"{text} The two are {word}.", effect)["hallucination"] is True


def test_a_column_is_not_found_within_another_word() -> None:
    query = CausalQuery(task="ATE", dataset="d.csv", treatment="ad", response="sales")
    summary = "using OLS on d.csv, adjusted for ad2, setting ad to b raises sales by 3"
    result = EffectResult(
        task="ATE", query=query, method="OLS", estimate=3, n_rows=9, contrast=("a", "b"), summary=summary
    )
    assert check_wording("By OLS on d.csv, ad raises sales by 3, for b in place of a.", result).passed
    text = "By OLS on d.csv, made of adverts, sales rise by 3, for b in place of a."
    assert check_wording(text, result).missing == ["the name 'ad'"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: f"{text} {text}",
        lambda text: text[: len(text) // 2].rstrip(". "),
        lambda text: text + " and so on and on and on" * 3 + ".",
        lambda text: f"{text} {' '.join(f'word{number}' for number in range(160))}.",
    ],
    ids=["empty", "said twice", "cut off", "loop", "over-long"],
)
def test_texts_that_do_not_read_well_are_not_fluent(spoil: object, effect: CausalResult) -> None:
    text = explain(effect, "does it work?", 1)
    assert rubric(text, effect)["non_fluency"] is False
    assert rubric(spoil(text), effect)["non_fluency"] is True  # type: ignore[operator]


def test_edges_without_a_direction_are_said_to_have_none() -> None:
    item = next(item for item in make_queries("CGL", 40, 3, TOPICS) if len(item.query["nodes"]) == 2)  # type: ignore[index]
    file = simulate_file(item, 400, 1, gaussian=True)
    result = answer(file.query, file.frame, dataset="scores.csv")
    assert isinstance(result, GraphResult) and [edge.mark for edge in result.edges] == ["---"]
    text = explain(result, "what causes what?", 1)
    assert check_wording(text, result).passed
    assert "direction" in text
