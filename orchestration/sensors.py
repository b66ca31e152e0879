"""What is watched: new annotations, failed runs, a changed champion. Off until switched on in the UI."""

import dagster as dg

from assets.alerts import Alerts
from lm.places import tracking_uri
from orchestration.jobs import CHAINS, CORPORA
from orchestration.settings import explanation_inbox, watched_inbox


@dg.sensor(
    job_name=CORPORA.name,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Imports annotations and makes the corpora again when an export arrives in the inbox, or one changes.",
)
def annotations_arrived(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    from training.annotation_inbox import exports_in, inbox_digest

    inboxes = watched_inbox(), explanation_inbox()
    if not any(map(exports_in, inboxes)) and not context.cursor:  # with one, what was there has been taken out
        return dg.SkipReason(f"no export in {inboxes[0]} or {inboxes[1]}")
    digest = "-".join(map(inbox_digest, inboxes))
    if digest == context.cursor:
        return dg.SkipReason("no export is new")
    context.update_cursor(digest)
    return (
        dg.RunRequest()
    )  # the cursor tells; by run key, exports as they were before (one taken out again) would be passed over


@dg.run_failure_sensor(
    monitor_all_code_locations=False,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Tells of every failed run, with its first error: in the log, and through the webhook where one is set.",
)
def run_failed(context: dg.RunFailureSensorContext, alerts: dg.ResourceParam[Alerts]) -> None:
    run = context.dagster_run
    reasons = [
        (event.step_failure_data.error.cause or event.step_failure_data.error).message.strip()
        for event in context.get_step_failure_events()
        if event.step_failure_data.error is not None
    ]
    text = f"run {run.run_id}: {reasons[0] if reasons else context.failure_event.message}"
    alerts.send(f"{run.job_name} failed", text, context.log.error)


@dg.sensor(
    job=CHAINS["benchmark"],
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Makes the benchmark data again when another version becomes champion.",
)
def champion_changed(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    from training.tracking import Tracking

    champion = Tracking(tracking_uri(), "").version_at("champion")
    if champion is None:
        return dg.SkipReason("there is no champion yet")
    if champion.version == context.cursor:
        return dg.SkipReason(f"version {champion.version} is still champion")
    context.update_cursor(champion.version)
    return dg.RunRequest()  # the cursor tells; by run key, a version put back would count as served


SENSORS = [annotations_arrived, run_failed, champion_changed]
