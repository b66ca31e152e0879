"""Reading questions: whatever the model prefers, the reading names columns of the header and keeps the contract."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from causal_tools.errors import NotCausal, QueryError
from causal_tools.likely_words import LikelyWords
from causal_tools.parsing import read_question, read_questions
from causal_tools.reading_evidence import QuestionEvidence
from causal_tools.reading_search import Asked
from causal_tools.reading_weights import NO_WEIGHTS
from lm import load_language_model
from lm.registry import shipped_adapter

from .readings import NAMES, ODD_NAMES, QUESTIONS, SPELT, Preferring, Scripted, keeps_the_contract


@settings(deadline=None, max_examples=6)
@given(
    columns=st.lists(st.sampled_from(ODD_NAMES) | NAMES, min_size=2, max_size=6, unique=True),
    question=st.sampled_from(QUESTIONS) | st.text(min_size=1, max_size=40).filter(str.strip),
    which=st.integers(0, 3),
)
@example(columns=["age", "age_2", "ag"], question="effect of ag on age", which=0)
def test_a_random_model_names_only_columns_of_the_header(models, columns, question, which):
    try:
        reading = read_question(models[which], question, columns, weights=SPELT)
    except (NotCausal, QueryError):
        return
    keeps_the_contract(reading.query, columns, None)
    assert all(0 < value <= 1 + 1e-9 for value in reading.confidence.values())


def test_a_name_in_the_question_outweighs_a_models_whim():
    """The model finds ``age`` a little likelier than the column that the question names."""
    model = Scripted("effect: a on age.", dislike=1.0)
    question, columns = "Does a act on fev1?", ["a", "fev1", "age"]
    assert read_question(model, question, columns, levels={}, weights=NO_WEIGHTS).query.response == "age"
    assert read_question(model, question, columns, levels={}).query.response == "fev1"


def test_the_file_named_in_the_question_is_taken_unless_one_is_given():
    def named(question, dataset=None):
        return read_question(Scripted("effect:", " a on", " b."), question, ["a", "b"], dataset).query.dataset

    assert named("In my-trial.v2.csv, does a act on b?") == "my-trial.v2.csv"
    assert named("In x.csv, does a act on b?", "y.xlsx") == "y.xlsx"
    assert named("Does a act on b?") is None


@pytest.mark.parametrize("question", ["", " \n\t "])
def test_an_empty_question_is_refused_with_an_example(question):
    with pytest.raises(QueryError, match="question is empty"):
        read_question(Preferring(0), question, ["a", "b"])


def test_a_pasted_article_is_refused_and_a_long_question_offers_fewer_phrases():
    with pytest.raises(QueryError, match="has 500 words; put it in at most 400"):
        read_question(Preferring(0), "word " * 500, ["a", "b"])
    model = Scripted("effect:", " a on", " b.")
    question = "does a move b " + " ".join(f"w{i}" for i in range(396))
    assert read_question(model, question, ["a", "b"], weights=SPELT).query.treatment == "a"
    runs = LikelyWords(question, ["a", "b"], QuestionEvidence(question, ["a", "b"], None), None, SPELT).phrases
    assert 1500 < len(runs) <= 2000


def test_what_the_file_cannot_hold_is_said_only_where_nothing_else_is_nearly_as_likely():
    whim = Scripted("mediation:", dislike=2.0)
    assert read_question(whim, "What is the effect of a on b?", ["a", "b"]).query.task == "ATE"
    with pytest.raises(QueryError, match="needs 3 columns"):
        read_question(whim, "How much of the effect of a on b is mediated?", ["a", "b"])


def test_many_asides_do_not_make_a_question_not_causal():
    """Covariates, numbers and levels of scales that many columns share are no reason to refuse."""
    columns = ["drug", "days", "age", "sex", "bmi", "income", "smoker", *(f"q{i}" for i in range(20))]
    levels = {f"q{i}": ["agree", "disagree", "neutral"] for i in range(20)}
    question = (
        "Adjusting for age, sex, bmi, income and smoker, of 12 sites, 30 wards and 1,200 patients seen in 2019 and 2020: what "
        "is the effect of drug on days for those who agree with q5?"
    )

    lm = load_language_model(str(shipped_adapter()), device="cpu")
    query = read_question(lm, question, columns, levels=levels).query
    assert (query.task, query.treatment, query.response) == ("HTE", "drug", "days")


@pytest.mark.parametrize("columns", [[], ["only"]])
def test_too_few_columns_are_refused(columns):
    with pytest.raises(QueryError, match=f"has {len(columns)}"):
        read_question(Preferring(0), "Does a act on b?", columns)


def test_a_name_that_stands_twice_or_is_empty_in_the_header_fills_no_slot():
    """A header given by hand may repeat a name."""
    model = Scripted("effect:", " a on", " b.")
    query = read_question(model, "Does a act on b?", ["a", "a", "", "b"]).query
    assert (query.treatment, query.response) == ("a", "b")
    with pytest.raises(QueryError, match="at least two columns"):
        read_question(Preferring(0), "Does a act on a?", ["a", "a"])


def test_mediation_needs_three_columns():
    with pytest.raises(QueryError, match="needs 3 columns"):
        read_question(Scripted("mediation:"), "Does a act on b through c?", ["a", "b"])


def test_a_subgroup_without_any_value_is_refused():
    with pytest.raises(QueryError, match="no value"):
        read_question(Scripted("subgroup: a on b."), "Effect of a on b among women?", ["a", "b", "c"], levels={})


def test_a_wide_file_offers_the_columns_closest_to_the_questions_words():
    columns = [f"gene_{i}" for i in range(200)]
    columns[150], columns[7] = "blood_pressure", "salt"
    model = Scripted("effect:", " salt on", " blood_pressure.")
    reading = read_question(model, "Does salt raise blood pressure?", columns)
    assert "60 columns" in reading.notes[0]
    assert (reading.query.treatment, reading.query.response) == ("salt", "blood_pressure")


@pytest.mark.parametrize(
    ("question", "task", "roles"),
    [
        (
            "What is the average effect of smoker on fev1 in lung.csv?",
            "ATE",
            {"treatment": "smoker", "response": "fev1"},
        ),
        ("Draw the causal graph of all columns in lung.csv.", "CGL", {"nodes": "all"}),
    ],
)
def test_the_shipped_assistant_reads_plain_questions(question, task, roles):
    lm = load_language_model(str(shipped_adapter()), device="cpu")
    query = read_question(lm, question, ["smoker", "fev1", "age"], levels={}).query
    assert (query.task, query.dataset) == (task, "lung.csv")
    assert {role: getattr(query, role) for role in roles} == roles


def test_questions_read_side_by_side_are_read_as_alone(models):
    asked = [
        Asked("Does t act on y?", ("t", "y", "age")),
        Asked("", ("t", "y")),
        Asked("Effect of age on fev1 where sex is f?", ("age", "fev1", "sex"), "lung.csv", {"sex": ["f", "m"]}),
        Asked("How do all columns hang together?", ("a", "b", "c")),
        Asked("Is 5 or 6 best?", ("a", "b", "c", "d")),
    ]
    for model in [Preferring(1), models[0]]:
        together = read_questions(model, asked, SPELT)
        for one, found in zip(asked, together, strict=True):
            try:
                alone = read_question(model, one.question, one.columns, one.dataset, one.levels, SPELT)
            except (QueryError, NotCausal) as error:
                assert (type(found), str(found)) == (type(error), str(error))
            else:
                assert found.query == alone.query
                assert found.confidence == pytest.approx(alone.confidence, abs=1e-3)
    assert read_questions(Preferring(1), []) == []


def test_a_column_named_in_full_is_offered_before_many_that_share_a_word_with_the_question():
    from causal_tools.parsing import _prepared

    columns = [f"gene_{place:03d}" for place in range(120)] + ["growth_rate"]
    asked, notes = _prepared(Asked("What is the effect of gene_110 on growth_rate?", tuple(columns)))
    assert {"gene_110", "growth_rate"} <= set(asked.columns)
    assert len(asked.columns) == 60 and "closest" in notes[0]
