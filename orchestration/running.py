"""Running a job of stages in this process, and what came of it: for the command line, CI and the demo."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from orchestration.home import open_instance, prepare_dagster_home
from orchestration.jobs import PARENT_TAG


@dataclass(frozen=True)
class Made:
    """One asset, or one partition of it, that a job materialized.

    Attributes:
        reused: it was unchanged, so what was there already stands.
    """

    asset: str
    partition: str | None
    reused: bool


@dataclass(frozen=True)
class FailedCheck:
    """A check that did not pass; where it blocks, the job failed."""

    check: str
    asset: str
    message: str


@dataclass(frozen=True)
class JobOutcome:
    """What a job did.

    Attributes:
        run: its id on the Dagster instance.
        peak_gigabytes: the most memory that this process or one of its children held.
    """

    job: str
    run: str
    succeeded: bool
    made: tuple[Made, ...]
    failed_checks: tuple[FailedCheck, ...]
    seconds: float
    peak_gigabytes: float


def run_job(name: str, tags: Mapping[str, str] | None = None) -> JobOutcome:
    """Run a job at the chosen profile, as the UI or a schedule would; it is listed in the UI too.

    Args:
        name: one of :data:`orchestration.jobs.JOBS`.
        tags: of the run, such as the night that it belongs to.
    """
    import logging
    import warnings

    start = time.monotonic()
    warnings.filterwarnings("ignore")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    prepare_dagster_home()  # before the definitions are loaded
    from orchestration.definitions import defs
    from orchestration.jobs import QUIET

    with open_instance() as instance:
        job = defs.resolve_job_def(name)
        result = job.execute_in_process(
            instance=instance, raise_on_error=False, run_config=QUIET, tags=dict(tags or {})
        )
        children = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return JobOutcome(
            name,
            result.run_id,
            result.success,
            tuple(_made(instance, result.run_id)),
            tuple(_failed_checks(instance, result.run_id)),
            time.monotonic() - start,
            max(children) / 1e6,
        )


def _made(instance: dg.DagsterInstance, job_run: str) -> Iterator[Made]:
    for event in _events(instance, job_run, dg.DagsterEventType.ASSET_MATERIALIZATION):
        found = event.asset_materialization
        if found is not None and "reused" in found.metadata:
            yield Made(found.asset_key.to_user_string(), found.partition, bool(found.metadata["reused"].value))


def _failed_checks(instance: dg.DagsterInstance, job_run: str) -> Iterator[FailedCheck]:
    for event in _events(instance, job_run, dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        found = event.dagster_event.asset_check_evaluation_data if event.dagster_event else None
        if found is not None and not found.passed:
            yield FailedCheck(found.check_name, found.asset_key.to_user_string(), found.description or "")


def _events(instance: dg.DagsterInstance, job_run: str, kind: Any) -> Iterator[dg.EventLogEntry]:
    """Events of a kind in the runs of a job's stages, in the order in which the runs were begun."""
    runs = instance.get_runs(dg.RunsFilter(tags={PARENT_TAG: job_run}), ascending=True)
    for run in runs:
        for record in instance.get_records_for_run(run.run_id, of_type=kind).records:
            yield record.event_log_entry
