"""Reading questions: whatever the model prefers, the reading names columns of the header and keeps the contract."""

from __future__ import annotations

import contextlib
import hashlib
import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from causal_tools.contract import CausalQuery
from causal_tools.errors import NotCausal, QueryError
from causal_tools.parsing import MOST_COLUMNS, Asked, find_readings, read_question, read_questions
from causal_tools.prompts import OPERATOR_WORDS, reading_text
from causal_tools.reading_evidence import NO_WEIGHTS, Weights
from causal_tools.reading_form import MOST_CONDITIONS
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
# hundreds of invented phrases, whose meaning takes time and says nothing
SPELT = Weights(unlike_in_meaning=0.0, second_task=0.0, second_role=0.0, second_condition=0.0, second_node=0.0)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)


class Preferring:
    """A language model of arbitrary but fixed preferences, by a hash."""

    def __init__(self, taste: int) -> None:
        self.taste = taste

    def chat_text(self, messages) -> str:
        return json.dumps(list(messages)) + "|"

    def session(self) -> Preferring:
        return self

    def texts_held(self, text: str) -> int:
        return 12

    def likely_continuations(
        self, contexts, candidates, offsets, reach, closed=(), contests=(), most=None
    ) -> list[np.ndarray]:
        assert len(contexts) == len(candidates) == len(offsets)
        for row, extra in zip(candidates, offsets, strict=True):
            assert len(row) == len(set(row)) == len(extra) > 0
        return [
            np.array([self.log_prob(context, piece) for piece in row])
            for context, row in zip(contexts, candidates, strict=True)
        ]

    def log_prob(self, context: str, piece: str) -> float:
        key = f"{self.taste}|{context}|{piece}".encode(errors="surrogatepass")
        return -int.from_bytes(hashlib.sha256(key).digest()[:4]) / 2**28


class Scripted(Preferring):
    """A model that wants a certain reading: its pieces stand at 0, others at −``dislike``."""

    def __init__(self, *wanted: str, dislike: float = 20.0) -> None:
        super().__init__(0)
        self.wanted = "".join(wanted)
        self.dislike = dislike
        self.offered: dict[str, list[str]] = {}

    def likely_continuations(
        self, contexts, candidates, offsets, reach, closed=(), contests=(), most=None
    ) -> list[np.ndarray]:
        self.offered |= {
            context.rpartition("|")[2]: list(row) for context, row in zip(contexts, candidates, strict=True)
        }
        return super().likely_continuations(contexts, candidates, offsets, reach, closed)

    def log_prob(self, context: str, piece: str) -> float:
        return 0.0 if self.wanted.startswith(context.rpartition("|")[2] + piece) else -self.dislike


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
        reading = read_question(models[which], question, columns, weights=SPELT)
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
    for draft in find_readings(model, [Asked(question, tuple(columns), levels=levels)], SPELT)[0]:
        if draft.task == "NONE":
            assert draft.text == "none."
        elif draft.fault is None:
            query = CausalQuery.model_validate(draft.fields)
            _keeps_the_contract(query, columns, levels)
            assert draft.text == reading_text(query, draft.said)
            assert set(draft.said) <= set(columns)
            assert all(words in " ".join(question.split()) for words in draft.said.values())


def test_readings_of_every_task_are_found():
    """Readings of few pieces are likelier under a model without taste, so all that is found is looked at."""
    tasks = set()
    for taste in range(20):
        found = find_readings(Preferring(taste), [Asked("Is 5 or 6 best?", ("a", "b", "c", "d"))], NO_WEIGHTS)[0]
        tasks |= {draft.task for draft in found if draft.fault is None}
    assert tasks == {"CGL", "ATE", "HTE", "MA", "OPO", "NONE"}


def test_a_readings_score_is_its_log_probability_less_what_speaks_against_it(models):
    """Against the plain oracle: every reading found of a real network, as one text."""
    from ..lm.oracle import log_prob

    columns, question = ["smoker", "smoker_age", "fev1"], "What is the effect of smoker on fev1?"
    from causal_tools.prompts import parse_messages

    for model in models[:2]:
        start = model.chat_text(parse_messages(question, columns))
        drafts = find_readings(model, [Asked(question, tuple(columns), levels={})], Weights())[0]
        for draft in drafts[:5]:
            assert draft.log_prob == pytest.approx(log_prob(model, start, draft.text), abs=1e-3)
        sums = [sum(np.exp(d.score(Weights())) for d in drafts if d.query == draft.query) for draft in drafts]
        assert sums == sorted(sums, reverse=True)


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
        weights=NO_WEIGHTS,
    )
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
    assert set(model.offered["effect: the new drug ="]) == {" dose on", " fev1 on", " age on"}  # only columns
    assert " 3 =" not in model.offered["effect:"]


def test_confidence_is_the_share_of_the_readings_found_that_agree():
    """Two columns and no levels: of four readings in reach, one stands at 0 and the others at −2."""
    model = Scripted("effect:", " a on", " b.", dislike=2.0)
    confidence = read_question(model, "Does a act on b?", ["a", "b"], weights=NO_WEIGHTS).confidence
    found = find_readings(model, [Asked("Does a act on b?", ("a", "b"))], NO_WEIGHTS)[0]
    shares = np.exp([draft.log_prob for draft in found])
    agreeing = [draft.task == "ATE" for draft in found]
    assert 0.5 < confidence["task"] == pytest.approx(shares[agreeing].sum() / shares.sum())
    assert confidence["treatment"] <= confidence["task"]


def test_a_name_in_the_question_outweighs_a_models_whim():
    """The model finds ``age`` a little likelier than the column that the question names."""

    class Whim(Scripted):
        def log_prob(self, context: str, piece: str) -> float:
            return -1.0 if piece == " fev1." and context.endswith("effect: a on") else super().log_prob(context, piece)

    model = Whim("effect:", " a on", " age.")
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
    model = Scripted("subgroup:", " a on", " b where", " c is", " exactly")
    with contextlib.suppress(QueryError, NotCausal):
        read_question(model, f"Effect of a on b {text}?", ["a", "b", "c"], levels={}, weights=NO_WEIGHTS)
    offered = {piece[1:-1] for piece in model.offered.get("subgroup: a on b where c is exactly", [])}
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


def test_a_pasted_article_is_refused_and_a_long_question_offers_fewer_phrases():
    with pytest.raises(QueryError, match="has 500 words; put it in at most 400"):
        read_question(Preferring(0), "word " * 500, ["a", "b"])
    model = Scripted("effect:", " a on", " b.")
    question = "does a move b " + " ".join(f"w{i}" for i in range(396))
    assert read_question(model, question, ["a", "b"], weights=SPELT).query.treatment == "a"
    assert len(model.offered["effect:"]) < 2100


def test_what_the_file_cannot_hold_is_said_only_where_nothing_else_is_nearly_as_likely():
    class Torn(Scripted):
        def log_prob(self, context: str, piece: str) -> float:
            return -1.0 if piece == "mediation:" else super().log_prob(context, piece)

    question = "Does a act on b, or through something?"
    assert read_question(Torn("effect:", " a on", " b."), question, ["a", "b"]).query.task == "ATE"
    with pytest.raises(QueryError, match="needs 3 columns"):
        read_question(Scripted("mediation:"), question, ["a", "b"])


def test_many_asides_do_not_make_a_question_not_causal():
    """Covariates, numbers and levels of scales that many columns share are no reason to refuse."""
    columns = ["drug", "days", "age", "sex", "bmi", "income", "smoker", *(f"q{i}" for i in range(20))]
    levels = {f"q{i}": ["agree", "disagree", "neutral"] for i in range(20)}
    question = (
        "Adjusting for age, sex, bmi, income and smoker, of 12 sites, 30 wards and 1,200 patients seen in 2019 and 2020: what "
        "is the effect of drug on days for those who agree with q5?"
    )

    class Doubting(Scripted):
        def log_prob(self, context: str, piece: str) -> float:
            return -8.0 if piece == "none." else super().log_prob(context, piece)

    model = Doubting("subgroup:", " drug on", " days where", " q5 is", " exactly", " agree.")
    assert read_question(model, question, columns, levels=levels).query.task == "HTE"


@pytest.mark.parametrize("columns", [[], ["only"]])
def test_too_few_columns_are_refused(columns):
    with pytest.raises(QueryError, match=f"has {len(columns)}"):
        read_question(Preferring(0), "Does a act on b?", columns)


def test_a_name_that_stands_twice_or_is_empty_in_the_header_fills_no_slot():
    """A header given by hand may repeat a name."""
    model = Scripted("effect:", " a on", " b.")
    query = read_question(model, "Does a act on b?", ["a", "a", "", "b"]).query
    assert (query.treatment, query.response) == ("a", "b")
    pieces = [model.offered[written] for written in ("effect:", "effect: a on")]
    assert [[piece for piece in row if not piece.endswith(" =")] for row in pieces] == [[" a on", " b on"], [" b."]]
    with pytest.raises(QueryError, match="at least two columns"):
        read_question(Preferring(0), "Does a act on a?", ["a", "a"])


def test_mediation_needs_three_columns():
    with pytest.raises(QueryError, match="needs 3 columns"):
        read_question(Scripted("mediation:"), "Does a act on b through c?", ["a", "b"])


def test_a_subgroup_without_any_value_is_refused():
    with pytest.raises(QueryError, match="no value"):
        read_question(
            Scripted("subgroup:", " a on", " b."), "Does a act on b in some?", ["a", "b", "c"], levels={}, weights=SPELT
        )


def test_a_wide_file_offers_the_columns_closest_to_the_questions_words():
    columns = [f"gene_{i}" for i in range(200)]
    columns[150], columns[7] = "blood_pressure", "salt"
    model = Scripted("effect:", " salt on", " blood_pressure.")
    reading = read_question(model, "Does salt raise blood pressure?", columns)
    assert len([piece for piece in model.offered["effect:"] if piece.endswith(" on")]) == MOST_COLUMNS
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
    model = Scripted("subgroup:", " t on", " y where", " c is", " exactly", f" {levels[0]}.")
    read_question(model, f"what does t do to y where c is {levels[0]}, of 7?", ["t", "y", "c"], levels={"c": levels})
    offered = [{piece.strip() for piece in row} for text, row in model.offered.items() if text.endswith(" c is")]
    assert offered
    assert all(found == operators for found in offered)


def test_questions_read_side_by_side_are_read_as_alone(models):
    """Five at a time of which three go on at once: the fourth and fifth begin as others end."""
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
