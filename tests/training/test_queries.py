"""Generated questions: labels that can be read off, determinism, variety, and the split of phrasings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causal_tools.contract import CausalQuery
from training.grammar import FAMILIES, Draws, Family, TemplateError, expand, families, fill, readings
from training.grammar.masking import template_key
from training.queries import (
    QuestionsExhausted,
    check_item,
    corpus_digest,
    item_digest,
    make_queries,
    named_in,
    with_id,
)
from training.topic_library import load_topics, split_topics

TOPICS = load_topics()
BY_NAME = {topic.name: topic for topic in TOPICS}
TASKS = ("CGL", "ATE", "HTE", "MA", "OPO", "NONE")
SPLITS = ("train", "held_out")


@settings(max_examples=60, deadline=None)
@given(task=st.sampled_from(TASKS), split=st.sampled_from(SPLITS), seed=st.integers(0, 2**63))
def test_every_item_passes_its_check(task, split, seed):
    for item in make_queries(task, 8, seed, TOPICS, split):
        assert check_item(item, TOPICS) == []
        assert "{" not in item.question.replace("{" + "}", "")
        assert item.query is None or CausalQuery.model_validate(item.query).model_dump(mode="json") == item.query


@pytest.mark.parametrize("task", TASKS)
def test_item_i_does_not_depend_on_the_count(task):
    assert make_queries(task, 40, 11, TOPICS)[:15] == make_queries(task, 15, 11, TOPICS)


def test_seed_and_split_change_the_corpus_and_nothing_else_does():
    first = make_queries("ATE", 20, 1, TOPICS)
    assert corpus_digest(first) == corpus_digest(make_queries("ATE", 20, 1, TOPICS))
    assert corpus_digest(first) != corpus_digest(make_queries("ATE", 20, 2, TOPICS))
    assert corpus_digest(first) != corpus_digest(make_queries("ATE", 20, 1, TOPICS, "held_out"))


@pytest.mark.parametrize("task", TASKS)
def test_questions_differ_also_once_their_names_are_masked(task):
    items = make_queries(task, 834, 5, TOPICS)  # six tasks: five thousand and four
    assert len({template_key(item.question, BY_NAME[item.topic], item.dataset) for item in items}) == 834


@pytest.mark.parametrize("task", TASKS)
def test_families_are_many_and_about_a_quarter_is_held_out(task):
    train, held_out = families(task, "train"), families(task, "held_out")
    assert len(train) >= 60
    assert 0.12 <= len(held_out) / (len(train) + len(held_out)) <= 0.3
    ids = [family.id for family in FAMILIES[task]]
    assert len(set(ids)) == len(ids)
    assert all(name.startswith(f"{task.lower()}-") for name in ids)


def test_held_out_questions_share_neither_topic_nor_family_with_training():
    train_topics, test_topics = split_topics(TOPICS, 0.2, seed=0)
    for task in TASKS:
        train = make_queries(task, 60, 0, train_topics, "train")
        test = make_queries(task, 60, 0, test_topics, "held_out")
        assert {i.topic for i in train}.isdisjoint(i.topic for i in test)
        assert {i.family for i in train}.isdisjoint(i.family for i in test)


def test_opo_chooses_among_levels_to_raise_a_response_where_more_is_better():
    for item in make_queries("OPO", 200, 9, TOPICS):
        assert item.query["treatment"] in item.levels
        assert BY_NAME[item.topic].by_column[item.query["response"]].better == "higher"


def test_every_operator_of_the_design_appears():
    operators = {c["operator"] for item in make_queries("HTE", 400, 2, TOPICS) for c in item.query["conditions"]}
    assert operators == {"=", "<", "<=", ">", ">=", "in"}


def test_a_good_part_of_the_columns_is_not_literally_in_the_question():
    items = [item for task in ("ATE", "MA", "OPO") for item in make_queries(task, 200, 4, TOPICS)]
    columns = [(item.question, item.query["treatment"]) for item in items]
    hidden = np.mean([not named_in(question, column) for question, column in columns])
    assert 0.25 < hidden < 0.6


def test_header_has_distractors_and_levels_of_every_discrete_column():
    sizes = []
    for item in make_queries("MA", 400, 4, TOPICS):
        assert len(item.columns) - len(CausalQuery.model_validate(item.query).columns()) >= 2
        own = BY_NAME[item.topic].by_column
        assert set(item.levels) == {c for c in item.columns if c in own and own[c].discrete}
        sizes.append(len(item.columns))
    assert max(sizes) > 18


def test_a_place_is_about_the_same_file_in_every_task():
    by_task = [make_queries(task, 6, 3, TOPICS) for task in TASKS]
    for place in range(6):
        assert len({items[place].columns for items in by_task}) == 1


def test_what_is_said_of_a_column_stands_in_the_question_where_its_name_does_not():
    for task in ("CGL", "ATE", "HTE", "MA", "OPO"):
        for item in make_queries(task, 100, 21, TOPICS):
            assert all(words in item.question for words in item.said.values())
            for column in CausalQuery.model_validate(item.query).columns():
                assert column in item.said or column in item.question, (column, item.question)


def test_no_opaque_code_is_meant_without_being_named():
    for task in ("ATE", "HTE", "MA", "OPO"):
        for item in make_queries(task, 150, 8, TOPICS):
            for column in CausalQuery.model_validate(item.query).columns():
                if column == BY_NAME[item.topic].by_column[column].code:
                    assert named_in(item.question, column), item.question


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"question": "How are you?"}, "not named in the question"),
        ({"topic": "alchemy"}, "not known"),
        ({"family": "hte-nobody"}, "no family"),
        ({"query": None}, "NONE has no query"),
        ({"columns": ("x", "y")}, "not in the header"),
        ({"dataset": "other.csv"}, "not named"),
    ],
)
def test_check_finds_a_damaged_item(change, said):
    item = make_queries("HTE", 1, 0, TOPICS)[0]
    damaged = with_id(item.model_copy(update=change))
    assert any(said in fault for fault in check_item(damaged, TOPICS))


def test_check_finds_a_false_id_and_a_value_that_the_question_lacks():
    item = next(i for i in make_queries("HTE", 50, 0, TOPICS) if i.query["conditions"][0]["operator"] == ">")
    assert any("does not fit" in fault for fault in check_item(item.model_copy(update={"id": "hte-0"}), TOPICS))
    conditions = [{**item.query["conditions"][0], "value": 987654}, *item.query["conditions"][1:]]
    damaged = with_id(item.model_copy(update={"query": {**item.query, "conditions": conditions}}))
    assert any("987654" in fault for fault in check_item(damaged, TOPICS))
    assert item_digest(damaged) != item_digest(item)


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("older than 45", "5", False),
        ("dose of 5.2", "5", False),
        ("dose of 5.", "5", True),
        ("at 40%", "40", True),
        ("Does RHR move?", "rhr", True),
        ("the rhrx", "rhr", False),
    ],
)
def test_names_are_found_as_whole_words_only(question, text, expected):
    assert named_in(question, text) is expected


def test_running_out_of_questions_is_said(monkeypatch):
    monkeypatch.setitem(FAMILIES, "NONE", (Family("none-only", "NONE", "train", "hello there"),))
    monkeypatch.setattr("training.queries.MOST_ATTEMPTS", 2)
    with pytest.raises(QuestionsExhausted, match="no different NONE question after"):
        make_queries("NONE", 1000, 0, TOPICS[:1])
    with pytest.raises(ValueError, match="topics"):
        make_queries("ATE", 1, 0, ())


def test_templates_nest_and_refuse_broken_brackets():
    draws = Draws(np.random.default_rng(0))
    said = {expand("a[b[c|d]|<r>]", draws, {"r": "e"}) for _ in range(60)}
    assert said == {"abc", "abd", "ae"}
    assert readings("a[b[c|d]|<r>]", {"r": "[x|y]"}) == 4
    for broken in ("[a", "a]", "a|b", "<r"):
        with pytest.raises(TemplateError):
            expand(broken, draws, {})
    with pytest.raises(TemplateError, match="no rule <q>"):
        expand("<q>", draws, {"r": ""})
    with pytest.raises(TemplateError, match="has no value"):
        fill("{treatment}", {})
