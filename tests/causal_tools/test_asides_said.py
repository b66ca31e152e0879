"""What a question leaves aside, adjusts for, or gives a role by name."""

from __future__ import annotations

import pytest

from causal_tools.asides_said import adjusted_for, left_aside, regardless_of
from causal_tools.covariates_said import covariates_said
from causal_tools.reading_evidence import QuestionEvidence
from causal_tools.roles_said import role_given


def _texts(text: str, places: list[tuple[int, int]]) -> list[str]:
    return [text[start:end] for start, end in places]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Adjusting for age, sex and income, does sleep change pay?", ["age, sex and income"]),
        ("Effect of a on b, controlling for c and d, in men over 50.", ["c and d"]),
        ("With age held constant, what does sleep do to pay?", ["age"]),
        ("What does sleep do to pay when age and sex are kept fixed?", ["age and sex"]),
        ("Sleep and pay, with age, sex as covariates", ["age, sex"]),
        ("Adjusting for age does sleep change pay?", ["age"]),
        ("Those with tariff equal to flat, age the same as mine: does sleep change pay?", []),
        ("Is it correct for women to sleep more?", []),  # nothing is corrected
        ("Does the new law allow for more jobs?", []),
        ("Keep your hopes up. Does the dose, once fixed, change pain?", []),  # of two sentences
    ],
)
def test_what_is_adjusted_for(text, said):
    assert _texts(text, adjusted_for(text)) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Please set age aside. Does sleep change pay?", ["age"]),
        ("Put sleep, work and pay in a graph, leave their age out", ["their age"]),
        ("Age plays no part. Does sleep change pay?", ["Age"]),
        ("I do not care about age, only about pay: does sleep raise it?", ["age"]),
        ("You will find age there, ignore it. Does sleep change pay?", [" age there"]),
        ("Which of rest and money put aside matters for sleep?", []),
        ("Do the old forget more when they sleep less?", []),
        ("Fewest burns, cuts are another story.", ["cuts"]),
    ],
)
def test_what_is_left_aside(text, said):
    assert _texts(text, left_aside(text)) == said


def test_a_file_s_name_ends_no_sentence():
    text = "Adjusting for age in data.csv and sex, does sleep change pay?"
    assert _texts(text, adjusted_for(text)) == ["age in data.csv and sex"]


COLUMNS = ["sleep", "pay", "age", "sex"]


@pytest.mark.parametrize(
    ("text", "slot", "column", "denied"),
    [
        ("Adjusting for age, does sleep change pay?", "treatment", "age", True),
        ("Adjusting for age, does sleep change pay?", "treatment", "sleep", False),
        ("Adjusting for age, does sleep change pay?", "mediator", "age", False),  # one way to ask for a mediator
        ("Never mind age: does sleep change pay?", "mediator", "age", True),
        ("Never mind age. Does sleep change pay by way of age?", "mediator", "age", False),
        ("outcome: sleep, treatment: pay", "treatment", "sleep", True),
        ("outcome: sleep, treatment: pay", "response", "sleep", False),
        ("outcome: sleep, treatment: pay", "where 1", "sleep", False),
    ],
)
def test_a_role_that_the_question_denies(text, slot, column, denied):
    assert QuestionEvidence(text, COLUMNS, None).denies_role(slot, column, None) is denied


def test_a_name_that_is_only_adjusted_for_is_not_left_out():
    evidence = QuestionEvidence("Adjusting for age, does sleep change pay? Age first.", COLUMNS, None)
    assert evidence.unused(["sleep", "pay"], (), {})["left_out"] == ["age"]  # it is said once more
    evidence = QuestionEvidence("Adjusting for age, does sleep change pay?", COLUMNS, None)
    assert evidence.unused(["sleep", "pay"], (), {})["left_out"] == []


def test_regardless_of_is_no_adjustment():
    text = "Does sleep change pay regardless of age?"
    assert (adjusted_for(text), _texts(text, regardless_of(text))) == ([], ["age"])


@pytest.mark.parametrize(
    ("text", "word", "role"),
    [
        ("Treatment is dose; outcome = pain", "dose", "treatment"),
        ("Treatment is dose; outcome = pain", "pain", "response"),
        ("sleep as a mediator between dose and pain", "sleep", "mediator"),
        ("sleep as a mediator between dose and pain", "dose", None),
        ("dose (exposure) and pain (outcome)", "dose", "treatment"),
        ("the effect of treatment on pain", "pain", None),
        ("endpoint: the 'pain' column", "pain", "response"),
    ],
)
def test_roles_by_name(text, word, role):
    start = text.index(word)
    assert role_given(text, (start, start + len(word))) == role


def test_covariates_are_taken_where_all_have_their_names():
    columns = ["drug", "pain", "age", "income_k"]
    assert covariates_said("drug on pain, adjusted for Age and income k", columns) == (("age", "income_k"), ())
    assert covariates_said("drug on pain, adjusted for age and how rich they are", columns).columns == ("age",)
    assert covariates_said("drug on pain, adjusted for age and wealth", columns).others == ("age and wealth",)
