"""Words of a question that may stand for a column: what the readers find clear, as a whole, and what is likest its name."""

from __future__ import annotations

import math

import numpy as np
import pytest

from causal_tools.likely_words import CLEAREST, KEPT, LikelyWords
from causal_tools.reading_evidence import QuestionEvidence
from causal_tools.reading_weights import Weights

from .test_second_reading import COLUMNS, _second

QUESTION = "the new pill eases aching joints"
PILL, ACHES, NOTHING = [0.9, 0.02, 0.02, 0.06], [0.02, 0.9, 0.02, 0.06], [0.02, 0.02, 0.02, 0.94]
LINKS = [NOTHING, PILL, PILL, NOTHING, ACHES, ACHES]


def _likely(second, question: str = QUESTION, columns=COLUMNS) -> LikelyWords:
    return LikelyWords(question, columns, QuestionEvidence(question, columns, None), second, Weights())


def test_words_are_as_clear_as_all_of_them_together():
    second = _second(QUESTION, links=LINKS)
    odds = math.log(0.9 / 0.1)
    assert second.words_for("pill")[0] == pytest.approx(odds)
    assert second.words_for("new pill")[0] == pytest.approx(2 * odds)
    assert second.words_for("the new pill")[0] == pytest.approx(2 * odds + math.log(0.02 / 0.98))
    assert second.words_for("not there")[0] == -np.inf


def test_the_whole_of_the_clear_words_comes_first():
    likely = _likely(_second(QUESTION, treatment=[5.0, 0, 0], response=[0, 5.0, 0], links=LINKS))
    assert likely.of["drug"][0].words == "new pill"
    assert likely.of["pain"][0].words == "aching joints"
    assert all(len(held) <= KEPT for held in likely.of.values())
    assert likely.place("drug") == QUESTION.index("new pill")


def test_no_words_are_looked_for_where_a_column_is_in_no_slot():
    second = _second(
        QUESTION, links=LINKS, treatment=[9.0, 9.0, 0.0], response=[9.0, 9.0, 0.0], mediator=[9.0, 9.0, 0.0]
    )
    likely = _likely(second)
    assert second.share_anywhere("age") < 0.004 < second.share_anywhere("drug")
    assert likely.of["age"] == []
    assert likely.place("age") == len(QUESTION)


def test_words_that_name_the_column_are_no_other_words_for_it():
    question = "does the drug dose ease pain"
    likely = _likely(None, question, ("drug_dose", "pain", "age"))
    words = [taken.words for column in ("drug_dose", "pain") for taken in likely.of[column]]
    assert not {"drug dose", "the drug dose", "pain", "ease pain"} & set(words)
    assert likely.place("drug_dose") == question.index("drug dose")


def test_without_readers_the_likest_words_are_found():
    likely = _likely(None, "does a longer boat catch more", ("boat_len", "catch_kg", "crew"))
    assert likely.of["boat_len"][0].words == "boat"
    assert likely.of["boat_len"][0].unlike == 0.0
    assert CLEAREST > KEPT
