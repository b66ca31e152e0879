"""Reading questions: whatever the model prefers, the reading names columns of the header and keeps the contract."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from causal_tools.contract import CausalQuery
from causal_tools.errors import NotCausal, QueryError
from causal_tools.parsing import MOST_COLUMNS, MOST_CONDITIONS, read_question
from causal_tools.prompts import reading_text
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
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)


class Preferring:
    """A language model of arbitrary but fixed preferences, by a hash; it also keeps what was written."""

    def __init__(self, taste: int) -> None:
        self.taste, self.text = taste, ""

    def chat_text(self, messages) -> str:
        return json.dumps(list(messages))

    def continuation(self, text: str) -> Preferring:
        self.start = len(text)
        self.text = text
        return self

    def append(self, text: str) -> None:
        self.text += text

    def log_probs(self, candidates) -> np.ndarray:
        assert len(candidates) == len(set(candidates)) > 0
        keys = [f"{self.taste}|{self.text}|{c}".encode() for c in candidates]
        return np.array([-int.from_bytes(hashlib.sha256(key).digest()[:4]) / 2**28 for key in keys])

    likely_log_probs = log_probs

    @property
    def written(self) -> str:
        return self.text[self.start :]


class Scripted(Preferring):
    """A model that wants certain pieces, in this order."""

    def __init__(self, *wanted: str) -> None:
        super().__init__(0)
        self.wanted = list(wanted)
        self.offered: list[list[str]] = []

    def log_probs(self, candidates) -> np.ndarray:
        self.offered.append(list(candidates))
        piece = self.wanted.pop(0)
        assert piece in candidates, (piece, candidates)
        return np.array([0.0 if candidate == piece else -2.0 for candidate in candidates])

    likely_log_probs = log_probs


@pytest.fixture(scope="module")
def models() -> list[LanguageModel]:
    """Random models with weights of their own, so that they prefer different tasks."""
    return [LanguageModel(f"tiny {seed}", *tiny_model(seed)) for seed in range(4)]


def _keeps_the_contract(query: CausalQuery, columns: list[str], levels) -> None:
    assert set(query.columns()) <= set(columns)
    assert CausalQuery.model_validate_json(query.model_dump_json()) == query
    assert len(query.conditions) <= MOST_CONDITIONS
    places = [condition.column for condition in query.conditions]
    assert not {query.treatment, query.response} & set(places)
    assert len(places) == len(set(places))
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
        reading = read_question(models[which], question, columns)
    except (NotCausal, QueryError):
        return
    _keeps_the_contract(reading.query, columns, None)
    assert all(0 < value <= 1 + 1e-9 for value in reading.confidence.values())


@settings(deadline=None, max_examples=300)
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
    try:
        reading = read_question(model, question, columns, levels=levels)
    except NotCausal:
        assert model.written == "none."
        return
    except QueryError:
        return
    _keeps_the_contract(reading.query, columns, levels)
    assert model.written == reading_text(reading.query, reading.said)
    assert set(reading.said) <= set(columns)
    assert all(words in " ".join(question.split()) for words in reading.said.values())


def test_every_task_is_reached_by_some_preference():
    tasks = set()
    for taste in range(80):
        try:
            tasks.add(read_question(Preferring(taste), "Is 5 or 6 best?", ["a", "b", "c", "d"]).query.task)
        except (NotCausal, QueryError) as refused:
            tasks.add(type(refused).__name__)
    assert {"CGL", "ATE", "HTE", "MA", "OPO", "NotCausal"} <= tasks


def test_the_real_models_choice_is_the_candidate_of_highest_probability(models):
    """Slot by slot against the plain oracle, for the task and the treatment."""
    from ..lm.oracle import log_prob

    columns, question = ["smoker", "smoker_age", "fev1"], "What is the effect of smoker on fev1?"
    from causal_tools.prompts import TASK_WORDS, parse_messages

    for model in models:
        start = model.chat_text(parse_messages(question, columns))
        closings = {word: "." if word == "none" else ":" for word in TASK_WORDS.values()}
        scores = {word: log_prob(model, start, word + end) for word, end in closings.items()}
        best = max(scores, key=scores.get)
        try:
            task = TASK_WORDS[read_question(model, question, columns).query.task]
        except NotCausal:
            task = "none"
        except QueryError:
            continue
        assert task == best


def test_a_reading_with_conditions_is_written_slot_by_slot():
    model = Scripted(
        "subgroup:",
        " drug on",
        " days where",
        " region is",
        " among",
        " north or",
        " south and",
        " age is",
        " from",
        " 45.",
    )
    reading = read_question(
        model,
        "In trial.csv, for those of 45 and more in the north or south?",
        ["drug", "days", "region", "age"],
        levels={"region": ["north", "south", "west"]},
    )
    assert model.wanted == []
    assert reading.query == CausalQuery.model_validate(
        {
            "task": "HTE",
            "dataset": "trial.csv",
            "treatment": "drug",
            "response": "days",
            "conditions": [
                {"column": "region", "operator": "in", "value": ("north", "south")},
                {"column": "age", "operator": ">=", "value": 45},
            ],
        }
    )


def test_a_column_may_come_after_the_questions_words_for_it():
    model = Scripted("effect:", " the new drug =", " dose on", " breathing better =", " fev1.")
    reading = read_question(model, 'Does "the new drug" mean breathing better, at 3?', ["dose", "fev1", "age"])
    assert (reading.query.treatment, reading.query.response) == ("dose", "fev1")
    assert reading.said == {"dose": "the new drug", "fev1": "breathing better"}
    assert set(model.offered[2]) == {" dose on", " fev1 on", " age on"}  # only columns, once the words are found
    assert " 3 =" not in model.offered[1]


def test_confidence_is_the_share_of_the_choice_among_its_candidates():
    """Six task words; the wanted one stands at 0 and the others at −2."""
    model = Scripted("effect:", " a on", " b.")
    reading = read_question(model, "Does a act on b?", ["a", "b"])
    assert reading.confidence["task"] == pytest.approx(1 / (1 + 5 * np.exp(-2)))
    assert reading.confidence["treatment"] == pytest.approx(1 / (1 + np.exp(-2)))
    assert reading.confidence["response"] == pytest.approx(1.0)


def test_confidence_adds_up_what_may_follow_a_choice():
    model = Scripted("action:", " a for", " b.")
    reading = read_question(model, "Best a for b, at c of 5?", ["a", "b", "c"], levels={})
    # response: " b." at 0, " b where" at −2; and " c." at −2 (the question's words for a column are no candidates of it)
    wanted = 1 + np.exp(-2)
    others = len([c for c in model.offered[-1] if not c.startswith(" b") and not c.endswith(" =")])
    assert reading.confidence["response"] == pytest.approx(wanted / (wanted + others * np.exp(-2)))


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
    class Watching(Scripted):
        def log_probs(self, candidates):
            self.offered.append(list(candidates))
            if not self.wanted:
                raise StopIteration
            piece = self.wanted.pop(0)
            return np.array([0.0 if candidate == piece else -2.0 for candidate in candidates])

        likely_log_probs = log_probs

    model = Watching("subgroup:", " a on", " b where", " c is", " exactly")
    with pytest.raises((StopIteration, QueryError)):
        read_question(model, f"Effect of a on b {text}?", ["a", "b", "c"], levels={})
    offered = {c[1:-1] for c in model.offered[-1]} if len(model.offered) == 6 else set()
    assert offered == numbers


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


@pytest.mark.parametrize("columns", [[], ["only"]])
def test_too_few_columns_are_refused(columns):
    with pytest.raises(QueryError, match=f"has {len(columns)}"):
        read_question(Preferring(0), "Does a act on b?", columns)


def test_a_name_that_stands_twice_or_is_empty_in_the_header_fills_no_slot():
    """A header given by hand may repeat a name."""
    model = Scripted("effect:", " a on", " b.")
    query = read_question(model, "Does a act on b?", ["a", "a", "", "b"]).query
    assert (query.treatment, query.response) == ("a", "b")
    named = [[piece for piece in offered if not piece.endswith(" =")] for offered in model.offered[1:]]
    assert named == [[" a on", " b on"], [" b."]]
    with pytest.raises(QueryError, match="at least two columns"):
        read_question(Preferring(0), "Does a act on a?", ["a", "a"])


def test_mediation_needs_three_columns():
    with pytest.raises(QueryError, match="needs 3 columns"):
        read_question(Scripted("mediation:"), "Does a act on b through c?", ["a", "b"])


def test_a_subgroup_without_any_value_is_refused():
    with pytest.raises(QueryError, match="no value"):
        read_question(Scripted("subgroup:", " a on", " b."), "Does a act on b in some?", ["a", "b", "c"], levels={})


def test_a_wide_file_offers_the_columns_closest_to_the_questions_words():
    columns = [f"gene_{i}" for i in range(200)]
    columns[150], columns[7] = "blood_pressure", "salt"
    model = Scripted("effect:", " salt on", " blood_pressure.")
    reading = read_question(model, "Does salt raise blood pressure?", columns)
    assert len([piece for piece in model.offered[1] if piece.endswith(" on")]) == MOST_COLUMNS
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
