"""Runs whose process is gone: ended as failed and their pool slots freed, so that no later run waits for them for ever.

Dagster's default launcher cannot tell whether the process of a run still lives, so a run whose machine went down counts as
going on for ever. Jobs, the stages within their process, and what is launched at the page or by a sensor say where they run;
once that is gone, what it left is ended, or no night would follow and the slot of the pool ``gpu`` would stay taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg

from training.processes import current_process, is_gone

PROCESS_TAG = "causalsmith/process"


def this_process() -> dict[str, str]:
    """A tag that says in which process a run goes on."""
    return {PROCESS_TAG: current_process()}


def _process_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    """In which process a run goes on, if it says so; one executed again has the tags of the run before until it does."""
    process = run.tags.get(PROCESS_TAG)
    if process is None or run.parent_run_id is None:
        return process
    before = instance.get_run_by_id(run.parent_run_id)
    return None if before is None or before.tags.get(PROCESS_TAG) == process else process


class _Telling(dg.Executor):
    """Says in which process a run is led, which outlives the processes of its steps; another executor does the work."""

    def __init__(self, inner: dg.Executor) -> None:
        self._inner = inner

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        plan_context.instance.add_run_tags(plan_context.run_id, this_process())
        yield from self._inner.execute(plan_context, execution_plan)

    @property
    def retries(self) -> Any:
        return self._inner.retries

    @property
    def step_dependency_config(self) -> Any:
        return self._inner.step_dependency_config


_DEFAULT = dg.multi_or_in_process_executor


@dg.executor(
    name=_DEFAULT.name, config_schema=_DEFAULT.config_schema.as_field(), requirements=_DEFAULT.get_requirements
)
def telling_executor(context: dg.InitExecutorContext) -> dg.Executor:
    """Dagster's default executor, by which a run of assets also says where it goes on."""
    made = _DEFAULT.executor_creation_fn
    assert made is not None
    return _Telling(made(context))


def end_abandoned_runs(instance: dg.DagsterInstance, parent_tag: str, log: Any) -> list[str]:
    """End the runs that were left when their process was killed, and the jobs that they were stages of.

    Args:
        parent_tag: names, in a stage's run, the run of its job.
        log: told of each run that is ended.

    Returns:
        Their ids.
    """
    ended: list[str] = []
    statuses = dg.DagsterRunStatus
    unfinished = dg.RunsFilter(statuses=[statuses.STARTING, statuses.STARTED, statuses.CANCELING])
    for run in instance.get_runs(unfinished):
        if not (process := _process_of(instance, run)) or not is_gone(process):
            continue
        if (
            instance.event_log_storage.supports_global_concurrency_limits
        ):  # first: a finished run is not looked at again
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        parent = instance.get_run_by_id(run.tags[parent_tag]) if parent_tag in run.tags else None
        for left in (run, parent):
            if left is not None and left.run_id not in ended and not left.is_finished:
                log.warning(
                    f"run {left.run_id[:8]} of {left.job_name} was left when its process ended; it is marked as failed"
                )
                instance.report_run_failed(left, "its process ended before it did")
                ended.append(left.run_id)
    return ended
