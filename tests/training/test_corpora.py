"""Corpora: no leak between the sides, a table and back, and which parts of a completion count."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_tools.contract import CausalQuery
from causal_tools.prompts import pieces_of, reading_text
from training.corpora import (
    MOST_REPEATS,
    RETRIEVAL_COLUMNS,
    items_frame,
    items_from,
    retrieval_corpus,
    training_examples,
)
from training.free_reading import UNREADABLE, read_back
from training.queries import QueryItem, make_queries
from training.recipe import SftRecipe
from training.topic_library import load_topics

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


def _item(number: int = 1, **changes) -> QueryItem:
    query = {"task": "ATE", "treatment": "t", "response": "y"}
    fields = {
        "id": f"i{number}",
        "task": "ATE",
        "topic": f"topic {number}",
        "family": f"family {number}",
        "question": f"Does t move y, asked for the {number}th time?",
        "dataset": None,
        "columns": ("t", "y", "z"),
        "query": CausalQuery.model_validate(query).model_dump(mode="json"),
        "levels": {"t": ("no", "yes"), "z": (1, 2)},
    }
    return QueryItem.model_validate({**fields, **changes})


ITEMS = [
    _item(1),
    _item(2, dataset="a.csv"),
    _item(3, task="NONE", query=None, levels={}),
    _item(4, columns=('a "b"', "c\\d", "100%"), question="naïve, 日本?"),
]


def test_items_come_back_from_their_table(tmp_path):
    frame = items_frame(ITEMS)
    assert items_from(frame) == ITEMS
    frame.to_parquet(tmp_path / "items.parquet")
    assert items_from(pd.read_parquet(tmp_path / "items.parquet").assign(split="train")) == ITEMS


@pytest.mark.parametrize("part", [ITEMS[:1], ITEMS[2:3], []], ids=["one", "only not causal", "none"])
def test_small_tables_come_back_too(tmp_path, part):
    frame = items_frame(part)
    frame.to_parquet(tmp_path / "items.parquet")
    assert items_from(pd.read_parquet(tmp_path / "items.parquet")) == part


def test_generated_items_come_back_from_their_table():
    items = make_queries("HTE", 15, 1, load_topics()[:3])
    assert items_from(items_frame(items)) == items


@pytest.mark.parametrize("name", ["topic", "family", "question"])
@pytest.mark.parametrize("annotated", [False, True])
def test_what_stands_on_both_sides_is_refused(name, annotated):
    shared = {name: getattr(_item(1), name)}
    train, extra = ([_item(2)], [_item(1)]) if annotated else ([_item(1)], [])
    with pytest.raises(ValueError, match=f"{name} '.*' stands in training and in the held-out set"):
        retrieval_corpus(train, [_item(9, **shared)], extra)


def test_the_corpus_has_a_row_an_item_with_conversation_and_completion():
    corpus = retrieval_corpus([ITEMS[0]], [ITEMS[1], ITEMS[2]], [ITEMS[3]])
    assert tuple(corpus.columns) == RETRIEVAL_COLUMNS
    assert corpus["split"].tolist() == ["train", "train", "held_out", "held_out"]
    assert corpus["source"].tolist() == ["generated", "annotated", "generated", "generated"]
    first = corpus.iloc[0]
    assert first["completion"] == "effect: t on y."
    system, user = json.loads(first["messages"])
    assert (system["role"], user["role"]) == ("system", "user")
    assert user["content"] == f"Columns: t, y, z\nQuestion: {ITEMS[0].question}"
    assert corpus.iloc[3]["completion"] == "none."
    assert items_from(corpus) == [ITEMS[0], ITEMS[3], ITEMS[1], ITEMS[2]]


@st.composite
def queries(draw) -> CausalQuery | None:
    task = draw(st.sampled_from(["CGL", "ATE", "HTE", "MA", "OPO", None]))
    if task is None:
        return None
    names = draw(st.lists(NAMES.filter(str.strip), min_size=4, max_size=6, unique=True))
    if task == "CGL":
        return CausalQuery(task=task, nodes=draw(st.sampled_from(["all", tuple(names)])))
    fields = {"task": task, "treatment": names[0], "response": names[1]}
    if task == "MA":
        fields["mediator"] = names[2]
    if task in ("HTE", "OPO"):
        value = draw(NAMES | st.integers() | st.floats(allow_nan=False))
        several = (value, draw(NAMES))
        fields["conditions"] = [
            {"column": names[2], "operator": draw(st.sampled_from(["=", ">="])), "value": value},
            {"column": names[3], "operator": "in", "value": several},
        ]
    return CausalQuery.model_validate(fields)


def test_a_reading_is_one_line_of_words():
    query = {"treatment": "dose", "response": "fev1"}
    where = [
        {"column": "age", "operator": ">=", "value": 60.5},
        {"column": "region", "operator": "in", "value": ("north", "far south")},
    ]
    said = {
        "effect: dose on fev1.": {"task": "ATE", **query},
        "subgroup: dose on fev1 where age is from 60.5 and region is among north or far south.": {
            "task": "HTE", **query, "conditions": where,
        },
        "mediation: dose on fev1 through fear.": {"task": "MA", **query, "mediator": "fear"},
        "action: dose for fev1.": {"task": "OPO", **query},
        "graph: a, b c, d.": {"task": "CGL", "nodes": ("a", "b c", "d")},
        "graph: all columns.": {"task": "CGL", "nodes": "all"},
    }  # fmt: skip
    for line, fields in said.items():
        assert reading_text(CausalQuery.model_validate(fields)) == line
        assert read_back(line) == CausalQuery.model_validate(fields).model_dump(mode="json")
        words = {column: f"its {number}" for number, column in enumerate(("dose", "fev1", "fear", "age", "a", "d"))}
        assert read_back(reading_text(CausalQuery.model_validate(fields), words)) == read_back(line)
    assert reading_text(CausalQuery(task="ATE", **query), {"dose": "the drug"}) == "effect: the drug = dose on fev1."
    assert (reading_text(None), read_back("none.")) == ("none.", None)


@given(queries())
def test_a_reading_is_its_pieces_each_with_what_closes_it(query):
    pieces = pieces_of(query)
    assert "".join(piece.text + piece.closing for piece in pieces) == reading_text(query)
    assert reading_text(query).endswith(".")
    assert all(piece.text.startswith(" ") for piece in pieces[1:])


@pytest.mark.parametrize(
    "text", ["", "effect", "effect: a", "effect: a on a.", "sum: a on b.", "subgroup: a on b.", "none: a.",
             "effect: a on b where c.", "effect: a on b"]
)  # fmt: skip
def test_what_is_no_reading_is_unreadable(text):
    assert read_back(text) == UNREADABLE


def _corpus(count: int, annotated: int = 0) -> pd.DataFrame:
    """Questions about files of their own, so that each is a pack of its own."""
    train = [_item(i, columns=("t", "y", f"z{i}"), levels={}) for i in range(count)]
    extra = [_item(100 + i, columns=("t", "y", "v", f"w{i}"), levels={}) for i in range(annotated)]
    return retrieval_corpus(train, [_item(999)], extra)


def _pairs(count: int) -> pd.DataFrame:
    messages = json.dumps([{"role": "user", "content": "Explain."}])
    return pd.DataFrame({"messages": [messages] * count, "completion": [f"text {i}" for i in range(count)]})


def _explained(examples) -> int:
    return sum(example.completion.startswith("text") for example in examples)


@pytest.mark.parametrize(("share", "explained"), [(0.0, 0), (0.25, 5), (0.5, 10), (1.0, 20)])
def test_the_share_of_explanations_is_kept(share, explained):
    examples = training_examples(_corpus(30), _pairs(30), SftRecipe(steps=5, batch_size=4, explanations=share))
    assert len(examples) == 20
    assert _explained(examples) == explained


def test_few_rows_are_repeated_at_most_a_few_times():
    examples = training_examples(_corpus(2), _pairs(1), SftRecipe(steps=100, batch_size=1, explanations=0.5))
    assert _explained(examples) == MOST_REPEATS
    assert len(examples) == 3 * MOST_REPEATS
    assert (
        len({(example.messages[-1]["content"].split("Question")[-1], example.completion) for example in examples}) == 3
    )


def test_held_out_questions_are_never_trained_on():
    examples = training_examples(_corpus(5), _pairs(0), SftRecipe(steps=5, batch_size=8, explanations=0.0))
    assert not any("999th" in example.messages[1]["content"] for example in examples)
    assert len(examples) == 20


def test_what_people_corrected_comes_again_with_the_columns_in_another_order():
    recipe = SftRecipe(steps=50, batch_size=1)
    examples = training_examples(_corpus(50, annotated=3), _pairs(0), recipe)
    asked = [
        e.messages[1]["content"]
        for e in examples
        if any(f"the {100 + i}th" in e.messages[1]["content"] for i in range(3))
    ]
    assert len(asked) == 3 * MOST_REPEATS
    assert len(set(asked)) > 6
    assert all({"t", "y"} <= set(text.split("\n")[0].removeprefix("Columns: ").split(", ")) for text in asked)


def test_questions_about_one_file_stand_together():
    train = [_item(i, columns=("t", "y", f"z{i % 4}"), levels={}) for i in range(12)]
    corpus = retrieval_corpus(train, [_item(999)])
    examples = training_examples(corpus, _pairs(0), SftRecipe(steps=4, batch_size=1, pack=3, explanations=0.0))
    headers = [example.messages[1]["content"].split("\n")[0] for example in examples]
    assert len(headers) == 12
    assert all(len(set(headers[start : start + 3])) == 1 for start in range(0, 12, 3))


def test_the_seed_fixes_choice_and_order():
    def made(seed):
        return training_examples(
            _corpus(40), _pairs(40), SftRecipe(steps=10, batch_size=2, seed=seed, explanations=0.5)
        )

    assert made(1) == made(1)
    assert made(1) != made(2)
