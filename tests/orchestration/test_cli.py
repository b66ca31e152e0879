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


def invoke(*arguments: str, env: dict[str, str] | None = None) -> Result:
    chosen = ["--model", "tiny"] if arguments[0] in ("ask", "parse") else []
    return runner.invoke(app, [*arguments, *chosen], env=env)


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


def test_sample_tells_in_the_file_what_the_rows_were_made_from(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    out = tmp_path / "rows.parquet"
    options = ("--temperature", "4", "--coupling", "inverse_cdf", "--given", "marathon=yes", "--overlap", "0.5")
    done = invoke(
        "sample", "toy_confounder", "--rows", "30", "--seed", "3", "--lm", "tiny", *options, "--out", str(out)
    )
    assert done.exit_code == 0, done.output
    told = json.loads(pq.read_schema(out).metadata[b"causalsmith"])
    assert (told["temperature"], told["coupling"], told["given"]) == (4, "inverse_cdf", {"marathon": "yes"})
    assert told["knobs"]["overlap"] == 0.5
    assert len(told["language_model_digest"]) == 16
    frame = pd.read_parquet(out)
    assert len(frame) == 30
    assert (frame["marathon"] == "yes").all()


def test_sample_with_arms_writes_every_potential_outcome(tmp_path: Path) -> None:
    out = tmp_path / "rows.parquet"
    common = ("sample", "toy_confounder", "--rows", "30", "--seed", "3", "--lm", "tiny", "--arms", "--out", str(out))
    assert invoke(*common, "--outcome", "log_prob", "--hidden-confounding", "1").exit_code == 0
    frame = pd.read_parquet(out)
    own = frame["marathon__do_yes"].where(frame["gym"] == "yes", frame["marathon__do_no"])
    assert (own == frame["marathon"]).all()
    assert (frame["marathon"] < 0).all()
    assert set(frame["hidden_cause"]) == {"absent", "present"}


def test_a_second_run_finds_the_scores_on_disk(tmp_path: Path) -> None:
    drawn = ("sample", "toy_collider", "--rows", "300", "--temperature", "50", "--lm", "tiny")
    common = (*drawn, "--out", str(tmp_path / "rows.parquet"))
    first = invoke(*common, "--seed", "1", env={"CAUSALSMITH_CACHE": str(tmp_path)})
    second = invoke(*common, "--seed", "2", env={"CAUSALSMITH_CACHE": str(tmp_path)})
    without = invoke(*common, "--seed", "2", "--no-memo", env={"CAUSALSMITH_CACHE": str(tmp_path)})
    assert [r.exit_code for r in (first, second, without)] == [0, 0, 0], first.output + second.output
    assert "(6 contexts scored)" in first.output
    assert "(0 contexts scored)" in second.output
    assert "(6 contexts scored)" in without.output


def test_a_random_level_is_an_intervention_too(tmp_path: Path) -> None:
    out = tmp_path / "rows.parquet"
    common = ("sample", "toy_confounder", "--rows", "400", "--seed", "3", "--lm", "tiny", "--out", str(out))
    assert invoke(*common, "--do", "gym=no:0.25|yes:0.75").exit_code == 0
    assert abs((pd.read_parquet(out)["gym"] == "yes").mean() - 0.75) < 4 * (0.25 * 0.75 / 400) ** 0.5


def test_scenarios_shows_one_scenario_and_draws_it(tmp_path: Path) -> None:
    picture = tmp_path / "graph.png"
    result = invoke("scenarios", "toy_confounder", "--picture", str(picture))
    assert result.exit_code == 0, result.output
    for word in ("motivation", "treatment", "A context of marathon"):
        assert word in result.output
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_audit_tells_effects_by_phrasing(tmp_path: Path) -> None:
    picture = tmp_path / "audit.png"
    common = ("audit", "toy_confounder", "--lm", "tiny", "--phrasings", "3")
    shown = invoke(*common, "--picture", str(picture))
    assert shown.exit_code == 0, shown.output
    assert "levels in reverse order" in shown.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    told = json.loads(invoke(*common, "--json").stdout)
    assert {line["phrasing"] for line in told["effects"]} == {0, 1, 2}
    assert 0 <= told["sign_stability"] <= 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("tutoring", "--rows", "5", "--seed", "0", "--given", "passed=may", "--out", "x.parquet"), "no level 'may'"),
        (
            ("tutoring", "--rows", "5", "--seed", "0", "--arms", "--do", "tutoring=yes", "--out", "x.parquet"),
            "leave out",
        ),
        (("tutoring", "--rows", "5", "--seed", "0", "--outcome", "log_prob", "--out", "x.parquet"), "--arms"),
        (("tutoring", "--rows", "5", "--seed", "0", "--overlap", "2", "--out", "x.parquet"), "overlap"),
        (("tutoring", "--rows", "5", "--seed", "0", "--do", "tutoring=yes:2", "--out", "x.parquet"), "sum to 2"),
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
