"""The command line on the pipeline: run one of its jobs here."""

import os
from typing import Annotated, Literal

import typer

from orchestration.faults import clear_errors, print_json, quiet

JobName = Literal["demo", "retraining", "evaluation", "benchmark"]


def run(
    job: Annotated[
        JobName,
        typer.Argument(
            help="`benchmark`: SD-SCM data sets and their checks; `retraining`: corpora, adapter, registration; "
            "`evaluation`: held-out questions, the gate, the report; `demo`: all of it.",
            show_default=False,
        ),
    ],
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            "-p",
            help="Sizes and language models: tiny, demo, laptop, gpu, paper, or the path of a YAML file of yours.",
            show_default="that of CAUSALSMITH_PROFILE, else demo",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
) -> None:
    """Run a job of the pipeline here, and say what it made: for CI, cron and terminals.

    It is the job that Dagster's page and schedules launch, and the page lists this run too. What is unchanged is reused, so a run
    that was stopped goes on from what it had finished. Exit code 1: a stage failed, or a check that blocks did not pass.

    Examples: `causalsmith run benchmark --profile laptop`, `causalsmith run evaluation --json > night.json`
    """
    with clear_errors():
        quiet()
        if profile is not None:
            os.environ["CAUSALSMITH_PROFILE"] = profile
        from dataclasses import asdict

        from orchestration.settings import chosen_profile

        chosen_profile()  # a profile that is not there is told before Dagster is loaded
        from orchestration.running import run_job

        outcome = run_job(job)
        if as_json:
            print_json(asdict(outcome))
        else:
            from rich.console import Console

            from orchestration.summary import print_outcome

            print_outcome(Console(), outcome)
    if not outcome.succeeded:
        raise typer.Exit(1)
