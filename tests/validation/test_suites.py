"""Great Expectations suites: a good table passes, each planted fault fails under its own expectation."""

from __future__ import annotations

import pandas as pd
import pytest

from sdscm import SequenceSCM
from validation.suites import interpretation_expectations, retrieval_expectations, sample_expectations, validate

from ..sdscm.laws import CONFOUNDER, confounder

TASKS = ("ATE", "MA")


def _questions() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["1", "2", "3"],
            "question": ["Does t move y at all?", "Does t act on y through m?", "Is y moved by t?"],
            "task": ["ATE", "MA", "ATE"],
            "split": ["train", "train", "held_out"],
            "topic": ["a", "a", "b"],
            "family": ["f1", "f2", "f3"],
            "columns": ['["t", "y"]'] * 3,
            "completion": ["effect: t on y."] * 3,
        }
    )


def _explanations() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["1", "2"],
            "task": ["ATE", "MA"],
            "question": ["q", "r"],
            "summary": ["s", "s"],
            "completion": ["Raising t by one raises y by 2.", "Through m, t raises y by 1."],
            "method": ["LinearDML", "plug-in"],
            "words": [40, 60],
            "faults": [0, 0],
        }
    )


def test_a_good_corpus_of_questions_passes():
    result = validate(_questions(), "questions", retrieval_expectations(TASKS))
    assert result.passed, result.table.to_string()
    assert result.table["met"].all()


@pytest.mark.parametrize(
    ("fault", "expectation"),
    [
        ({"question": ["Does t move y at all?"] * 3}, "column_values_to_be_unique"),
        ({"id": ["1", "1", "2"]}, "column_values_to_be_unique"),
        ({"task": ["ATE", "MA", "SPELL"]}, "column_values_to_be_in_set"),
        ({"task": ["ATE", "ATE", "ATE"]}, "column_distinct_values_to_contain_set"),
        ({"split": ["train"] * 3}, "column_distinct_values_to_contain_set"),
        ({"topic": ["a", None, "b"]}, "column_values_to_not_be_null"),
        ({"question": ["short", "Does t act on y through m?", "Is y moved?"]}, "column_value_lengths_to_be_between"),
        ({"completion": ["{}"] * 3}, "column_values_to_match_regex"),
    ],
)
def test_a_planted_fault_among_the_questions_fails(fault, expectation):
    result = validate(_questions().assign(**fault), "questions", retrieval_expectations(TASKS))
    assert not result.passed
    assert expectation in set(result.table.loc[~result.table["met"], "expectation"])


def test_an_empty_corpus_fails():
    assert not validate(_questions().head(0), "questions", retrieval_expectations(TASKS)).passed


def test_a_long_question_warns_and_passes():
    long = _questions()
    long.loc[0, "question"] = "Does t move y " * 32  # 448 characters
    result = validate(long, "questions", retrieval_expectations(TASKS))
    assert result.passed
    assert (~result.table["met"]).sum() == 1
    assert "1 not met" in result.text


def test_good_explanations_pass():
    result = validate(_explanations(), "explanations", interpretation_expectations(TASKS))
    assert result.passed, result.table.to_string()


@pytest.mark.parametrize(
    "fault",
    [
        {"completion": ["Here t is correlated with y.", "fine"]},
        {"completion": ["An Association of t and y.", "fine"]},
        {"faults": [0, 1]},
        {"words": [40, 14]},
        {"words": [40, 201]},
        {"task": ["ATE", "ATE"]},
        {"method": ["LinearDML", None]},
    ],
    ids=str,
)
def test_a_planted_fault_among_the_explanations_fails(fault):
    assert not validate(_explanations().assign(**fault), "e", interpretation_expectations(TASKS)).passed


@pytest.fixture
def sample() -> pd.DataFrame:
    return SequenceSCM(confounder(), CONFOUNDER).sample(100, seed=1).frame.astype(str)


LEVELS = dict.fromkeys("zty", ("no", "yes"))


def test_data_drawn_from_a_scenario_pass(sample):
    assert validate(sample, "sample", sample_expectations(LEVELS, 100)).passed


@pytest.mark.parametrize(
    "break_it",
    [
        lambda f: f.head(99),
        lambda f: f[["t", "z", "y"]],
        lambda f: f.assign(y=["maybe", *f["y"][1:]]),
        lambda f: f.assign(y=[None, *f["y"][1:]]),
    ],
    ids=["a row too few", "columns out of order", "a level outside", "a missing value"],
)
def test_broken_data_fail(sample, break_it):
    assert not validate(break_it(sample), "sample", sample_expectations(LEVELS, 100)).passed


def test_a_level_that_never_occurs_only_warns(sample):
    result = validate(sample.assign(z="no"), "sample", sample_expectations(LEVELS, 100))
    assert result.passed
    assert not result.table["met"].all()


def test_suite_and_outcome_are_kept_and_shown_as_data_docs(tmp_path):
    expectations = retrieval_expectations(TASKS)
    first = validate(_questions(), "questions", expectations, tmp_path)
    again = validate(_questions().assign(id=["1", "1", "2"]), "questions", retrieval_expectations(TASKS), tmp_path)
    assert (first.passed, again.passed) == (True, False)
    page = first.page.read_text(encoding="utf-8")
    assert page.count("questions") >= 2  # both outcomes are listed
    assert list(tmp_path.rglob("local_site/expectations/questions.html"))


@pytest.mark.parametrize(
    "torn", ["great_expectations.yml", "expectations/questions.json", "checkpoints/questions.json"]
)
def test_docs_that_a_killed_run_left_in_halves_fail_no_check_after_it(torn, tmp_path):
    assert validate(_questions(), "questions", retrieval_expectations(TASKS), tmp_path).passed
    file = tmp_path / "gx" / torn
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    again = validate(_questions(), "questions", retrieval_expectations(TASKS), tmp_path)
    assert again.passed and len(again.table) == len(retrieval_expectations(TASKS))
    assert "questions" in again.page.read_text()


def test_docs_are_kept_where_the_fault_is_not_theirs(tmp_path, monkeypatch):
    validate(_questions(), "questions", retrieval_expectations(TASKS), tmp_path)
    monkeypatch.setattr("validation.suites._validated", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        validate(_questions(), "questions", retrieval_expectations(TASKS), tmp_path)
    assert (tmp_path / "gx" / "great_expectations.yml").exists()


def test_a_full_disk_throws_no_data_docs_away(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    (tmp_path / "gx").mkdir()
    monkeypatch.setattr("validation.suites._validated", full)
    with pytest.raises(OSError, match="No space"):
        validate(pd.DataFrame({"a": [1]}), "small", [], tmp_path)
    assert (tmp_path / "gx").exists()
