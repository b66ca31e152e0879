"""Running a job from the command line: what it tells, and how it ends where something is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from orchestration.cli_run import JobName
from orchestration.jobs import JOBS


def test_every_job_can_be_run() -> None:
    assert set(get_args(JobName)) == set(JOBS)


def test_a_job_that_fails_says_where_and_ends_with_1(run, tmp_path: Path) -> None:
    """Evaluation before anything is trained."""
    done = run("orchestration.cli", "run", "evaluation", CAUSALSMITH_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "✗" in done.stderr and "materialize" in done.stderr
    assert "Job evaluation did not finish" in done.stdout
    assert "nobody foresaw" not in done.stderr


def test_what_cannot_be_run_is_told(run) -> None:
    assert "'demo', 'retraining', 'evaluation'" in run("orchestration.cli", "run", "everything").stderr
    done = run("orchestration.cli", "run", "benchmark", "--profile", "huge")
    assert (done.returncode, done.stdout) == (2, "")
    assert "huge" in done.stderr and "tiny" in done.stderr
