"""What of a list in a question a reading leaves out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_tools.enumerations import list_misfits
from causal_tools.reading_evidence import QuestionEvidence


def _left(text: str, *things: str) -> int:
    return list_misfits(text, [[(text.index(thing), text.index(thing) + len(thing))] for thing in things])


@pytest.mark.parametrize(
    ("things", "left"),
    [
        (("poverty", "smoke", "late prenatal", "duration"), 0),
        (("poverty", "smoke", "duration"), 1),
        (("poverty", "smoke"), 2),  # a list goes on behind the last one that is known
        (("duration",), 3),  # and before the first one
        ((), 0),
    ],
)
def test_items_between_those_that_are_known_are_left_out(things, left):
    assert (
        _left(
            "Tell me what leads to what among poverty, smoke, late prenatal care and duration. Soon, please.", *things
        )
        == left
    )


@pytest.mark.parametrize(
    ("text", "things", "left"),
    [
        ("Draw sleep, work and pay without age and sex", ("sleep", "work", "pay"), 0),
        ("Draw sleep, work and pay without age and sex", ("sleep", "work", "pay", "sex"), 1),
        ("Draw sleep, work and pay, and leave their age out", ("sleep", "work", "pay", "age"), 1),
        ("Draw sleep, work and pay. Age is not wanted.", ("sleep", "work", "pay", "Age"), 1),
        ("Draw sleep, work and pay except pay", ("sleep", "work", "pay"), 0),
        ("Draw sleep, work and pay, don't put in the age", ("sleep", "work", "pay", "age"), 1),
        ("Ignore age: sleep, work and pay", ("age", "sleep", "pay"), 2),
    ],
)
def test_what_is_left_aside_is_no_item_and_no_node(text, things, left):
    assert _left(text, *things) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Which of sleep, work and pay drives what?", 1),
        ("sleep at night, work and pay: draw the graph", 1),
        ("I should like you to draw, please, work and pay", 1),  # a short word between commas may be anything
        ("Whatever you may think about it, work and pay", 0),
    ],
)
def test_a_list_begins_with_an_item_that_is_introduced_or_short(text, left):
    assert _left(text, "work", "pay") == left


def test_a_sentence_or_a_colon_ends_a_list():
    assert _left("Draw sleep, work and pay: what drives what, and why?", "sleep", "work", "pay") == 0
    assert _left("Draw sleep and pay. Leave age, sex and height aside.", "sleep", "pay") == 0


def test_long_asides_and_idle_words_are_no_items():
    assert _left("Link sleep, that and the, pay", "sleep", "pay") == 0
    aside = "which I have to hand in to the head of our department on Friday"
    assert _left(f"Link sleep, {aside}, pay", "sleep", "pay") == 0


def test_each_thing_is_one_item():
    text = "Draw the depression before, the depression after and sleep"
    before, after = text.index("depression"), text.rindex("depression")
    sleep = [(text.index("sleep"), len(text))]
    both = [(before, before + 10), (after, after + 10)]
    assert list_misfits(text, [both, sleep]) == 1
    assert list_misfits(text, [both, both, sleep]) == 0


def test_nodes_stand_where_they_are_named_or_where_their_words_are():
    evidence = QuestionEvidence("graph of fico, debt to income and rate?", ["fico", "dti", "rate"], None)
    assert evidence.list_misfits(["fico", "rate"], {}) == 1.0
    assert evidence.list_misfits(["fico", "dti", "rate"], {"dti": "debt to income"}) == 0.0


def test_two_nodes_of_one_item_are_one_too_many():
    text = "sleep at night, mood at the end, work and pay: draw it"
    assert list_misfits(text, [_place(text, word) for word in ("sleep", "mood", "end", "work", "pay")]) == 1
    assert list_misfits(text, [_place(text, word) for word in ("sleep", "mood at the end", "work", "pay")]) == 0


def test_names_without_commas_and_clauses_of_causing_hold_several_nodes():
    text = "mood sleep, work: draw it"
    places = [_place(text, word) for word in ("mood", "sleep", "work")]
    assert list_misfits(text, places, [one[0] for one in places]) == 0
    text = "Does mood lead to sleep, or work to pay?"
    assert list_misfits(text, [_place(text, word) for word in ("mood", "sleep", "work", "pay")]) == 0


def _place(text: str, words: str) -> list[tuple[int, int]]:
    return [(text.index(words), text.index(words) + len(words))]


@given(
    text=st.text(alphabet="ab ,.:&", max_size=40),
    places=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=4),
)
def test_there_are_no_more_list_misfits_than_separators(text, places):
    left = list_misfits(text, [[(min(one), max(one) + 1)] for one in places])
    assert 0 <= left <= sum(text.count(mark) for mark in ",&") + max(0, len(places) - 1)
