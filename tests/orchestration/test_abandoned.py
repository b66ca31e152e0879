"""A killed process leaves no run unfinished and no pool slot taken."""

from __future__ import annotations

import logging
import subprocess
import sys

import dagster as dg
import psutil
import pytest

from orchestration.abandoned import PROCESS_TAG, end_abandoned_runs, is_gone, this_process
from orchestration.definitions import defs

PARENT = "parent"


@pytest.fixture(scope="module")
def gone() -> str:
    """The tag of a process that was killed."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = psutil.Process(process.pid).create_time()
    host = this_process()[PROCESS_TAG].split("|")[0]
    process.kill()
    process.wait()
    return f"{host}|{process.pid}|{began:.2f}"


def test_a_process_is_told_from_another_of_the_same_id_and_from_other_hosts(gone):
    host, number, began = this_process()[PROCESS_TAG].split("|")
    assert is_gone(gone)
    assert not is_gone(f"{host}|{number}|{began}")
    assert is_gone(f"{host}|{number}|{float(began) - 3600:.2f}")
    assert not is_gone(gone.replace(host, "elsewhere", 1))


def test_what_a_killed_process_left_is_ended_and_its_slot_freed(gone, tmp_path):
    @dg.job
    def nothing() -> None: ...

    started = dg.DagsterRunStatus.STARTED
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        job = instance.create_run_for_job(nothing, status=started)
        stage = instance.create_run_for_job(nothing, status=started, tags={PROCESS_TAG: gone, PARENT: job.run_id})
        alive = instance.create_run_for_job(nothing, status=started, tags={**this_process(), PARENT: "unknown"})
        pools = instance.event_log_storage
        pools.set_concurrency_slots("gpu", 1)
        assert pools.claim_concurrency_slot("gpu", stage.run_id, "tune").is_claimed
        assert not pools.claim_concurrency_slot("gpu", alive.run_id, "tune").is_claimed

        assert set(end_abandoned_runs(instance, PARENT, logging.getLogger())) == {job.run_id, stage.run_id}

        statuses = [instance.get_run_by_id(run.run_id).status for run in (job, stage, alive)]
        assert statuses == [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.FAILURE, started]
        assert pools.claim_concurrency_slot("gpu", alive.run_id, "tune").is_claimed
        assert end_abandoned_runs(instance, PARENT, logging.getLogger()) == []


def test_a_run_executed_again_is_not_ended_for_the_process_of_the_one_before(gone, tmp_path):
    """Dagster copies the tags, and the copy stands until the run says itself where it goes on."""

    @dg.job
    def nothing() -> None: ...

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        failed = instance.create_run_for_job(
            nothing, status=dg.DagsterRunStatus.FAILURE, tags={PROCESS_TAG: gone, PARENT: "unknown"}
        )
        again = instance.create_run_for_job(
            nothing,
            status=dg.DagsterRunStatus.STARTED,
            tags=failed.tags,
            parent_run_id=failed.run_id,
            root_run_id=failed.run_id,
        )
        assert end_abandoned_runs(instance, PARENT, logging.getLogger()) == []
        instance.add_run_tags(
            again.run_id, {PROCESS_TAG: gone.rsplit("|", 1)[0] + "|1.00"}
        )  # where it went on, and died
        assert end_abandoned_runs(instance, PARENT, logging.getLogger()) == [again.run_id]


def test_a_job_says_in_which_process_it_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("orchestration.jobs.run_stage", lambda *_: [])
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        done = defs.resolve_job_def("benchmark").execute_in_process(instance=instance)
        tags = instance.get_run_by_id(done.run_id).tags
    assert tags[PROCESS_TAG] == this_process()[PROCESS_TAG]


@pytest.mark.slow
def test_a_run_launched_by_itself_says_in_which_process_it_is_led(run, home):
    """As from the page or by a sensor: its steps have processes of their own, and the run outlives them."""
    instance_home = home / "instance"
    instance_home.mkdir()
    done = run(
        "dagster", "job", "execute", "-m", "orchestration.definitions", "-j", "topics", DAGSTER_HOME=str(instance_home)
    )
    assert done.returncode == 0, done.stderr
    with dg.DagsterInstance.from_config(str(instance_home)) as instance:
        (found,) = instance.get_runs()
        told = [record.event_log_entry.user_message for record in instance.get_records_for_run(found.run_id).records]
    _, number, _ = found.tags[PROCESS_TAG].split("|")
    assert any(f"parent process (pid: {number})" in line for line in told)
    assert is_gone(found.tags[PROCESS_TAG])
