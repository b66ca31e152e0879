"""The command line as a person meets it: answers, and clear errors without tracebacks."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from orchestration.cli import app

runner = CliRunner()


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(7)
    rows = 400
    age = random.normal(50, 10, rows)
    drug = random.binomial(1, 1 / (1 + np.exp(-(age - 50) / 20)))
    pain = 5 - 2 * drug + 0.05 * age + random.normal(0, 1, rows)
    path = tmp_path_factory.mktemp("data") / "trial.csv"
    pd.DataFrame({"drug": drug, "pain": pain.round(3), "age": age.round(1)}).to_csv(path, index=False)
    return path


def invoke(*arguments: str) -> Result:
    return runner.invoke(app, [*arguments, *(["--model", "tiny"] if arguments[0] in ("ask", "parse") else [])])


def assert_clear_error(result: Result, *words: str) -> None:
    assert result.exit_code not in (0, 1), result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    for word in words:
        assert word in result.output, result.output


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", ("empty.csv", "empty")),
        ("header.csv", b"a,b,c\n", ("header.csv",)),
        ("noise.csv", bytes(range(256)) * 40, ("noise.csv",)),
        ("photo.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 200, ("photo.png",)),
        ("prose.csv", b"This is a letter.\nIt has lines.\nNo table at all.\n", ("prose.csv",)),
        ("broken.parquet", b"PAR1 but not really", ("broken.parquet",)),
        ("twice.csv", b"a,a,b\n1,2,3\n4,5,6\n", ("twice.csv", "a")),
    ],
)
def test_a_file_that_is_no_table_is_a_clear_error(
    tmp_path: Path, name: str, content: bytes, words: tuple[str, ...]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert_clear_error(invoke("ask", str(path), "What is the effect of a on b?"), "DataFileError", *words)


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    assert_clear_error(
        invoke("ask", str(tmp_path / "nowhere.csv"), "What is the effect of a on b?"), "DataFileError", "nowhere.csv"
    )


def test_a_folder_is_a_clear_error(tmp_path: Path) -> None:
    assert_clear_error(invoke("ask", str(tmp_path), "What is the effect of a on b?"), "DataFileError")


@pytest.mark.parametrize("question", ["", "   "])
def test_an_empty_question_is_a_clear_error(trial: Path, question: str) -> None:
    assert_clear_error(invoke("ask", str(trial), question), "question is empty")


@pytest.mark.parametrize("question", ["What is the capital of France?", "Tell me a joke.", "How old are you?"])
def test_a_question_that_is_not_causal_is_a_clear_error(trial: Path, question: str) -> None:
    assert_clear_error(invoke("ask", str(trial), question), "NotCausal")


def test_a_column_that_the_file_lacks_is_a_clear_error(trial: Path) -> None:
    assert_clear_error(
        invoke("ask", str(trial), "What is the effect of `smoking_status` on pain?"),
        "ColumnNotFound",
        "smoking_status",
        "drug, pain, age",
    )


def test_an_unknown_model_is_a_clear_error(trial: Path) -> None:
    result = runner.invoke(app, ["parse", "Does drug affect pain?", "--data", str(trial), "--model", "no-such-model"])
    assert_clear_error(result, "ModelNotFound", "smollm2-135m")


def test_parse_prints_a_query_over_the_files_columns(trial: Path) -> None:
    result = invoke("parse", "Does drug affect pain?", "--data", str(trial), "--json")
    assert result.exit_code in (0, 2), result.output
    if result.exit_code == 0:
        query = json.loads(result.stdout)["query"]
        assert query["dataset"] == "trial.csv"
        assert {query.get("treatment"), query.get("response")} <= {"drug", "pain", "age", None}


def test_scenarios_lists_every_scenario() -> None:
    result = invoke("scenarios")
    assert result.exit_code == 0
    assert "tutoring" in result.output and "breast" in result.output


def test_sample_writes_pinned_rows_with_shared_noise(tmp_path: Path) -> None:
    pinned, free = tmp_path / "pinned.parquet", tmp_path / "free.parquet"
    common = ("sample", "toy_confounder", "--rows", "40", "--seed", "3", "--lm", "tiny")
    assert invoke(*common, "--do", "gym=yes", "--out", str(pinned)).exit_code == 0
    assert invoke(*common, "--out", str(free)).exit_code == 0
    with_do, without = pd.read_parquet(pinned), pd.read_parquet(free)
    assert (with_do["gym"] == "yes").all()
    assert with_do["motivation"].equals(without["motivation"])  # no descendant of gym
    chose_gym = without["gym"] == "yes"
    assert with_do.loc[chose_gym, "marathon"].equals(without.loc[chose_gym, "marathon"])


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("nowhere", "--rows", "5", "--seed", "0", "--out", "x.parquet"), "no scenario"),
        (("tutoring", "--rows", "5", "--seed", "0", "--out", "x.csv"), ".parquet"),
        (("tutoring", "--rows", "5", "--seed", "0", "--out", "no/such/folder/x.parquet"), "does not exist"),
        (("tutoring", "--rows", "5", "--seed", "0", "--do", "tutoring", "--out", "x.parquet"), "NAME=LEVEL"),
        (
            ("tutoring", "--rows", "5", "--seed", "0", "--do", "tutoring=maybe", "--out", "x.parquet"),
            "no level 'maybe'",
        ),
        (("tutoring", "--rows", "5", "--seed", "0", "--do", "tutor=yes", "--out", "x.parquet"), "no variable 'tutor'"),
    ],
)
def test_sample_refuses_what_it_cannot_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], word: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_clear_error(invoke("sample", *arguments), word)
    assert list(tmp_path.iterdir()) == []
