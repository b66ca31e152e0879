"""The command line as a person meets it: answers, and clear errors without tracebacks."""

import json
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from lm.places import cache
from orchestration.cli import app
from orchestration.faults import clear_errors, quiet, to_json

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
    out = tmp_path / "rows.parquet"
    options = ("--temperature", "4", "--coupling", "inverse_cdf", "--given", "marathon=yes", "--overlap", "0.5")
    done = invoke(
        "sample", "toy_confounder", "--rows", "30", "--seed", "3", "--lm", "tiny", *options, "--out", str(out)
    )
    assert done.exit_code == 0, done.output
    manifest = told(out)
    assert (manifest["temperature"], manifest["coupling"], manifest["given"]) == (4, "inverse_cdf", {"marathon": "yes"})
    assert manifest["knobs"]["overlap"] == 0.5
    assert len(manifest["language_model_digest"]) == 16
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


def test_a_phrasing_of_no_scenario_is_a_clear_error() -> None:
    assert_clear_error(invoke("scenarios", "--phrasing", "3"), "--phrasing goes with one scenario")


def test_audit_tells_effects_by_phrasing(tmp_path: Path) -> None:
    picture = tmp_path / "audit.png"
    common = ("audit", "toy_confounder", "--lm", "tiny", "--phrasings", "3")
    shown = invoke(*common, "--picture", str(picture))
    assert shown.exit_code == 0, shown.output
    assert "levels in reverse order" in shown.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    found = json.loads(invoke(*common, "--json").stdout)
    assert {line["phrasing"] for line in found["effects"]} == {0, 1, 2}
    assert 0 <= found["sign_stability"] <= 1


# A scenario of one's own: its knobs and phrasing are its own, one level reads like a share, brackets are text.

OWN = """
name: own
title: "Alarm [bold]clocks[/x] :smile:"
description: Rising [/x] early.
phrasing: 3
knobs: {overlap: 0.25, effect: 2, hidden_confounding: 0.5}
variables:
  - name: alarm
    role: treatment
    levels: ["12:30", "13:30", "12"]
    phrasings: [The alarm rings at, They wake at, The clock is set to, Waking is at, It rings at]
  - name: late
    role: outcome
    levels: ["no", "yes"]
    parents: [alarm]
    phrasings: ["Are they late?", "Late for work?", "Is it a late day?", "Do they come late?", "Late today?"]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(OWN)
    return path


def told(path: Path) -> dict:
    return json.loads(pq.read_schema(path).metadata[b"causalsmith"])


def sampled(own: Path, *options: str, rows: int = 20) -> tuple[pd.DataFrame, dict]:
    out = own.parent / "rows.parquet"
    done = invoke("sample", str(own), "--rows", str(rows), "--seed", "1", "--lm", "tiny", *options, "--out", str(out))
    assert done.exit_code == 0, done.output
    return pd.read_parquet(out), told(out)


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ((), {}),
        (("--effect", "-1"), {"effect": -1}),
        (("--overlap", "0", "--heterogeneity", "3"), {"overlap": 0, "heterogeneity": 3}),
        (("--hidden-confounding", "0"), {"hidden_confounding": 0}),
    ],
)
def test_a_knob_that_is_not_given_is_as_the_file_says(own: Path, options: tuple[str, ...], changed: dict) -> None:
    frame, manifest = sampled(own, *options)
    assert manifest["knobs"] == {"overlap": 0.25, "effect": 2, "heterogeneity": 1, "hidden_confounding": 0.5, **changed}
    assert manifest["phrasing"] == 3
    assert ("hidden_cause" in frame) == ("--hidden-confounding" not in options)


def test_a_phrasing_that_is_given_goes_before_the_files(own: Path) -> None:
    assert sampled(own, "--phrasing", "0")[1]["phrasing"] == 0
    assert "this is draw 3" in invoke("scenarios", str(own)).output
    assert "this is draw 0" in invoke("scenarios", str(own), "--phrasing", "0").output


def test_a_level_that_reads_like_a_share_is_the_level(own: Path) -> None:
    assert set(sampled(own, "--do", "alarm=12:30")[0]["alarm"]) == {"12:30"}
    assert set(sampled(own, "--do", "alarm=12:1")[0]["alarm"]) == {"12"}
    assert set(sampled(own, "--do", "alarm=12:30:0.5|13:30:0.5", rows=60)[0]["alarm"]) == {"12:30", "13:30"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--do", "alarm=12", "--do", "alarm=12:30"), ("alarm", "'12'", "'12:30'")),
        (("--given", "late=yes", "--given", "late=no"), ("late", "'yes'", "'no'")),
        (("--do", "late=yes:0.3|yes:0.7"), ("'yes'", "0.3", "0.7")),
        (("--by", "table"), ("--by", "--given")),
    ],
)
def test_what_is_said_twice_or_for_nothing_is_refused(own: Path, options: tuple[str, ...], words: tuple) -> None:
    out = own.parent / "rows.parquet"
    result = invoke("sample", str(own), "--rows", "5", "--seed", "0", "--lm", "tiny", *options, "--out", str(out))
    assert_clear_error(result, "ScenarioError", *words)
    assert not out.exists()


def test_brackets_and_colons_of_a_file_are_text(own: Path) -> None:
    shown = invoke("scenarios", str(own))
    assert shown.exit_code == 0, shown.output
    assert "Alarm [bold]clocks[/x] :smile:" in shown.output
    assert "Rising [/x] early." in shown.output


@pytest.mark.parametrize("by", ["rejection", "table"])
def test_rows_are_conditioned_by_the_way_that_is_asked_for(tmp_path: Path, by: str) -> None:
    out = tmp_path / "rows.parquet"
    common = ("sample", "toy_confounder", "--rows", "25", "--seed", "3", "--lm", "tiny", "--out", str(out))
    done = invoke(*common, "--given", "marathon=yes", "--temperature", "20", "--by", by)
    assert done.exit_code == 0, done.output
    assert (pd.read_parquet(out)["marathon"] == "yes").all()
    assert told(out)["by"] == by


def test_sample_with_arms_tells_the_true_effect(tmp_path: Path) -> None:
    """The truths are recomputed from the columns of the file; the exact effect lies near the mean of many units."""
    out = tmp_path / "rows.parquet"
    options = ("--rows", "2000", "--seed", "3", "--temperature", "20", "--arms", "--outcome", "log_prob")
    done = invoke("sample", "toy_confounder", *options, "--lm", "tiny", "--out", str(out))
    assert done.exit_code == 0, done.output
    frame, truths = pd.read_parquet(out), told(out)
    effects = frame["marathon__do_yes"] - frame["marathon__do_no"]
    treated = frame["gym"] == "yes"
    expected = {
        "sample_ate": effects.mean(),
        "unit_effect_sd": effects.std(ddof=0),
        "difference_in_means": frame["marathon"][treated].mean() - frame["marathon"][~treated].mean(),
    }
    for name, value in expected.items():
        assert truths[name] == pytest.approx(value)
        assert f"{value:.6g}" in next(line for line in done.output.splitlines() if line.startswith(name))
    assert abs(truths["exact_ate"] - effects.mean()) <= 4 * effects.std() / 2000**0.5 + 1e-12
    assert any(line.startswith("exact_ate") for line in done.output.splitlines())


# Files to write are checked before any work: an unknown language model, which is looked up later, is not even missed.


def _places(folder: Path, suffix: str) -> list[tuple[Path, str]]:
    (folder / f"taken{suffix}").mkdir()
    (folder / "file").write_text("")
    return [
        (folder / "none" / f"x{suffix}", "does not exist"),
        (folder / "file" / f"x{suffix}", "not a folder"),
        (folder / f"taken{suffix}", "is a folder"),
        (folder / "x.txt", f"must end in {suffix}"),
        (folder / f"{'x' * 300}{suffix}", "too long"),
    ]


@pytest.mark.parametrize(
    ("arguments", "suffix"),
    [
        (("sample", "tutoring", "--rows", "5", "--seed", "0", "--lm", "unknown", "--out"), ".parquet"),
        (("audit", "tutoring", "--lm", "unknown", "--picture"), ".png"),
        (("scenarios", "tutoring", "--picture"), ".png"),
        (("ask", "no.csv", "--task", "ATE", "--treatment", "t", "--response", "y", "--plot"), ".png"),
    ],
)
def test_a_place_where_no_file_can_be_is_refused_first(tmp_path: Path, arguments: tuple[str, ...], suffix: str) -> None:
    for path, word in _places(tmp_path, suffix):
        result = invoke(*arguments, str(path))
        assert_clear_error(result, "FileError: ", word)
        assert "A context of" not in result.output


def test_a_folder_without_permission_is_refused_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)  # root may write everywhere
    picture = tmp_path / "x.png"
    assert_clear_error(invoke("audit", "tutoring", "--lm", "unknown", "--picture", str(picture)), "no permission")


def test_more_rows_than_memory_is_a_clear_error(tmp_path: Path) -> None:
    """10¹⁴ row numbers of eight bytes are 728 TiB."""
    out = tmp_path / "rows.parquet"
    common = ("toy_confounder", "--rows", "100000000000000", "--seed", "0", "--lm", "tiny", "--out", str(out))
    assert_clear_error(invoke("sample", *common), "OutOfMemory", "fewer rows")
    assert list(tmp_path.iterdir()) == []


def test_a_memory_error_without_words_is_a_clear_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped, clear_errors():
        raise MemoryError
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("OutOfMemory: ")


def test_json_has_null_where_there_is_no_number() -> None:
    content = {"a": float("nan"), "b": [np.float64("inf"), np.int64(3)], "c": (True, np.bool_(False)), "d": "ä"}
    text = to_json(content | {"e": {"f": np.array([1.5, -np.inf])}})
    assert json.loads(text, parse_constant=lambda name: pytest.fail(name)) == {
        "a": None,
        "b": [None, 3],
        "c": [True, False],
        "d": "ä",
        "e": {"f": [1.5, None]},
    }


def test_an_audit_of_an_effect_that_the_knobs_remove_says_that_nothing_varies(own: Path) -> None:
    """An effect times nought is nought under every phrasing and rule, and no shares of its variance can be told."""
    own.write_text(OWN.replace("effect: 2, hidden_confounding: 0.5", "effect: 0"))
    common = ("audit", str(own), "--lm", "tiny", "--phrasings", "2", "--variant-phrasings", "0", "--seeds", "2")
    common = (*common, "--rows", "10")
    shown = invoke(*common)
    assert shown.exit_code == 0, shown.output
    assert "nan" not in shown.output.lower()
    assert "over phrasings and rules: nothing varies" in shown.output
    found = json.loads(invoke(*common, "--json").stdout, parse_constant=lambda name: pytest.fail(name))
    assert found["variance"] == {"phrasing": None, "rule": None, "both": None}
    assert found["between_phrasings"] is None or 0 <= found["between_phrasings"] <= 1


def test_an_audit_tells_of_how_many_phrasings_it_is(own: Path) -> None:
    """One wording of the outcome and five of the treatment are five, fewer than asked for."""
    own.write_text(OWN.replace(', "Late for work?", "Is it a late day?", "Do they come late?", "Late today?"', ""))
    common = ("--phrasings", "8", "--variant-phrasings", "0", "--seeds", "2", "--rows", "10")
    shown = invoke("audit", str(own), "--lm", "tiny", *common)
    assert " of 5 phrasings (95 % interval" in shown.output, shown.output


def test_an_audit_says_where_its_effects_are_sampled() -> None:
    """In ten rows of breast_cancer the random model moves no unit, which is not an exact effect of nought."""
    common = ("--lm", "tiny", "--phrasings", "2", "--variant-phrasings", "0", "--seeds", "2", "--rows", "10")
    assert "Effects     sampled from 10 rows each" in invoke("audit", "breast_cancer", *common).output
    assert "sampled" not in invoke("audit", "toy_confounder", *common).output
    found = json.loads(invoke("audit", "breast_cancer", *common, "--json").stdout)
    assert not any(line["exact"] for line in found["effects"])


def test_audit_is_as_large_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 4 phrasings, all are asked of the model as it is, and 2 of every change of levels."""
    from sdscm.model import SequenceSCM

    drawn = []
    worlds = SequenceSCM.worlds
    monkeypatch.setattr(
        SequenceSCM,
        "worlds",
        lambda scm, rows, seed, *a, **k: drawn.append((rows, seed)) or worlds(scm, rows, seed, *a, **k),
    )
    options = ("--phrasings", "4", "--variant-phrasings", "2", "--seeds", "3", "--rows", "17", "--json")
    found = json.loads(invoke("audit", "toy_confounder", "--lm", "tiny", *options).stdout)
    counts = pd.DataFrame(found["effects"])["variant"].value_counts()
    assert counts["as it is"] == counts["rule mean"] == 4
    assert counts["levels in reverse order"] == 2
    assert drawn == [(17, seed) for seed in range(12)]  # three of its own for each phrasing


def test_a_picture_that_fails_does_not_cost_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sdscm.audit_picture

    def fail(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sdscm.audit_picture, "draw_audit", fail)
    options = ("--phrasings", "2", "--seeds", "2", "--rows", "20", "--picture", str(tmp_path / "x.png"))
    result = invoke("audit", "toy_confounder", "--lm", "tiny", *options)
    assert_clear_error(result, "No space left on device", "Variance")


def test_our_own_warnings_are_one_line_each_and_libraries_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        quiet()
        for module, category in (
            ("sdscm.scores", UserWarning),
            ("lm", UserWarning),
            ("sdscm.scores", RuntimeWarning),
            ("sklearn.base", UserWarning),
            ("lmfit.model", UserWarning),
        ):
            warnings.warn_explicit(f"{module} {category.__name__}", category, "x.py", 1, module=module)
    assert capsys.readouterr().err.splitlines() == ["Warning: sdscm.scores UserWarning", "Warning: lm UserWarning"]


def test_a_full_disk_is_told_and_the_rows_are_drawn(tmp_path: Path, monkeypatch) -> None:
    """A database of scores that cannot be written to costs the scores' file, not the run."""
    import sqlite3

    from sdscm.memo import ScoreMemo

    make = ScoreMemo.__init__

    def full(self: ScoreMemo, path: Path | None = None) -> None:
        make(self, path)
        self._database.execute("PRAGMA query_only=ON")  # type: ignore[union-attr]

    monkeypatch.setattr(ScoreMemo, "__init__", full)
    out = tmp_path / "rows.parquet"
    common = ("sample", "toy_collider", "--rows", "5", "--seed", "0", "--lm", "tiny", "--out", str(out))
    done = invoke(*common, env={"CAUSALSMITH_CACHE": str(tmp_path)})
    assert done.exit_code == 0, done.output
    assert any(line.startswith("Warning: scores are kept in memory only") for line in done.stderr.splitlines())
    assert len(pd.read_parquet(out)) == 5
    assert sqlite3.connect(tmp_path / "scores.sqlite").execute("SELECT count(*) FROM scores").fetchone() == (0,)


def test_tests_have_a_cache_of_their_own() -> None:
    import platformdirs

    assert cache() != Path(platformdirs.user_cache_dir("causalsmith"))
    invoke("audit", "toy_collider", "--lm", "tiny", "--phrasings", "2", "--seeds", "2", "--rows", "5")
    assert (cache() / "scores.sqlite").exists()


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


def test_a_query_given_in_full_needs_neither_question_nor_language_model(trial: Path) -> None:
    common = ["ask", str(trial), "--task", "ATE", "--treatment", "drug", "--response", "pain", "--no-wording", "--json"]
    result = runner.invoke(app, common)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    plain = json.loads(runner.invoke(app, [*common, "--no-checks"]).stdout)
    assert plain["result"]["estimate"] == told["result"]["estimate"]
    assert "refutations" in told["result"]["diagnostics"] and "refutations" not in plain["result"]["diagnostics"]
    alone = json.loads(runner.invoke(app, [*common, "--no-adjustment"]).stdout)
    assert alone["query"]["covariates"] == [] and "nothing was adjusted for" in alone["result"]["method"]
    assert_clear_error(runner.invoke(app, [*common, "--no-adjustment", "--covariate", "age"]), "contradict")
    assert told["seconds"]["tool"] > plain["seconds"]["wording"] >= 0
    assert told["query"]["treatment"] == "drug"
    assert told["model"].startswith("none")
    assert told["explanation"] == told["result"]["summary"]


def test_columns_are_shown_as_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "id;dose;arm;note\n" + "".join(f"{i};{i / 8},5;{'ab'[i % 2]};\n".replace(".", "") for i in range(1, 60))
    )
    result = runner.invoke(app, ["columns", str(path)])
    assert result.exit_code == 0, result.output
    assert "identifier" in result.output and "binary" in result.output and "Note: " in result.output
    told = json.loads(runner.invoke(app, ["columns", str(path), "--json"]).stdout)
    assert [(row["column"], row["read_as"], row["missing"]) for row in told["columns"]] == [
        ("id", "identifier", 0), ("dose", "continuous", 0), ("arm", "binary", 0), ("note", "empty", 59)]  # fmt: skip
    assert told["rows"] == 59 and told["columns"][2]["such_as"] == "b, a"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--task", "ATE", "--treatment", "drug", "--response", "weight"), "weight"),
        (("--task", "ATE", "--treatment", "drug", "--response", "pain", "--contrast", "0"), "FROM,TO"),
        (("--task", "ATE", "--treatment", "drug", "--response", "pain", "--contrast", "0,9"), "no level '9'"),
        (
            ("--task", "ATE", "--treatment", "drug", "--response", "pain", "--contrast", '0, "9, no"'),
            "no level '9, no'",
        ),
        (("--task", "HTE", "--treatment", "drug", "--response", "pain", "--condition", "age about 3"), "condition"),
        (("--task", "MA", "--treatment", "drug", "--response", "pain"), "question is empty"),
    ],
)
def test_a_given_query_that_does_not_fit_is_a_clear_error(trial: Path, options: tuple[str, ...], word: str) -> None:
    assert_clear_error(runner.invoke(app, ["ask", str(trial), *options, "--no-wording"]), word)


def test_the_reading_is_edited_before_it_runs(trial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def editor(text: str, extension: str) -> str:
        seen.append(text)
        return text.replace("treatment: drug", "treatment: age")

    monkeypatch.setattr("click.edit", editor)
    given = ("--task", "ATE", "--treatment", "drug", "--response", "pain", "--no-wording", "--edit", "--json")
    result = runner.invoke(app, ["ask", str(trial), *given])
    assert result.exit_code == 0, result.output
    assert "response: pain" in seen[0]
    assert json.loads(result.stdout)["query"]["treatment"] == "age"


@pytest.mark.parametrize(("of", "word"), [("query", "contrast"), ("result", "interval")])
def test_the_contract_is_printed_as_a_json_schema(of: str, word: str) -> None:
    result = runner.invoke(app, ["schema", of])
    assert result.exit_code == 0
    assert word in json.dumps(json.loads(result.stdout))
