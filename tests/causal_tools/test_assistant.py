"""The assistant: guards before the model, the person's edit, and a text that is shown only when it is true."""

from __future__ import annotations

import pandas as pd
import pytest

from causal_tools.assistant import MOST_LEVELS, Assistant, known_levels
from causal_tools.contract import CausalQuery
from causal_tools.data import read_table
from causal_tools.errors import ColumnNotFound, DataFileError, NotCausal, QueryError
from causal_tools.evidence import has_causal_evidence
from causal_tools.parsing import Reading
from causal_tools.question_offer import offering
from causal_tools.reading_notes import without_guesses
from lm import load_language_model

from .readings import Scripted
from .simulators import confounded_binary

QUESTION = "What is the effect of t on y?"
ATE = CausalQuery(task="ATE", treatment="t", response="y")


class Writing(Scripted):
    """Reads as told, and words as told, keeping the temperatures at which it was asked."""

    def __init__(self, *texts: str) -> None:
        super().__init__("effect:", " t on", " y.")
        self.texts = list(texts)
        self.temperatures: list[float] = []

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def generate(self, prompts, *, max_new_tokens=128, temperature=0.0, seed=0, batch_size=8, stop=None):
        self.temperatures.append(temperature)
        return [self.texts[len(self.temperatures) - 1]]


class Untouchable:
    """A model that must not be asked."""

    adapter = None

    def __getattr__(self, name):
        raise AssertionError(f"the model was asked: {name}")


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "trial.csv"
    confounded_binary(300, 1).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def tiny():
    return load_language_model("tiny", device="cpu")


def test_a_random_models_words_are_not_shown(tiny, trial):
    seen: list[Reading] = []

    def edit(reading: Reading) -> CausalQuery:
        seen.append(reading)
        return ATE

    assistant = Assistant(tiny)
    assistant.read = lambda *args: Reading(ATE)  # the reading of random weights may be anything
    given = assistant.ask(trial, QUESTION, edit=edit)
    assert len(seen) == 1
    assert given.worded_by == "template"
    assert given.explanation == given.result.summary
    assert given.wording is not None
    assert not given.wording.passed
    assert given.query == given.result.query.model_copy(update={"dataset": given.query.dataset})


def test_a_true_explanation_of_the_model_is_shown(trial):
    summary = Assistant(Writing()).ask(trial, QUESTION, wording=False).result.summary
    model = Writing(f"  {summary}  ")
    given = Assistant(model).ask(trial, QUESTION)
    assert (given.worded_by, given.explanation) == ("model", summary)
    assert model.temperatures == [0.0]
    assert given.wording.passed


def test_a_faulty_explanation_is_tried_once_more_and_then_replaced(trial):
    model = Writing("They are correlated, by 123456.", "Something else.")
    given = Assistant(model).ask(trial, QUESTION)
    assert model.temperatures == [0.0, 0.6]
    assert (given.worded_by, given.explanation) == ("template", given.result.summary)
    assert given.wording.missing


def test_a_second_try_that_is_true_is_shown(trial):
    summary = Assistant(Writing()).ask(trial, QUESTION, wording=False).result.summary
    given = Assistant(Writing("nonsense 42", summary)).ask(trial, QUESTION)
    assert given.worded_by == "model"


def test_without_wording_the_model_is_asked_to_write_nothing(trial):
    model = Writing()
    given = Assistant(model).ask(trial, QUESTION, wording=False)
    assert model.temperatures == []
    assert (given.worded_by, given.wording) == ("template", None)
    assert given.explanation == given.result.summary


def test_the_persons_edit_is_what_runs(trial):
    swapped = CausalQuery(task="CGL", nodes=("t", "y"))
    given = Assistant(Writing()).ask(trial, QUESTION, edit=lambda reading: swapped, wording=False)
    assert given.result.task == "CGL"
    assert given.query == swapped
    assert given.reading.query.task == "ATE"


def test_an_edit_to_an_unknown_column_is_refused_by_name(trial):
    with pytest.raises(ColumnNotFound, match="'tt'"):
        Assistant(Writing()).ask(
            trial, QUESTION, edit=lambda r: CausalQuery(task="ATE", treatment="tt", response="y"), wording=False
        )


@pytest.mark.parametrize("question", ["What is the weather today?", "Sing me a song.", "Hello!", "How old are you?"])
def test_questions_that_show_no_sign_of_causes_never_reach_the_model(question):
    with pytest.raises(NotCausal, match="smoker, fev1"):
        Assistant(Untouchable()).parse(question, ["smoker", "fev1"])


@pytest.mark.parametrize("question", ["", "  "])
def test_an_empty_question_is_told_as_such(question):
    with pytest.raises(QueryError, match="empty"):
        Assistant(Untouchable()).parse(question, ["a", "b"])


@pytest.mark.parametrize(
    ("question", "columns", "expected"),
    [
        ("Does smoking affect lungs?", ["x", "y"], True),
        ("What drives the price?", ["x", "y"], True),
        ("Which option is best?", ["x", "y"], True),
        ("Tell me about birth weight", ["BirthWeight", "y"], True),
        ("Tell me about birth_weight", ["birth_weight", "y"], True),
        ("Tell me about FEV1", ["fev1", "y"], True),
        ("Tell me a joke", ["fev1", "y"], False),
        ("Wie spät ist es?", ["fev1", "y"], False),
    ],
)
def test_a_causal_word_or_a_word_of_the_header_is_evidence(question, columns, expected):
    assert has_causal_evidence(question, columns) is expected


def test_a_missing_file_is_told_before_anything_is_read(tmp_path):
    with pytest.raises(DataFileError, match=r"none\.csv"):
        Assistant(Untouchable()).ask(tmp_path / "none.csv", QUESTION)


def test_only_columns_of_few_levels_have_known_levels(tmp_path):
    frame = pd.DataFrame(
        {
            "arm": ["a", "b"] * 50,
            "yes": [0, 1] * 50,
            "amount": [i / 7 for i in range(100)],
            "code": [f"c{i % (MOST_LEVELS + 1)}" for i in range(100)],
            "gap": ["x", None] * 50,
            "smoker": [0, 1, 1, None] * 25,
        }
    )
    frame.to_csv(tmp_path / "d.csv", index=False)
    levels = known_levels(read_table(tmp_path / "d.csv"))
    assert levels["arm"] == ["a", "b"]
    assert [str(level) for level in levels["yes"]] == ["0", "1"]
    assert [str(level) for level in levels["smoker"]] == ["0", "1"]
    assert "amount" not in levels
    assert "code" not in levels
    assert levels.get("gap", ["x"]) == ["x"]


@pytest.mark.parametrize(
    ("fields", "confidence", "heard", "guessed"),
    [
        ({"treatment": "zz"}, {"treatment": 0.5}, {}, "treatment"),
        ({"treatment": "zz"}, {"treatment": 0.5}, {"treatment": 0.4}, "treatment"),
        ({"treatment": "zz"}, {"treatment": 0.5}, {"treatment": 0.9}, None),
        ({"treatment": "zz"}, {"treatment": 0.7}, {"treatment": 0.1}, None),
        (
            {"treatment": "zz", "response": "qq"},
            {"treatment": 0.7, "response": 0.7},
            {"treatment": 0.95, "response": 0.8},
            "treatment",
        ),
        (
            {"treatment": "zz", "response": "qq"},
            {"treatment": 0.7, "response": 0.7},
            {"treatment": 0.95, "response": 0.95},
            None,
        ),
        ({"conditions": ("age", "zz")}, {"where 1": 0.9, "where 2": 0.3}, {}, "condition"),
        ({"conditions": ("age", "zz")}, {"where 1": 0.9, "where 2": 0.3}, {"where 2": 0.7}, None),
    ],
)
def test_a_column_unlike_any_word_is_a_guess_unless_the_model_or_the_readers_are_sure(
    fields, confidence, heard, guessed
):
    columns = ["dose", "pain", "age", "zz", "qq"]
    conditions = [{"column": column, "operator": ">", "value": 3} for column in fields.pop("conditions", ())]
    task = "HTE" if conditions else "ATE"
    query = CausalQuery.model_validate(
        {"task": task, "treatment": "dose", "response": "pain", "conditions": conditions} | fields
    )
    reading = Reading(query, confidence, ["before"], {"zz": "this"}, heard)
    question = "How does the dose act on pain, age over 3?"
    if guessed:
        with pytest.raises(ColumnNotFound, match=f"no column seems to be the {guessed}"):
            without_guesses(reading, question, columns)
    else:
        found = without_guesses(reading, question, columns)
        assert found.query == query and found.said == {"zz": "this"}
        assert found.notes[0] == "before" and any("'zz'" in note for note in found.notes)


@pytest.mark.parametrize(
    ("question", "causal"),
    [
        ("Was the training worth anything in terms of the 1978 pay packet (re78)?", True),
        ("Sing me a song about training.", False),
    ],
)
def test_a_question_in_plain_words_is_not_refused_where_the_readers_are_sure_of_a_task(question, causal):
    columns = ["treat", "re78", "age", "married"]
    assert not has_causal_evidence(question, columns)
    assistant = Assistant(Scripted("effect:", " training = treat on", " re78."))
    if causal:
        assert assistant.parse(question, columns).columns() == ["treat", "re78"]
    else:
        with pytest.raises(NotCausal, match="names no column"):
            assistant.parse(question, columns)


def test_a_refused_question_ends_with_one_that_would_be_understood():
    columns, levels = ["patient_id", "age", "drug", "pain"], {"drug": ["no", "yes"]}
    with pytest.raises(NotCausal, match="names no column") as refused:
        Assistant(Untouchable()).read("Hum.", columns, "a.csv", levels)
    assert str(refused.value).endswith('. Say, for example: "What is the effect of drug on pain?"')
    with pytest.raises(NotCausal) as refused, offering("Does the moon change age?", columns, levels):
        raise NotCausal("this reads as no causal question")
    assert str(refused.value).endswith('question. Say, for example: "What is the effect of drug on age?"')


def test_a_guessed_role_ends_with_a_question_over_the_files_columns():
    columns, levels = ["zz", "age", "drug", "pain"], {"drug": ["no", "yes"]}
    with (
        pytest.raises(ColumnNotFound, match="no column seems to be") as refused,
        offering("Moon on pain?", columns, levels),
    ):
        query = CausalQuery(task="ATE", treatment="zz", response="pain")
        without_guesses(
            Reading(query, {"treatment": 0.1}, [], {}, {}), "What is the effect of the moon on pain?", columns
        )
    assert str(refused.value).endswith('Say, for example: "What is the effect of drug on pain?"')
