"""Nights: retraining, then evaluation. Off until switched on in the UI."""

import dagster as dg

from orchestration.jobs import CHAINS

TIME_ZONE = "UTC"
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def _nightly(job: str, hour: int, minute: int = 0) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"nightly_{job}",
        job=CHAINS[job],
        cron_schedule=f"{minute} {hour} * * *",
        execution_timezone=TIME_ZONE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"Runs {job} every night at {hour:02d}:{minute:02d} {TIME_ZONE}.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        running = context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=_UNFINISHED), limit=1)
        if running:
            return dg.SkipReason(f"the last {job} ({running[0].run_id[:8]}) has not ended")
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())

    return schedule


NIGHTLY = [_nightly("retraining", 1), _nightly("evaluation", 4)]
