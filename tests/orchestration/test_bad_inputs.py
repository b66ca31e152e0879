"""Bad input, one by one, at the command line: each is refused in words that say what is wrong and what would do.

Nothing here may end in a traceback, nor in an answer.
"""

# ruff: noqa: E501 - one case a line reads as a table
from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lm.bundled import BUNDLED
from lm.errors import ModelNotFound, RegistryDown
from lm.registry import SHIPPED, find_registered
from orchestration.cli import app
from orchestration.faults import PATIENCE
from orchestration.language_model import load_chosen

ROWS = 200
ATE = "--task ATE --treatment drug --response pain"
HTE = "--task HTE --treatment drug --response pain"
MA = "--task MA --treatment drug --response pain --mediator heart"
OPO = "--task OPO --treatment drug --response pain"
GRAPH = "--task CGL"
Made = bytes | pd.DataFrame


def frame(**columns: object) -> pd.DataFrame:
    """A sound trial, with some columns as given; None takes one away."""
    random = np.random.default_rng(3)
    age = random.normal(50, 10, ROWS).round(1)
    drug = random.integers(0, 2, ROWS)
    heart = drug + random.normal(size=ROWS)
    made = {
        "drug": drug,
        "pain": heart - drug + 0.1 * age + random.normal(size=ROWS),
        "heart": heart,
        "age": age,
        "region": random.choice(["north", "south"], ROWS),
        **columns,
    }
    return pd.DataFrame({name: values for name, values in made.items() if values is not None})


def every(number: int) -> np.ndarray:
    return np.arange(ROWS) % number


NUMBERS = np.random.default_rng(4).normal(size=ROWS)
SOUND = frame()
WORDS = np.array([f"patient {place}" for place in range(ROWS)])
DATES = pd.date_range("2024-01-01", periods=ROWS)

# name, what is in the file, the arguments after it (a question in quotes stands for itself), words of the message
CASES: list[tuple[str, str, Made, str | list[str], tuple[str, ...]]] = [
    # files that are no table
    ("empty file", "a.csv", b"", ATE, ("a.csv is empty", "header line")),
    ("white space alone", "a.csv", b"\n \n\n", ATE, ("a.csv",)),
    ("header alone", "a.csv", b"drug,pain\n", ATE, ("no rows", "at least 30 rows")),
    ("one column", "a.csv", b"drug\n" + b"1\n0\n" * 40, ATE, ("only one column", "at least two")),
    ("a name twice", "a.csv", b"drug,pain,pain\n" + b"1,2,3\n" * 40, ATE, ("several columns named 'pain'", "of its own")),
    ("all bytes", "a.csv", bytes(range(256)) * 60, ATE, ("a.csv",)),
    ("a picture", "a.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, ATE, ("a.csv",)),
    ("a picture by name", "a.png", b"\x89PNG", ATE, (".png", ".csv")),
    ("a letter", "a.csv", b"Dear all,\nthis is a letter.\nIt has lines, but no table.\nYours\n", ATE, ("a.csv",)),
    ("a web page", "a.csv", b"<!DOCTYPE html>\n<html><body><p>Not found</p></body></html>\n", ATE, ("a.csv",)),
    ("a compressed file", "a.csv", gzip.compress(b"drug,pain\n1,2\n" * 40), ATE, ("a.csv",)),
    ("no Parquet", "a.parquet", b"PAR1 but not really", ATE, ("not a readable Parquet", "CSV")),
    ("no workbook", "a.xlsx", b"PK\x03\x04 but not really", ATE, ("not a readable Excel", ".xlsx")),
    ("an ending that is not read", "a.json", b'{"drug": [1]}', ATE, (".json", ".csv")),
    ("rows of unlike length", "a.csv", b"drug,pain\n" + b"1,2\n1,2,3,4\n0\n" * 20, ATE, ("a.csv",)),
    # too little
    ("one row", "a.csv", SOUND[:1], ATE, ("row", "30")),
    ("twelve rows", "a.csv", SOUND[:12], ATE, ("only 12 of 12", "at least 30")),
    ("few complete rows", "a.csv", frame(pain=np.where(every(10) == 0, NUMBERS, np.nan)), ATE, ("only 20 of 200",)),
    ("no value of the response", "a.csv", frame(pain=np.full(ROWS, np.nan)), ATE, ("pain", "only 0 of 200")),
    ("no value of the treatment", "a.csv", frame(drug=np.full(ROWS, np.nan)), ATE, ("drug", "only 0 of 200")),
    ("infinite values alone", "a.csv", frame(pain=np.full(ROWS, np.inf)), ATE, ("pain", "only 0 of 200")),
    ("few rows under a level", "a.csv", frame(drug=(np.arange(ROWS) < 3).astype(int)), ATE, ("only 3 row(s)", "at least 5")),
    ("few rows for a graph", "a.csv", SOUND[:40], GRAPH, ("too few to learn a graph", "at least 50")),
    ("few rows meet the condition", "a.csv", SOUND, [*HTE.split(), "--condition", "age > 75"], ("age",)),
    # columns that are not there, or not one
    ("an unknown treatment", "a.csv", SOUND, ATE.replace("drug", "surgery"), ("no column 'surgery'", "drug, pain")),
    ("an unknown response", "a.csv", SOUND, ATE.replace("pain", "fever"), ("no column 'fever'", "drug, pain")),
    ("an unknown mediator", "a.csv", SOUND, MA.replace("heart", "liver"), ("no column 'liver'",)),
    ("an unknown covariate", "a.csv", SOUND, f"{ATE} --covariate weight", ("no column 'weight'",)),
    ("an unknown node", "a.csv", SOUND, f"{GRAPH} --node drug --node liver", ("no column 'liver'",)),
    ("an unknown column in a condition", "a.csv", SOUND, [*HTE.split(), "--condition", "height > 3"], ("height",)),
    ("a name for two columns", "a.csv", frame(fev_1=NUMBERS, **{"fev 1": -NUMBERS}), ATE.replace("pain", "FEV1"), ("ambiguous",)),
    ("a column in backticks", "a.csv", SOUND, ["Does `blood_sugar` affect pain?"], ("no column 'blood_sugar'",)),
    # queries that cannot be
    ("no question", "a.csv", SOUND, [""], ("question",)),
    ("not causal", "a.csv", SOUND, ["What is the weather today?"], ("asks for no cause",)),
    ("treatment and response one", "a.csv", SOUND, ATE.replace("pain", "drug"), ("two roles", "must differ")),
    ("mediator and treatment one", "a.csv", SOUND, MA.replace("heart", "drug"), ("two roles",)),
    ("covariate and response one", "a.csv", SOUND, f"{ATE} --covariate pain", ("two roles",)),
    ("no response", "a.csv", SOUND, "--task ATE --treatment drug", ("question",)),
    ("no mediator", "a.csv", SOUND, MA.replace("--mediator heart", ""), ("question",)),
    ("no condition", "a.csv", SOUND, HTE, ("question",)),
    ("a mediator for an average effect", "a.csv", SOUND, f"{ATE} --mediator heart", ("takes no mediator",)),
    ("a second decision for an average effect", "a.csv", SOUND, f"{ATE} --second-treatment heart", ("takes no second",)),
    ("one node", "a.csv", SOUND, f"{GRAPH} --node drug", ("at least two",)),
    ("a node twice", "a.csv", SOUND, f"{GRAPH} --node drug --node drug", ("different columns",)),
    ("one level to compare", "a.csv", SOUND, f"{ATE} --contrast 1", ("two levels", "FROM,TO")),
    ("a level against itself", "a.csv", SOUND, f"{ATE} --contrast 1,1", ("two different levels",)),
    ("a level that is not there", "a.csv", SOUND, f"{ATE} --contrast 0,7", ("no level '7'", "0, 1")),
    ("an amount that was not seen", "a.csv", frame(drug=NUMBERS), f"{ATE} --contrast 0,99", ("leaves the range",)),
    ("a word for an amount", "a.csv", frame(drug=NUMBERS), f"{ATE} --contrast low,high", ("is a number",)),
    ("a condition that is none", "a.csv", SOUND, [*HTE.split(), "--condition", "the old ones"], ("condition",)),
    ("a condition on the response", "a.csv", SOUND, [*HTE.split(), "--condition", "pain > 3"], ("restricts the response",)),
    ("a word for a number", "a.csv", SOUND, [*HTE.split(), "--condition", "age >= old"], ("number",)),
    ("an order of words", "a.csv", SOUND, [*HTE.split(), "--condition", "region > north"], ("orders the texts", "'in'")),
    ("a level nobody has", "a.csv", SOUND, [*HTE.split(), "--condition", "region = east"], ("north, south",)),
    ("two values at once", "a.csv", SOUND, [*HTE.split(), "--condition", "age = 50.1", "--condition", "age = 60.2"], ("at once",)),
    # columns that cannot play the role
    ("a constant treatment", "a.csv", frame(drug=np.ones(ROWS)), ATE, ("always 1", "nothing can be compared")),
    ("a constant response", "a.csv", frame(pain=np.ones(ROWS)), ATE, ("always 1", "varies")),
    ("a treatment of one value a row", "a.csv", frame(drug=WORDS), ATE, ("200 different texts", "Group them")),
    ("a response of words", "a.csv", frame(pain=np.array(["low", "mid", "high"])[every(3)]), ATE, ("texts of 3 kinds", "derive")),
    ("a treatment of dates", "a.csv", frame(drug=DATES), ATE, ("holds dates",)),
    ("a response of dates", "a.csv", frame(pain=DATES), ATE, ("holds dates",)),
    ("lists in a column", "a.parquet", frame(pain=[[1, 2]] * ROWS), ATE, ("lists or objects",)),
    ("the response under another name", "a.csv", frame(pain=3 - 2 * SOUND["drug"]), ATE, ("carry the same values",)),
    ("a covariate that is the treatment", "a.csv", frame(copy=SOUND["drug"]), f"{ATE} --covariate copy", ("same values",)),
    ("no overlap", "a.csv", frame(drug=(SOUND["age"] > 50).astype(int)), ATE, ("no overlap", "Adjust")),
    ("an amount that follows from the covariates", "a.csv", frame(drug=2 * SOUND["age"] + NUMBERS / 1e3), ATE, ("no variation",)),
    ("a constant mediator", "a.csv", frame(heart=np.ones(ROWS)), MA, ("mediator 'heart' is always 1",)),
    ("a mediator that is the treatment", "a.csv", frame(heart=1 - SOUND["drug"]), MA, ("carry the same values",)),
    ("a mediator that follows from the rest", "a.csv", frame(heart=SOUND["drug"] + SOUND["age"]), MA, ("mediator 'heart'",)),
    ("a mediator of words", "a.csv", frame(heart=np.array(["low", "mid", "high"])[every(3)]), MA, ("texts of 3 kinds",)),
    ("one action", "a.csv", frame(drug=["wait"] * ROWS), OPO, ("always 'wait'",)),
    ("an action a row", "a.csv", frame(drug=WORDS), OPO, ("200 different texts",)),
    ("a second decision before the first", "a.csv", frame(), f"{OPO.replace('drug', 'region')} --second-treatment drug", ("drug",)),
    ("a node of free text", "a.csv", frame(note=WORDS), f"{GRAPH} --node drug --node note", ("cannot be a node",)),
    ("a constant node", "a.csv", frame(one=np.ones(ROWS)), f"{GRAPH} --node drug --node one", ("one", "constant")),
    ("a node that is a sum", "a.csv", frame(sum=SOUND["age"] + SOUND["heart"]), f"{GRAPH} --node age --node heart --node sum", ("follow exactly",)),
    ("seventy nodes", "a.csv", pd.DataFrame(np.random.default_rng(5).normal(size=(600, 70))).add_prefix("x"), GRAPH, ("2 to 60",)),
]  # fmt: skip


def test_there_are_at_least_sixty() -> None:
    names = [case[0] for case in CASES]
    assert len(set(names)) == len(names) >= 60


@pytest.mark.parametrize(("name", "file", "made", "arguments", "words"), CASES, ids=[case[0] for case in CASES])
def test_bad_input_is_a_clear_error(
    tmp_path: Path, name: str, file: str, made: Made, arguments: str | list[str], words: tuple[str, ...]
) -> None:
    path = tmp_path / file
    if isinstance(made, bytes):
        path.write_bytes(made)
    else:
        write: Callable[..., None] = made.to_parquet if file.endswith("parquet") else made.to_csv
        write(path, index=False)
    given = arguments.split() if isinstance(arguments, str) else arguments
    result = CliRunner().invoke(app, ["ask", str(path), *given, "--no-wording", "--model", "tiny"])
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    for word in words:
        assert word.casefold() in result.output.casefold(), result.output
    assert 40 < len(result.output) < 1200, result.output


@pytest.mark.parametrize("path", ["nowhere.csv", "."])
def test_a_path_that_is_no_file_is_a_clear_error(tmp_path: Path, path: str) -> None:
    result = CliRunner().invoke(app, ["ask", str(tmp_path / path), *ATE.split(), "--no-wording"])
    assert result.exit_code == 2
    assert "DataFileError" in result.output


S3 = "data: s3\ns3: {bucket: ours, endpoint_url: 'http://127.0.0.1:9'}\n"


@pytest.mark.parametrize(
    ("settings", "variables", "told"),
    [
        (None, {}, ("SettingsError", "CAUSALSMITH_SETTINGS names", "which is not there")),
        ("data: tape", {}, ("SettingsError", "settings mine.yaml: data")),
        (S3, {}, ("StoreError", "AWS_ACCESS_KEY_ID", "CAUSALSMITH_SETTINGS")),
        (S3, {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "s3cret", "AWS_MAX_ATTEMPTS": "1"},
         ("StoreError", "127.0.0.1:9")),
    ],
    ids=["no such file", "no such storage", "no credentials", "no server"],
)  # fmt: skip
def test_settings_and_stores_that_will_not_do_are_told(settings, variables, told, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**variables, "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CAUSALSMITH_SETTINGS", str(tmp_path / "mine.yaml"))
    if settings:
        (tmp_path / "mine.yaml").write_text(settings)
    found = CliRunner().invoke(app, ["nights"])
    assert found.exit_code == 2
    assert all(words in found.stderr for words in told), found.stderr
    assert "nobody foresaw" not in found.stderr and "s3cret" not in found.stderr


@pytest.mark.parametrize("command", [["models"], ["rollback", "--reason", "misreads doses"]])
def test_a_registry_that_does_not_answer_is_told_without_its_password(command, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:s3cret@127.0.0.1:9")
    found = CliRunner().invoke(app, command)
    assert found.exit_code == 2
    assert "RegistryError" in found.stderr and "MLFLOW_TRACKING_URI" in found.stderr
    assert "s3cret" not in found.stderr + found.stdout


def test_a_registry_that_is_no_database_is_told(tmp_path, monkeypatch):
    (tmp_path / "mlflow.db").write_text("no database")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    found = CliRunner().invoke(app, ["models"])
    assert found.exit_code == 2
    assert "MLFLOW_TRACKING_URI" in found.stderr and "file is not a database" in found.stderr


@pytest.mark.parametrize("command", [["models"], ["parse", "What does drug do to pain?", "--data"]])
def test_a_registry_that_does_not_answer_is_not_waited_for_long(command, tmp_path, monkeypatch):
    """Unless told otherwise MLflow tries for four minutes, without a word."""
    (tmp_path / "trial.csv").write_text("drug,pain\n" + "0,1\n1,2\n" * 20)
    for name in PATIENCE:
        monkeypatch.setenv(name, "")  # so that what the command sets is undone
        monkeypatch.delenv(name)
    waited: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waited.append)
    monkeypatch.setattr("lm.load_language_model", lambda *_: find_registered("models:/causalsmith-assistant@champion"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    file = [str(tmp_path / "trial.csv")] if command[0] == "parse" else []
    found = CliRunner().invoke(app, [*command, *file])
    assert found.exit_code == 2
    assert "127.0.0.1:9" in found.stderr
    assert sum(waited) < 20


@pytest.mark.parametrize(
    ("fault", "stands_in", "words"),
    [
        (RegistryDown("the registry does not answer"), str(SHIPPED), "adapter that comes with the project"),
        (ModelNotFound("there is no tuned assistant."), BUNDLED, "untuned bundled model"),
    ],
)
def test_what_stands_in_for_the_assistant_is_the_best_there_is_and_is_said(fault, stands_in, words, monkeypatch):
    def load(name: str = BUNDLED) -> str:
        if name == "assistant":
            raise fault
        return name

    monkeypatch.setattr("lm.load_language_model", load)
    found, note = load_chosen(None)
    assert found == stands_in
    assert str(fault) in note and words in note


def test_annotations_are_not_fetched_to_where_nobody_imports_them(tmp_path, monkeypatch):
    """With one file named as the inbox, a file put beside it is never read."""
    (tmp_path / "mine.json").write_text("[]")
    monkeypatch.setenv("CAUSALSMITH_ANNOTATIONS", str(tmp_path / "mine.json"))
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "key")
    found = CliRunner().invoke(app, ["annotations", "fetch", "--url", "http://127.0.0.1:9"])
    assert found.exit_code == 2
    assert "names one file" in found.stderr and "name its folder" in found.stderr
