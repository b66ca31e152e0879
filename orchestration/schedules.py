"""Nights: retraining, then evaluation. Off until switched on in the UI; the hours stand in the settings file."""

from zoneinfo import ZoneInfo

import dagster as dg

from assets.nights import NIGHT_TAG
from orchestration.abandoned import end_abandoned_runs
from orchestration.jobs import CHAINS, PARENT_TAG
from orchestration.settings import Nights, chosen_settings

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_JOBS = ("retraining", "evaluation")


def nightly(job: str, at: str, nights: Nights) -> dg.ScheduleDefinition:
    """The schedule of one job.

    A night is skipped while the last run of any nightly job goes on: retraining changes what evaluation looks at. One whose
    process is gone does not go on.

    Args:
        at: hour and minute, ``HH:MM``.
    """
    hour, minute = map(int, at.split(":"))

    @dg.schedule(
        name=f"nightly_{job}",
        job=CHAINS[job],
        cron_schedule=f"{minute} {hour} * * *",
        execution_timezone=nights.time_zone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"Runs {job} every night at {at} {nights.time_zone}; one that fails is tried {nights.retries} times again.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        end_abandoned_runs(context.instance, PARENT_TAG, context.log)
        for name in _JOBS:
            running = context.instance.get_runs(dg.RunsFilter(job_name=name, statuses=_UNFINISHED), limit=1)
            if running:
                return dg.SkipReason(f"the last {name} ({running[0].run_id[:8]}) has not ended")
        night = context.scheduled_execution_time.astimezone(ZoneInfo(nights.time_zone)).date().isoformat()
        return dg.RunRequest(
            run_key=context.scheduled_execution_time.isoformat(),
            tags={NIGHT_TAG: night, "dagster/max_retries": str(nights.retries), "dagster/retry_strategy": "ALL_STEPS"},
        )

    return schedule


def schedules(nights: Nights) -> list[dg.ScheduleDefinition]:
    """All schedules."""
    return [nightly(job, getattr(nights, job), nights) for job in _JOBS]


NIGHTLY = schedules(chosen_settings().nights)
