"""Whether a question for the best action wants more of the response, or less."""

from __future__ import annotations

import re

import pytest

from causal_tools.contract import CausalQuery
from causal_tools.goal_said import lower_is_wanted
from causal_tools.parsing import Reading
from causal_tools.reading_notes import with_goal


def _wants_less(text: str) -> bool | None:
    """Of a question with the words for the response between bars, and those for other columns in brackets."""
    plain = re.sub(r"[|\[\]]", "", text)
    own, others = (
        [found.span() for words in re.findall(marked, text) for found in re.finditer(re.escape(words), plain)]
        for marked in (r"\|(.+?)\|", r"\[(.+?)\]")
    )
    return lower_is_wanted(plain, "mood_score", own, others)


@pytest.mark.parametrize(
    ("question", "less"),
    [
        ("What is the best choice of [drug] to minimise |pain|?", True),
        ("[Drug or no drug], for as few |falls| as possible?", True),
        ("Which [dose] gives the most |sleep|?", False),
        ("[Drug or not]: the |pain| should go down.", True),
        ("Which [arm] reduces |pain| in [those with fewer than 3 visits]?", True),
        ("Which [arm] is best for |pain| in [those with more than 3 visits]?", None),
        ("Which [arm] for |sleep|, at least 6 hours?", None),
        ("[Statin or none], so that |no stroke| follows?", True),
        ("Which [arm] harms |trust| the least, i.e. leaves |trust| highest?", False),
        ("Lowest bill wins. Which [plan], by |what they pay|?", True),
        ("Which [arm] gives longer |sleep|? I never rest.", False),
        ("Which [arm] should they get, by |sleep|?", None),
        ("Minimise or maximise, I do not care: which [arm], by |sleep|?", None),
    ],
)
def test_the_nearest_word_of_less_or_more_decides(question, less):
    assert _wants_less(question) is less


def test_words_that_say_the_opposite_of_a_name_want_less_of_it():
    text = "Drug or no drug, so that they are unemployed no longer? By the unemployed."
    assert lower_is_wanted(text, "employed", [(63, 73)]) is True


@pytest.mark.parametrize(
    ("question", "less", "note"),
    [
        ("Which arm minimises pain?", True, "wants less of 'pain'"),
        ("Which arm, by pain?", False, "does not say whether more or less of 'pain' is wanted"),
        ("Which arm gives the most pain?", False, None),
    ],
)
def test_a_reading_says_what_was_taken_to_be_better(question, less, note):
    query = CausalQuery(task="OPO", treatment="arm", response="pain")
    found = with_goal(Reading(query), question, ["arm", "pain", "age"])
    assert found.query.lower_is_better is less
    assert [note] == [note for text in found.notes if note and note in text] or found.notes == []


def test_other_tasks_have_no_goal():
    reading = Reading(CausalQuery(task="ATE", treatment="arm", response="pain"))
    assert with_goal(reading, "Does arm reduce pain?", ["arm", "pain"]) == reading
