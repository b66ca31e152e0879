"""The frozen sets: untouched, as large as they say, and apart from everything that is trained on."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest

from causal_tools.contract import TASKS, CausalQuery
from training.grammar import FAMILIES
from training.queries import check_item
from training.test_sets import FILES, FOLDER, TestSetChanged, digests, file_digest, load_test_set, unseen_topics
from training.topic_library import load_topics
from training.written import load_written, read_written

ALL = (*TASKS, "NONE")
trained_on = cache(load_written)  # reading a hundred files takes seconds


@pytest.mark.parametrize(
    ("name", "each"), [("unseen", 100), ("written", 30), ("development", 20), ("tuning", 40), ("fresh", 40)]
)
def test_each_set_is_what_was_frozen(name, each):
    items = load_test_set(name)
    assert digests()[name] == file_digest(FOLDER / FILES[name])
    assert Counter(item.task for item in items) == dict.fromkeys(ALL, each)
    assert len({item.question for item in items}) == len(items)
    for item in items:
        if item.query is not None:
            query = CausalQuery.model_validate(item.query)
            assert set(query.columns()) < set(item.columns) or query.task == "CGL"


def test_a_changed_set_is_refused(monkeypatch):
    load_test_set.cache_clear()
    monkeypatch.setattr("training.test_sets.digests", lambda: dict.fromkeys(FILES, "0" * 64))
    with pytest.raises(TestSetChanged, match=r"written\.yaml has digest"):
        load_test_set("written")
    load_test_set.cache_clear()
    with pytest.raises(ValueError, match="no test set 'other'"):
        load_test_set("other")


def test_generated_items_are_sound_and_of_held_out_families_and_reserved_topics():
    sides = {family.id: family.split for families in FAMILIES.values() for family in families}
    for item in load_test_set("unseen"):
        assert sides[item.family] == "held_out"
        assert check_item(item) == []
    reserved, library = unseen_topics(), {topic.name for topic in load_topics()}
    assert len(reserved) == 18
    assert reserved < library


def test_written_sets_share_no_data_set_and_no_question_with_each_other_or_with_training():
    sets = {name: load_test_set(name) for name in ("written", "development", "tuning", "fresh")} | {
        "training": trained_on()
    }
    names = list(sets)
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            for what in ("topic", "question"):
                assert {getattr(i, what) for i in sets[one]}.isdisjoint(getattr(i, what) for i in sets[other])


def _alike(one: set[str], other: set[str]) -> bool:
    """Whether two headers are of one data set, or one is the other's copy: more than columns that many files have."""
    both, least = len(one & other), min(len(one), len(other))
    return (both >= 5 and both / least >= 0.4) or (both >= 4 and both / least >= 0.5)


@pytest.mark.parametrize("name", ["written", "development", "tuning", "fresh"])
def test_no_training_file_has_the_header_of_a_test_file(name):
    def headers(items):
        return {item.topic: {re.sub(r"[\W_]+", "", column).casefold() for column in item.columns} for item in items}

    trained, tested = headers(trained_on()), headers(load_test_set(name))
    assert len(trained) > 500 and len(tested) > 10
    assert [
        (here, there) for here, one in trained.items() for there, other in tested.items() if _alike(one, other)
    ] == []


def test_written_training_questions_say_what_they_mean():
    items = trained_on()
    assert len(items) > 1500
    assert min(Counter(item.task for item in items).values()) > 200
    for item in items:
        assert all(words in " ".join(item.question.split()) for words in item.said.values())
        query = CausalQuery.model_validate(item.query) if item.query else None
        assert set(item.said) <= set(query.columns() if query else ())


def test_a_file_that_breaks_the_form_is_named(tmp_path):
    path = tmp_path / "odd.yaml"
    path.write_text("- {data_set: a, file: a.csv, columns: [x, y], levels: {}, questions: [{task: SUM, question: q}]}")
    with pytest.raises(ValueError, match=r"odd\.yaml: questions\.0\.task"):
        read_written(path)
