"""The whole chain at tiny size, as `make demo` runs it, twice."""

import json
import sqlite3
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from assets.storage import FileStore, LocalBlobs
from orchestration.cli import app

CHAIN = {
    "causal_topics",
    "synthetic_queries",
    "reworded_queries",
    "annotation_tasks",
    "human_annotations",
    "annotation_agreement",
    "retrieval_corpus",
    "interpretation_corpus",
    "explanation_tasks",
    "explanation_agreement",
    "published_corpora",
    "second_reader",
    "assistant_adapter",
    "registered_assistant",
    "conditional_tables",
    "sdscm_benchmark",
    "encoded_effects",
    "held_out_results",
    "gpt4_baseline",
    "assistant_evaluation",
    "answer_evaluation",
    "explanation_evaluation",
    "judged_explanations",
    "regression_report",
    "promoted_assistant",
    "nightly_report",
}


@pytest.fixture(scope="module")
def first(run) -> subprocess.CompletedProcess[str]:
    done = run("orchestration.demo")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def files(first, home: Path) -> FileStore:
    return FileStore(LocalBlobs(str(home / "data")), home / "downloads")


def test_the_demo_makes_every_asset_of_the_chain(first, home: Path) -> None:
    assert {path.name for path in (home / "data").iterdir()} == CHAIN
    assert "31 assets made anew, 0 unchanged and reused" in first.stdout


def test_nothing_is_stored_as_a_pickle(first, home: Path) -> None:
    suffixes = {path.suffix for path in (home / "data").rglob("*") if path.is_file()}
    assert suffixes <= {".parquet", ".json", ".jsonl", ".safetensors", ".md", ".jinja", ".html"}


def test_the_absent_baseline_is_a_warning_and_no_number(first, files: FileStore) -> None:
    assert "No answers of gpt-4" in first.stderr
    asked = files.get("gpt4_baseline")
    assert len(asked) > 12 and (asked["answer"] == "").all() and asked["failure"].str.contains("OPENAI_API_KEY").all()
    assert not any(name.startswith("gpt") for name in files.get("assistant_evaluation").columns)


def test_the_adapter_is_registered_as_challenger(first, files: FileStore, home: Path) -> None:
    registered = files.get("registered_assistant")
    with sqlite3.connect(home / "mlflow" / "mlflow.db") as database:
        aliases = database.execute("select name, alias, version from registered_model_aliases").fetchall()
    assert ("causalsmith-assistant", "challenger", int(registered["version"])) in [
        (n, a, int(v)) for n, a, v in aliases
    ]
    assert registered["adapter_digest"] == files.find("assistant_adapter", "mixed").digest
    for reader in ("second_reader", "third_reader"):
        assert (files.get("assistant_adapter", "mixed") / reader / "pointer.safetensors").exists()


def test_every_question_is_scored_for_every_system(first, files: FileStore) -> None:
    predictions = files.get("assistant_evaluation")
    assert len(predictions) == 12  # two a task, six tasks, in the tiny profile
    for system in ("challenger", "untuned", "nearest question", "majority"):
        assert predictions[system].map(json.loads).map(lambda reading: reading is None or "task" in reading).all()


def test_potential_outcomes_agree_with_the_facts(first, files: FileStore) -> None:
    frame = files.get("sdscm_benchmark", "tiny|toy_confounder")
    assert isinstance(frame, pd.DataFrame)
    for level in ("no", "yes"):
        part = frame[frame["gym"] == level]
        assert (part[f"marathon__do_{level}"] == part["marathon"]).all()


def test_all_checks_but_the_baselines_pass(first, home: Path) -> None:
    databases = list((home / "dagster").rglob("runs.db")) + list((home / "dagster").rglob("index.db"))
    found = []
    for path in databases:
        with sqlite3.connect(path) as database:
            if database.execute("select 1 from sqlite_master where name = 'asset_check_executions'").fetchone():
                found += database.execute("select check_name, execution_status from asset_check_executions").fetchall()
    assert {name for name, _ in found} == {
        "retrieval_corpus_is_sound",
        "retrieval_corpus_does_not_leak",
        "interpretation_corpus_is_sound",
        "schema",
        "markov",
        "markov_exact",
        "consistency",
        "positivity",
        "baseline_is_there",
        "figures_in_control",
    }
    assert {name for name, status in found if status != "SUCCEEDED"} == {"baseline_is_there"}


def test_a_challenger_that_has_not_won_is_not_what_answers(first, home: Path, monkeypatch) -> None:
    from lm.registry import find_assistant

    monkeypatch.setenv("CAUSALSMITH_HOME", str(home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert find_assistant().version == "shipped with the project"


@pytest.mark.slow
def test_a_second_run_reuses_everything(first, run) -> None:
    again = run("orchestration.demo")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "0 assets made anew, 31 unchanged and reused" in again.stdout
    assert "questions read" not in again.stderr
    assert "step 1 of" not in again.stderr


def test_failures_are_listed_by_kind_of_the_last_data_and_of_a_night(
    first, run, files: FileStore, tmp_path: Path
) -> None:
    out = tmp_path / "failures.parquet"
    told = run("orchestration.cli", "failures", "--system", "majority", "--json", "--out", str(out))
    found = json.loads(told.stdout)
    predictions = files.get("assistant_evaluation")
    assert found["questions"] == len(predictions) == 12
    rows = predictions[["id", "majority", "query"]].to_numpy().tolist()
    assert {one["id"] for one in found["failures"]} == {
        name for name, said, true in rows if json.loads(said) != json.loads(true)
    }
    assert pd.read_parquet(out)["id"].tolist() == [one["id"] for one in found["failures"]]
    (night,) = json.loads(run("orchestration.cli", "nights", "--json").stdout)["nights"]
    assert Path(night["page"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    of_night = run("orchestration.cli", "failures", "--system", "majority", "--night", night["night"], "--json")
    assert json.loads(of_night.stdout) == found
    shown = run("orchestration.cli", "failures", "--limit", "1").stdout
    assert "wanted" in shown and "read" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("failures", "--system", "nobody"), "there are: challenger, untuned"),
        (("failures", "--beside", "nobody"), "there are: challenger, untuned"),
        (("failures", "--task", "SUM"), "no task 'SUM'"),
        (("failures", "--kind", "odd"), "there are: unreadable"),
        (("failures", "--night", "1999-01-01"), "no night '1999-01-01'"),
        (("rollback", "--reason", "x"), "no champion"),
        (("rollback", "--reason", " "), "must say why"),
    ],
)
def test_what_cannot_be_listed_or_rolled_back_is_told(first, home: Path, monkeypatch, arguments, message) -> None:
    monkeypatch.setenv("CAUSALSMITH_HOME", str(home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_registered_versions_are_listed(first, run, files: FileStore) -> None:
    (version,) = json.loads(run("orchestration.cli", "models", "--json").stdout)["versions"]
    assert (version["version"], version["alias"]) == ("1", "challenger")
    assert version["adapter"] == files.find("assistant_adapter", "mixed").digest


def test_an_empty_home_has_no_nights_and_says_what_to_do(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("CAUSALSMITH_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert "No night yet" in CliRunner().invoke(app, ["nights"]).stdout
    done = CliRunner().invoke(app, ["failures"])
    assert done.exit_code == 2 and "make demo" in done.stderr
    assert "No version is registered" in CliRunner().invoke(app, ["models"]).stdout
