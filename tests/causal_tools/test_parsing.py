"""Reading questions: whatever the model prefers, the reading names columns of the header and keeps the contract."""

from __future__ import annotations

import hashlib
import json
import re
from itertools import groupby

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from causal_tools.contract import CausalQuery, Condition
from causal_tools.draft import Draft
from causal_tools.errors import NotCausal, QueryError
from causal_tools.likely_words import LikelyWords
from causal_tools.parsing import Asked, find_readings, read_question, read_questions
from causal_tools.prompts import OPERATOR_WORDS, reading_text
from causal_tools.reading_evidence import QuestionEvidence
from causal_tools.reading_form import MOST_CONDITIONS, ReadingForm
from causal_tools.reading_weights import NO_WEIGHTS, SIGNS, Weights
from lm import LanguageModel, load_language_model
from lm.registry import shipped_adapter
from lm.tiny import tiny_model

ODD_NAMES = [
    "age",
    "age_2",
    "ag",
    'height "cm"',
    "C:\\path",
    "100%",
    "naïve 日本",
    "a, b",
    "x{0}",
    "it's",
    "y |",
    "all",
]
QUESTIONS = [
    "What is the effect of age on height?",
    "Does naïve 日本 change C:\\path where age is 45 or -1,234.5?",
    'In "trial.data.csv", which 100% action is best for "height \\"cm\\""?',
    "How do all columns hang together?",
    "?",
    "effect of % {x} \\n on y",
]
# of invented phrases meaning and readers say nothing, and take time
SPELT = Weights(unlike_in_meaning=0.0, **{name: 0.0 for name in SIGNS if name.startswith("second_")})
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)


class Preferring:
    """A language model of arbitrary but fixed preferences, by a hash."""

    def __init__(self, taste: int) -> None:
        self.taste = taste

    def chat_text(self, messages) -> str:
        return json.dumps(list(messages)) + "|"

    def score_continuations(self, contexts, candidates) -> list[np.ndarray]:
        assert len(contexts) == len(candidates) > 0
        for row in candidates:
            assert len(row) == len(set(row)) > 0
        return [
            np.array([self.log_prob(context, piece) for piece in row])
            for context, row in zip(contexts, candidates, strict=True)
        ]

    def log_prob(self, context: str, piece: str) -> float:
        key = f"{self.taste}|{context}|{piece}".encode(errors="surrogatepass")
        return -int.from_bytes(hashlib.sha256(key).digest()[:4]) / 2**28


class Scripted(Preferring):
    """A model that wants a certain reading: its parts stand at 0, others at −``dislike``."""

    def __init__(self, *wanted: str, dislike: float = 100.0) -> None:
        super().__init__(0)
        self.wanted = "".join(wanted)
        self.dislike = dislike

    def log_prob(self, context: str, piece: str) -> float:
        return 0.0 if self.wanted.startswith(context.rpartition("|")[2] + piece) else -self.dislike


def grown(form: ReadingForm, *pieces: str) -> Draft:
    """What is written of a form, piece by piece."""
    draft = form.begin()
    for piece in pieces:
        wanted = draft.text + piece
        draft = next(then for then in draft.next(draft, np.inf) if then.text == wanted)
    return draft


def offered(form: ReadingForm, *pieces: str) -> set[str]:
    """What may be written next."""
    draft = grown(form, *pieces)
    return {then.text.removeprefix(draft.text) for then in draft.next(draft, np.inf)}


@pytest.fixture(scope="module")
def models() -> list[LanguageModel]:
    """Random models with weights of their own, so that they prefer different tasks."""
    return [LanguageModel(f"tiny {seed}", *tiny_model(seed)) for seed in range(4)]


def _keeps_the_contract(query: CausalQuery, columns: list[str], levels) -> None:
    assert set(query.columns()) <= set(columns)
    assert CausalQuery.model_validate_json(query.model_dump_json()) == query
    assert not {query.treatment, query.response} & {condition.column for condition in query.conditions}
    on = [list(held) for _, held in groupby(query.conditions, key=lambda condition: condition.column)]
    assert len({held[0].column for held in on}) == len(on) <= MOST_CONDITIONS
    for held in on:  # one on each column, or the two ends of a range
        assert len(held) == 1 or [condition.operator for condition in held] == [">=", "<="]
    for condition in query.conditions:
        if levels and condition.column in levels:
            values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
            assert set(values) <= set(levels[condition.column])


@settings(deadline=None, max_examples=30)
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
    _keeps_the_contract(reading.query, columns, None)
    assert all(0 < value <= 1 + 1e-9 for value in reading.confidence.values())


@settings(deadline=None, max_examples=150)
@given(
    taste=st.integers(0, 10**6),
    columns=st.lists(st.sampled_from(ODD_NAMES) | NAMES, min_size=2, max_size=7, unique=True),
    question=st.sampled_from(QUESTIONS) | st.text(min_size=1, max_size=40).filter(str.strip),
    levels=st.none()
    | st.dictionaries(st.sampled_from(ODD_NAMES), st.lists(NAMES | st.integers(), max_size=4, unique_by=str)),
)
@example(taste=0, columns=["age", "ag", "0"], question=".0", levels=None)
@example(taste=0, columns=["age", "ag", "0"], question="Is " + "9" * 400 + " or 0.50 or .5 best?", levels={})
def test_any_preference_gives_a_sound_reading_and_what_is_written_is_that_reading(taste, columns, question, levels):
    model = Preferring(taste)
    for draft in find_readings(model, [Asked(question, tuple(columns), levels=levels)], SPELT)[0]:
        if draft.task == "NONE":
            assert draft.text == "none."
        elif draft.fault is None:
            query = CausalQuery.model_validate(draft.fields)
            _keeps_the_contract(query, columns, levels)
            assert draft.text == reading_text(query, draft.said)
            assert set(draft.said) <= set(columns)
            assert all(words in " ".join(question.split()) for words in draft.said.values())


@pytest.mark.parametrize(
    ("question", "task"),
    [
        ("What is the effect of dose on pain?", "ATE"),
        ("What is the effect of dose on pain for those over 60?", "HTE"),
        ("How much of the effect of dose on pain goes through sleep?", "MA"),
        ("Which dose is best against pain at age 60?", "OPO"),
        ("Draw the causal graph of dose, pain and sleep.", "CGL"),
        ("What is the mean age?", "NONE"),
    ],
)
def test_a_question_of_each_task_is_read_as_such(question, task):
    """By a model without taste: the readers and the question's words decide."""
    found = find_readings(Preferring(1), [Asked(question, ("dose", "pain", "sleep", "age"), levels={})], Weights())[0]
    assert found[0].task == task


def test_a_readings_score_is_its_log_probability_less_what_speaks_against_it(models, monkeypatch):
    """Against the plain oracle: readings found of a real network, part by part; words for a column are given."""
    from ..lm.oracle import log_prob

    monkeypatch.setattr("causal_tools.parsing.REACH", 30.0)  # else there is one query alone, and nothing to judge
    columns, question = ["smoker", "smoker_age", "fev1"], "What is the effect of smoker on lungs, or fev1?"
    from causal_tools.prompts import parse_messages

    for model in models[:2]:
        start = model.chat_text(parse_messages(question, columns))
        drafts = find_readings(model, [Asked(question, tuple(columns), levels={})], Weights())[0]
        effects = [draft for draft in drafts if draft.task == "ATE"]
        assert effects
        for draft in effects[:5]:
            before, nats = start, 0.0
            given = [f" {words} =" for words in draft.said.values()]
            for part in re.split(f"({'|'.join(map(re.escape, given))})", draft.text) if given else [draft.text]:
                nats += log_prob(model, before, part) if part and part not in given else 0.0
                before += part
            assert draft.log_prob == pytest.approx(nats, abs=1e-3)
        assert any("=" in draft.text for draft in effects)
        sums = [sum(np.exp(d.score(Weights())) for d in drafts if d.query == draft.query) for draft in drafts]
        assert sums == sorted(sums, reverse=True)


def test_where_all_that_is_proposed_is_one_query_the_model_is_not_asked():
    class Silent(Preferring):
        def score_continuations(self, contexts, candidates):
            raise AssertionError("asked")

    reading = read_question(Silent(0), "What is the effect of dose on pain?", ["dose", "pain", "age"], levels={})
    assert (reading.query.treatment, reading.query.response) == ("dose", "pain")
    assert reading.confidence == pytest.approx({"task": 1.0, "treatment": 1.0, "response": 1.0})


def test_values_share_out_the_models_probability_among_those_that_there_are(monkeypatch):
    monkeypatch.setattr("causal_tools.parsing.REACH", 30.0)
    question, columns = "Effect of t on y where c is b?", ("t", "y", "c")
    model = Scripted("subgroup: t on y where c is exactly b.", dislike=3.0)
    found = find_readings(model, [Asked(question, columns, levels={"c": ["a", "b", "d"]})], Weights())[0]
    right = next(draft for draft in found if draft.text == model.wanted)
    assert right.log_prob == pytest.approx(-np.log(1 + 2 * np.exp(-3.0)))


def test_a_reading_with_conditions_is_written_slot_by_slot():
    question = "In trial.csv, what does drug do to days where region is north or south and age is 45 and more?"
    columns, levels = ("drug", "days", "region", "age"), {"region": ["north", "south", "west"]}
    draft = grown(
        ReadingForm(question, columns, levels),
        *("subgroup:", " drug on", " days where", " region is", " among", " north or", " south and", " age is"),
        *(" from", " 45."),
    )
    assert draft.fields == {
        "task": "HTE",
        "treatment": "drug",
        "response": "days",
        "conditions": (
            Condition(column="region", operator="in", value=("north", "south")),
            Condition(column="age", operator=">=", value=45),
        ),
    }
    assert draft.next is None
    rivals = {draft.text[begin:end]: set(pieces) for begin, end, pieces in draft.offered}
    assert rivals[" north or"] == {" north or", " south or"}  # one more must follow, in the question's order
    assert rivals[" 45."] == {" 45."}
    reading = read_question(Scripted(draft.text), question, columns, levels=levels)
    assert reading.query.conditions == draft.fields["conditions"]
    assert reading.query.dataset == "trial.csv"


def test_sets_of_columns_are_written_once_in_the_order_of_the_question():
    form = ReadingForm("Which of cc, aa and dd drive bb?", ("aa", "bb", "cc", "dd", "ee"), None)
    assert offered(form, "graph:", " cc,") >= {" aa,", " dd,", " aa.", " dd.", " bb."}
    assert not offered(form, "graph:", " aa,") & {" cc,", " cc.", " ee,"}
    assert " all columns." in offered(form, "graph:")
    assert " all columns." not in offered(form, "graph:", " cc,")


@pytest.mark.parametrize("words", ["aged 30 to 50", "aged between 30 and 50", "aged from 30 years up to 50 years"])
def test_a_range_is_two_conditions_on_one_column(words):
    question = f"For men in the north, {words}, how does the drug act on days?"
    text = "subgroup: drug on days where north = region is exactly north and aged = age is from 30 and age is to 50."
    levels = {"region": ["north", "south"]}
    reading = read_question(Scripted(text), question, ["drug", "days", "age", "region"], levels=levels)
    assert reading.query.conditions == (
        Condition(column="region", operator="=", value="north"),
        Condition(column="age", operator=">=", value=30),
        Condition(column="age", operator="<=", value=50),
    )
    alone = ReadingForm("For men aged 30, not 50, how does the drug act on days?", ("drug", "days", "age"), {})
    assert not any(
        "and age" in piece for piece in offered(alone, "subgroup:", " drug on", " days where", " age is", " from")
    )


def test_a_column_may_come_after_the_questions_words_for_it():
    question = 'Does "the new drug" mean breathing better, at 3?'
    model = Scripted("effect: the new drug = dose on breathing better = fev1.", dislike=0.0)
    reading = read_question(model, question, ["dose", "fev1", "age"])
    assert (reading.query.treatment, reading.query.response) == ("dose", "fev1")
    assert set(reading.said) == {"dose", "fev1"}
    assert "drug" in reading.said["dose"]
    assert "breathing" in reading.said["fev1"]
    form = ReadingForm(question, ["dose", "fev1", "age"], None)
    assert not any(piece.startswith(" 3 =") for piece in offered(form, "effect:"))


def test_confidence_is_the_share_of_the_readings_found_that_agree():
    """Two columns and no levels: of the readings proposed, one stands at 0 and the others at −4."""
    model = Scripted("effect: a on b.", dislike=4.0)
    confidence = read_question(model, "Does a act on b?", ["a", "b"], levels={}, weights=NO_WEIGHTS).confidence
    found = find_readings(model, [Asked("Does a act on b?", ("a", "b"), levels={})], NO_WEIGHTS)[0]
    shares = np.exp([draft.score(NO_WEIGHTS) for draft in found])
    agreeing = [draft.task == "ATE" for draft in found]
    assert 0.5 < confidence["task"] == pytest.approx(shares[agreeing].sum() / shares.sum())


def test_a_name_in_the_question_outweighs_a_models_whim():
    """The model finds ``age`` a little likelier than the column that the question names."""
    model = Scripted("effect: a on age.", dislike=1.0)
    question, columns = "Does a act on fev1?", ["a", "fev1", "age"]
    assert read_question(model, question, columns, levels={}, weights=NO_WEIGHTS).query.response == "age"
    assert read_question(model, question, columns, levels={}).query.response == "fev1"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("at 1,234.5 units", {"1234.5"}),
        ("below −3 degrees", {"-3"}),
        ("between 10 and 20.5", {"10", "20.5"}),
        ("with +7 points", {"7"}),
        ("at .5 or 0.50 of it", {"0.5"}),
        ("for v2 only", set()),
    ],
)
def test_numbers_of_the_question_are_offered_as_values(text, numbers):
    form = ReadingForm(f"Effect of a on b {text}?", ["a", "b", "c"], {})
    assert (" b where" in offered(form, "subgroup:", " a on")) == bool(numbers)
    if numbers:
        pieces = offered(form, "subgroup:", " a on", " b where", " c is", " exactly")
        assert {piece[1:-1] for piece in pieces} == numbers


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


@pytest.mark.parametrize(
    ("levels", "operators"),
    [([0, 1], {"exactly"}), (["a", "b", "c"], {"exactly", "not", "among"}), ([1, 2, 3], set(OPERATOR_WORDS.values()))],
)
def test_a_condition_is_offered_the_operators_that_say_something_of_its_column(levels, operators):
    form = ReadingForm(f"what does t do to y where c is {levels[0]}, of 7?", ["t", "y", "c"], {"c": levels})
    found = offered(form, "subgroup:", " t on", " y where", " c is")
    assert {piece.strip() for piece in found} == operators


def test_a_condition_on_all_levels_of_a_column_is_none():
    form = ReadingForm(
        "does t act on y in the north, south or east?", ["t", "y", "c"], {"c": ["north", "south", "east"]}
    )
    two = ("subgroup:", " t on", " y where", " c is", " among", " north or")
    assert offered(form, *two) == {" south.", " south or", " east."}
    assert offered(form, *two, " south or") == set()


def test_questions_read_side_by_side_are_read_as_alone(models):
    asked = [
        Asked("Does t act on y?", ("t", "y", "age")),
        Asked("", ("t", "y")),
        Asked("Effect of age on fev1 where sex is f?", ("age", "fev1", "sex"), "lung.csv", {"sex": ["f", "m"]}),
        Asked("How do all columns hang together?", ("a", "b", "c")),
        Asked("Is 5 or 6 best?", ("a", "b", "c", "d")),
    ]
    for model in [Preferring(1), Preferring(2), *models[:2]]:
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
