"""Schedules: when nights are, that they do not overlap, and what a night is tagged with."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import dagster as dg
import psutil
import pytest
from pydantic import ValidationError

from assets.alerts import Alerts
from assets.nights import NIGHT_TAG
from assets.profile import read_profile
from orchestration.abandoned import PROCESS_TAG, this_process
from orchestration.definitions import defs
from orchestration.schedules import nightly
from orchestration.sensors import annotations_arrived, champion_changed, run_failed
from orchestration.settings import Nights, Settings, chosen_settings
from training.tracking import Tracking

ZURICH = Nights(time_zone="Europe/Zurich", evaluation="23:30")


def _evaluated(schedule: dg.ScheduleDefinition, instance: dg.DagsterInstance, when: datetime):
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=when, repository_def=defs.get_repository_def()
    )
    return schedule.evaluate_tick(context)


def test_hours_and_time_zone_come_from_the_settings():
    schedule = nightly("evaluation", ZURICH.evaluation, ZURICH)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 23 * * *", "Europe/Zurich")


def test_a_night_is_tagged_with_its_date_in_its_time_zone_and_with_its_retries(tmp_path):
    """23:30 in Zurich on 28 November is 22:30 in UTC; half past midnight there on the 29th is still the 28th in UTC."""
    schedule = nightly("evaluation", "00:30", Nights(time_zone="Europe/Zurich", retries=3))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        tick = _evaluated(schedule, instance, datetime(2026, 11, 28, 23, 30, tzinfo=UTC))
    (request,) = tick.run_requests
    assert request.tags[NIGHT_TAG] == "2026-11-29"
    assert request.tags["dagster/max_retries"] == "3"


@pytest.mark.parametrize("running", ["evaluation", "retraining"])
def test_a_night_is_skipped_while_another_goes_on(running, tmp_path):
    schedule = nightly("evaluation", "04:00", Nights())
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        job = defs.resolve_job_def(running)
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        tick = _evaluated(schedule, instance, datetime(2026, 11, 28, 4, tzinfo=UTC))
    assert tick.run_requests == []
    assert f"the last {running}" in tick.skip_message


def test_a_night_whose_process_was_killed_does_not_keep_the_next_from_coming(tmp_path):
    """Killed between two stages, so that no run of a stage tells of it; the last one still goes on."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    gone = this_process()[PROCESS_TAG].split("|")[0] + f"|{process.pid}|{psutil.Process(process.pid).create_time():.2f}"
    process.kill()
    process.wait()
    schedule = nightly("evaluation", "04:00", Nights())
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        job, started = defs.resolve_job_def("retraining"), dg.DagsterRunStatus.STARTED
        killed = instance.create_run_for_job(job, status=started, tags={PROCESS_TAG: gone})
        tick = _evaluated(schedule, instance, datetime(2026, 11, 28, 4, tzinfo=UTC))
        assert len(tick.run_requests) == 1
        assert instance.get_run_by_id(killed.run_id).status == dg.DagsterRunStatus.FAILURE
        instance.create_run_for_job(job, status=started, tags=this_process())
        assert _evaluated(schedule, instance, datetime(2026, 11, 29, 4, tzinfo=UTC)).run_requests == []


@pytest.mark.parametrize(
    "fault", [{"time_zone": "Mars/Base"}, {"evaluation": "25:00"}, {"retraining": "4"}, {"retries": -1}]
)
def test_nights_that_cannot_be_are_refused(fault):
    with pytest.raises(ValidationError):
        Settings.model_validate({"nights": fault})


def test_paid_and_heavy_work_has_its_pool():
    pools = {
        spec.to_user_string(): defs.resolve_assets_def(spec).op.pool
        for spec in defs.resolve_all_asset_keys()
        if spec.to_user_string()
        in ("gpt4_baseline", "assistant_evaluation", "explanation_evaluation", "assistant_adapter", "held_out_results")
    }
    assert pools == {
        "gpt4_baseline": "api",
        "assistant_evaluation": "gpu",
        "explanation_evaluation": "gpu",
        "assistant_adapter": "gpu",
        "held_out_results": None,
    }


def test_a_failed_run_is_told_with_its_first_error(tmp_path, monkeypatch):
    monkeypatch.delenv("CAUSALSMITH_WEBHOOK", raising=False)
    said = []

    @dg.op
    def breaks() -> None:
        raise OSError("no space left on device")

    @dg.job
    def evaluation() -> None:
        breaks()

    class Noted(Alerts):
        def send(self, title, text, log) -> bool:
            said.append((title, text))
            return super().send(title, text, log)

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        done = evaluation.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            sensor_name="run_failed",
            dagster_event=next(event for event in done.all_events if event.is_run_failure),
            dagster_instance=instance,
            dagster_run=instance.get_run_by_id(done.run_id),
        ).for_run_failure()
        run_failed(context, alerts=Noted())
    ((title, text),) = said
    assert title == "evaluation failed"
    assert done.run_id in text and "no space left on device" in text


def test_a_new_champion_asks_for_new_benchmarks_once(tmp_path, monkeypatch):
    registry = Tracking(f"sqlite:///{tmp_path / 'mlflow.db'}", str(tmp_path / "artifacts"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.uri)

    def tick(cursor: str | None):
        context = dg.build_sensor_context(cursor=cursor, repository_def=defs.get_repository_def())
        return champion_changed.evaluate_tick(context)

    assert "no champion yet" in tick(None).skip_message
    client = registry.client()
    client.create_registered_model("causalsmith-assistant")
    client.create_model_version("causalsmith-assistant", str(tmp_path / "artifacts"))
    client.set_registered_model_alias("causalsmith-assistant", "champion", "1")
    first = tick(None)
    assert len(first.run_requests) == 1
    assert "still champion" in tick(first.cursor).skip_message
    client.create_model_version("causalsmith-assistant", str(tmp_path / "artifacts"))
    client.set_registered_model_alias("causalsmith-assistant", "champion", "2")
    second = tick(first.cursor)
    client.set_registered_model_alias("causalsmith-assistant", "champion", "1")
    back = tick(second.cursor)
    # a run key seen before would be passed over, and a version that is put back asks for its benchmarks again
    assert [len(one.run_requests) for one in (second, back)] == [1, 1]
    assert all(request.run_key is None for one in (first, second, back) for request in one.run_requests)


def test_an_export_that_is_taken_out_again_asks_for_new_corpora_too(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALSMITH_ANNOTATIONS", str(tmp_path))

    def tick(cursor: str | None):
        context = dg.build_sensor_context(cursor=cursor, repository_def=defs.get_repository_def())
        return annotations_arrived.evaluate_tick(context)

    (tmp_path / "good.json").write_text("[]")
    first = tick(None)
    assert "no export is new" in tick(first.cursor).skip_message
    (tmp_path / "bad.json").write_text("[{}]")
    second = tick(first.cursor)
    (tmp_path / "bad.json").unlink()
    back = tick(second.cursor)
    # Dagster passes over a run key that it has seen
    assert [request.run_key for one in (first, second, back) for request in one.run_requests] == [None] * 3


def test_the_sample_that_stands_in_for_an_empty_inbox_is_no_arrival(tmp_path, monkeypatch):
    monkeypatch.delenv("CAUSALSMITH_ANNOTATIONS", raising=False)
    monkeypatch.setenv("CAUSALSMITH_HOME", str(tmp_path))

    def tick(cursor: str | None):
        context = dg.build_sensor_context(cursor=cursor, repository_def=defs.get_repository_def())
        return annotations_arrived.evaluate_tick(context)

    assert f"no export in {tmp_path / 'annotations'}" in tick(None).skip_message
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "mine.json").write_text("[]")
    arrived = tick(None)
    (tmp_path / "annotations" / "mine.json").unlink()
    emptied = tick(arrived.cursor)
    assert [len(one.run_requests) for one in (arrived, emptied)] == [1, 1]
    assert "no export is new" in tick(emptied.cursor).skip_message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nights: {retraining: '25:00'}", "settings mine.yaml: nights.retraining"),
        ("data: [", "settings mine.yaml is no YAML"),
        ("- data", "settings mine.yaml holds no fields"),
        ("data: s3", "settings mine.yaml: the whole"),
    ],
)
def test_a_settings_file_that_does_not_fit_is_told_with_its_place(text, told, tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text(text)
    monkeypatch.setenv("CAUSALSMITH_SETTINGS", str(tmp_path / "mine.yaml"))
    with pytest.raises(ValueError, match=told):
        chosen_settings()


def test_an_empty_settings_file_settles_nothing(tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text("# nothing\n")
    monkeypatch.setenv("CAUSALSMITH_SETTINGS", str(tmp_path / "mine.yaml"))
    assert chosen_settings() == Settings()
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(ValueError, match=r"profile empty.yaml: purpose"):
        read_profile(tmp_path / "empty.yaml")
