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
    assert covariates_said("drug on pain, adjusted for age and wealth", columns).others == ("wealth",)


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("Net of age and sex, our board wants to hear whether sleep, of which we know little, does anything at all to what "
         "people earn in a week, be it in the north, in the south, or in the places between them", ["age and sex"]),
        ("After accounting for age (q1), the column sex, and pay, our sleep is better", ["age (q1), the column sex, and pay"]),
        ("Comparing like with like in age, sleep raises pay, they say", ["age"]),
        ("For equal age, sex is told apart. Sleep and pay?", ["age"]),
        ("Does sleep change pay? Allow for age, sex.", ["age, sex"]),
        ("Does sleep change pay? Mind age and sex as confounders.", ["age and sex"]),
        ("Does sleep change pay? Put age in as control variables.", ["age"]),
        ("Does sleep change pay? Age should be controlled for.", ["Age"]),
        ("Once age is accounted for, does sleep change pay?", ["age"]),
        ("Does sleep change pay? Rule out age as an explanation.", ["age"]),
        ("Age and sex may confound this. Does sleep change pay?", ["Age and sex"]),
        ("Other things such as age being equal, does sleep change pay?", ["age"]),
        ("How much of the change in pay does sleep account for?", []),
        ("What allows for sleep?", []),
    ],
)  # fmt: skip
def test_a_list_of_what_is_adjusted_for_ends_where_its_last_item_does(text, lists):
    assert _texts(text, adjusted_for(text)) == lists


def test_words_for_a_column_are_enough_to_adjust_for_it_where_no_other_is_like_them():
    columns = ["drug", "pain", "hh_size", "edu_years", "edu_level"]
    assert covariates_said("drug on pain, adjusting for household size", columns) == (("hh_size",), ())
    assert covariates_said("drug on pain, adjusting for household size and education", columns) == (
        ("hh_size",),
        ("education",),
    )


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("Adjusting for age and sex, does sleep change pay?", True),
        ("Adjusting for sex, does sleep change pay where age is 30?", False),
        ("Adjusting for age, does sleep change pay where age is 30?", False),
        ("Does sleep change pay?", False),
    ],
)
def test_what_is_only_adjusted_for_is_no_condition(text, denied):
    assert QuestionEvidence(text, COLUMNS, None).denies_role("where 2", "age", None) is denied
