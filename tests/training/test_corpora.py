"""Corpora: no leak between the sides, a table and back, and which parts of a completion count."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causal_tools.contract import CausalQuery
from causal_tools.prompts import reading_text, slot_spans, slots_of
from lm import load_language_model
from training.corpora import (
    MOST_REPEATS,
    RETRIEVAL_COLUMNS,
    WHOLE_EVERY,
    items_frame,
    items_from,
    retrieval_corpus,
    training_examples,
)
from training.queries import QueryItem, make_queries
from training.sft import SftRecipe, tokenised
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
    assert first["completion"] == '{"task": "effect", "treatment": "t", "response": "y"}'
    system, user = json.loads(first["messages"])
    assert (system["role"], user["role"]) == ("system", "user")
    assert user["content"] == f"Columns: t, y, z\nQuestion: {ITEMS[0].question}"
    assert corpus.iloc[3]["completion"] == '{"task": "none"}'
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


@given(queries())
def test_a_reading_is_json_of_its_slots_and_the_spans_cut_out_its_values(query):
    text, slots = reading_text(query), slots_of(query)
    pairs = json.loads(text, object_pairs_hook=list)
    assert [tuple(pair) for pair in pairs] == slots
    spans = slot_spans(text)
    assert len(spans) == len(slots)
    for (start, end), (_, value) in zip(spans, slots, strict=True):
        piece = text[start:end]
        assert piece.endswith(('",', '"}'))
        assert json.loads(f'"{piece[:-2]}"') == value


TINY = load_language_model("tiny", device="cpu")


@settings(deadline=None, max_examples=40)
@given(queries())
def test_the_tokens_that_count_decode_to_exactly_the_slots(query):
    from training.sft import Example

    text = reading_text(query)
    spans = tuple(slot_spans(text))
    row = tokenised(TINY, Example(({"role": "user", "content": "naïve?"},), text, spans))
    assert len(row["input_ids"]) == len(row["completion_mask"])
    counted = [token for token, mask in zip(row["input_ids"], row["completion_mask"], strict=True) if mask]
    assert TINY.tokenizer.decode(counted) == "".join(text[start:end] for start, end in spans)


def test_without_spans_the_completion_and_the_end_of_text_count():
    from training.sft import Example

    messages = ({"role": "user", "content": "Why?"},)
    row = tokenised(TINY, Example(messages, "Because — so."))
    counted = [token for token, mask in zip(row["input_ids"], row["completion_mask"], strict=True) if mask]
    assert TINY.tokenizer.decode(counted) == "Because — so.<|im_end|>"
    assert TINY.tokenizer.decode(row["input_ids"]) == TINY.chat_text(messages) + "Because — so.<|im_end|>"


def _corpus(count: int, annotated: int = 0) -> pd.DataFrame:
    train = [_item(i) for i in range(count)]
    extra = [_item(100 + i) for i in range(annotated)]
    return retrieval_corpus(train, [_item(999)], extra)


def _pairs(count: int) -> pd.DataFrame:
    messages = json.dumps([{"role": "user", "content": "Explain."}])
    return pd.DataFrame({"messages": [messages] * count, "completion": [f"text {i}" for i in range(count)]})


def _explained(examples) -> int:
    return sum(example.completion.startswith("text") for example in examples)


@pytest.mark.parametrize(("share", "explained"), [(0.0, 0), (0.25, 5), (0.5, 10), (1.0, 20)])
def test_the_share_of_explanations_is_kept(share, explained):
    examples = training_examples(_corpus(30), _pairs(30), share, SftRecipe(steps=5, batch_size=4))
    assert len(examples) == 20
    assert _explained(examples) == explained


def test_few_rows_are_repeated_at_most_a_few_times():
    examples = training_examples(_corpus(2), _pairs(1), 0.5, SftRecipe(steps=100, batch_size=1))
    assert _explained(examples) == MOST_REPEATS
    assert len(examples) == 3 * MOST_REPEATS
    assert len({json.dumps([example.messages, example.completion]) for example in examples}) == 3


def test_held_out_questions_are_never_trained_on():
    examples = training_examples(_corpus(5), _pairs(0), 0.0, SftRecipe(steps=5, batch_size=8))
    assert not any("999th" in example.messages[1]["content"] for example in examples)
    assert len(examples) == 20


def test_annotated_questions_come_first():
    recipe = SftRecipe(steps=4, batch_size=1)
    examples = training_examples(_corpus(50, annotated=3), _pairs(0), 0.0, recipe)
    asked = [example.messages[1]["content"] for example in examples]
    assert sum(any(f"the {100 + i}th" in text for i in range(3)) for text in asked) == 3


def test_decisions_alone_count_but_for_one_reading_in_sixteen():
    examples = training_examples(_corpus(16), _pairs(4), 0.2, SftRecipe(steps=20, batch_size=1))
    readings = [example for example in examples if example.completion.startswith("{")]
    whole = [example for example in readings if example.spans is None]
    assert (len(readings), len(whole)) == (16, 16 // WHOLE_EVERY)
    for example in readings:
        if example.spans is not None:
            assert [example.completion[a:b] for a, b in example.spans] == ["e", '",', "t", '",', "y", '"}']
    assert all(example.spans is None for example in examples if example.completion.startswith("text"))


def test_the_seed_fixes_choice_and_order():
    def made(seed):
        return training_examples(_corpus(40), _pairs(40), 0.5, SftRecipe(steps=10, batch_size=2, seed=seed))

    assert made(1) == made(1)
    assert made(1) != made(2)
