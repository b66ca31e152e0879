"""Jobs: one asset job a stage, and four that run stages one after another.

Dagster wants all partitioned assets of one asset job to share one partitioning, and the chain has three (task, variant,
scenario × language model). So ``demo``, ``retraining``, ``evaluation`` and ``benchmark`` are jobs of stages: each step runs
one stage's asset job, once for every partition that the profile names, as runs of their own on the same instance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from assets.nights import NIGHT_TAG
from assets.partitions import TASKS, by_scenario_and_lm, by_task, by_variant, sdscm_partitions
from assets.profile import Profile
from orchestration.abandoned import end_abandoned_runs, this_process
from orchestration.settings import calendar

PARENT_TAG = "causalsmith/job_run"
QUIET: dict[str, Any] = {"loggers": {"console": {}}}  # short lines at a terminal; the UI shows everything all the same


@dataclass(frozen=True)
class Stage:
    """Assets that run together, and the partitions they are run for."""

    name: str
    assets: tuple[str, ...]
    partitions_def: dg.PartitionsDefinition | None = None

    def partitions(self, profile: Profile) -> Sequence[str | None]:
        """Partition keys of a profile; a single None for unpartitioned assets."""
        if self.partitions_def is by_task:
            return TASKS
        if self.partitions_def is by_variant:
            return profile.variants
        if self.partitions_def is by_scenario_and_lm:
            return sdscm_partitions(profile)
        return (None,)

    def job(self) -> Any:
        """The stage as an asset job of its own, with the checks of its assets."""
        return dg.define_asset_job(
            self.name,
            dg.AssetSelection.assets(*self.assets),
            partitions_def=self.partitions_def,
            description=f"Stage {self.name}: {', '.join(self.assets)}.",
        )


TOPICS = Stage("topics", ("causal_topics",))
QUESTIONS = Stage("questions", ("synthetic_queries",), by_task)
CORPORA = Stage(
    "corpora",
    (
        "reworded_queries",
        "annotation_tasks",
        "human_annotations",
        "annotation_agreement",
        "retrieval_corpus",
        "interpretation_corpus",
        "explanation_tasks",
        "explanation_agreement",
        "published_corpora",
    ),
)
SECOND_READING = Stage("second_reading", ("second_reader",))
TUNING = Stage("tuning", ("assistant_adapter",), by_variant)
REGISTRATION = Stage("registration", ("registered_assistant",))
SDSCM = Stage("sdscm", ("conditional_tables", "sdscm_benchmark", "encoded_effects"), by_scenario_and_lm)
JUDGEMENT = Stage(
    "judgement",
    (
        "held_out_results",
        "gpt4_baseline",
        "assistant_evaluation",
        "answer_evaluation",
        "explanation_evaluation",
        "judged_explanations",
        "regression_report",
        "promoted_assistant",
        "nightly_report",
    ),
)
STAGES = (TOPICS, QUESTIONS, CORPORA, SECOND_READING, TUNING, REGISTRATION, SDSCM, JUDGEMENT)

JOBS: dict[str, tuple[tuple[Stage, ...], str]] = {
    "demo": (STAGES, "The whole chain, from topics to promotion, at the size of the profile."),
    "retraining": (
        (TOPICS, QUESTIONS, CORPORA, SECOND_READING, TUNING, REGISTRATION),
        "New corpora, a newly tuned adapter and second reader, registered as challenger.",
    ),
    "evaluation": (
        (JUDGEMENT,),
        "Challenger, incumbent and baselines on the held-out questions; promotion where the gate passes.",
    ),
    "benchmark": ((SDSCM,), "SD-SCM data sets, with their checks, for the profile's scenarios and language models."),
}


class StageFailed(dg.Failure):
    """A run of a stage that did not succeed."""


def run_stage(
    stage: Stage,
    profile: Profile,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    parent: str,
    log: Any,
    night: str | None = None,
) -> list[str]:
    """Run a stage for all its partitions, each in a run of its own; returns the runs' ids.

    Args:
        parent: id of the run of the job.
        night: date that the runs belong to; tonight's by default.

    Raises:
        StageFailed: a run failed (an asset raised, or a blocking check did not pass), or no partition was selected.
    """
    partitions = stage.partitions(profile)
    if not partitions:
        raise StageFailed(f"stage {stage.name!r} has no partition to run in profile {profile.name!r}")
    job = definitions.resolve_job_def(stage.name)
    end_abandoned_runs(instance, PARENT_TAG, log)
    runs = []
    for number, partition in enumerate(partitions, start=1):
        log.info(f"stage {stage.name}{f' [{partition}]' if partition else ''}: {number} of {len(partitions)}")
        result = job.execute_in_process(
            instance=instance,
            partition_key=partition,
            raise_on_error=False,
            tags={PARENT_TAG: parent, NIGHT_TAG: night or calendar().tonight(), **this_process()},
            run_config=QUIET,
        )
        runs.append(result.run_id)
        failed = [
            e.asset_check_evaluation_data for e in result.all_events if e.event_type_value == "ASSET_CHECK_EVALUATION"
        ]
        for check in failed:
            if not check.passed:
                log.warning(
                    f"check {check.check_name} of {check.asset_key.to_user_string()} did not pass: {check.description}"
                )
        if not result.success:
            reasons = [
                e.step_failure_data.error for e in result.all_events if e.is_step_failure and e.step_failure_data.error
            ]
            cause = reasons[0].cause or reasons[0] if reasons else None
            raise StageFailed(
                f"stage {stage.name}{f' [{partition}]' if partition else ''} failed in run {result.run_id}: "
                f"{cause.message.strip() if cause else 'see its log'}"
            )
    return runs


def _step(stage: Stage) -> dg.OpDefinition:
    @dg.op(
        name=f"run_{stage.name}",
        ins={"after": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing),
        required_resource_keys={"profile"},
        description=f"Materializes {', '.join(stage.assets)}.",
    )
    def step(context: dg.OpExecutionContext) -> None:
        from orchestration.definitions import defs

        context.instance.add_run_tags(context.run_id, this_process())  # between two stages, nothing else would tell
        night = context.run.tags.get(NIGHT_TAG)
        runs = run_stage(stage, context.resources.profile, defs, context.instance, context.run_id, context.log, night)
        context.add_output_metadata(
            {"runs": dg.MetadataValue.md("\n".join(f"[{run[:8]}](/runs/{run})" for run in runs))}
        )

    return step


_STEPS = {stage.name: _step(stage) for stage in STAGES}


def _chain(name: str) -> dg.JobDefinition:
    """A job of stages: a graph with a step a stage, each after the one before."""
    stages, description = JOBS[name]

    @dg.graph(name=name, description=description)
    def chain() -> None:
        done: Any = None
        for stage in stages:
            step = _STEPS[stage.name]
            done = step(after=done) if done is not None else step()

    return chain.to_job(name=name, executor_def=dg.in_process_executor, tags={"causalsmith/job": name})


CHAINS = {name: _chain(name) for name in JOBS}
