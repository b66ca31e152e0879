"""What Dagster is told: a snapshot, so that a change of the public shape is a decision and not an accident."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.jobs import JOBS, STAGES

SNAPSHOT = Path(__file__).with_name("definitions_snapshot.json")


def describe(definitions: dg.Definitions) -> dict[str, object]:
    graph = definitions.resolve_asset_graph()
    assets = {
        key.to_user_string(): {
            "group": graph.get(key).group_name,
            "upstream": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
            "partitioned": graph.get(key).is_partitioned,
            "kinds": sorted(graph.get(key).kinds),
            "code_version": graph.get(key).code_version,
        }
        for key in sorted(graph.get_all_asset_keys())
    }
    checks = {
        f"{key.asset_key.to_user_string()}:{key.name}": graph.get_check_spec(key).blocking
        for key in graph.asset_check_keys
    }
    repository = definitions.get_repository_def()
    return {
        "assets": assets,
        "blocking_checks": dict(sorted(checks.items())),
        "jobs": sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        "schedules": {schedule.name: schedule.cron_schedule for schedule in repository.schedule_defs},
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
    }


def test_definitions_match_the_snapshot() -> None:
    """To accept a change: `python -m tests.orchestration.test_definitions`."""
    assert describe(defs) == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_every_asset_tells_what_it_is() -> None:
    for spec in defs.resolve_all_asset_specs():
        assert spec.description and spec.group_name and spec.owners and spec.kinds and spec.code_version, spec.key


def test_stages_cover_every_asset_once() -> None:
    staged = [asset for stage in STAGES for asset in stage.assets]
    assert sorted(staged) == sorted(key.to_user_string() for key in defs.resolve_all_asset_keys())


@pytest.mark.parametrize("name", JOBS)
def test_jobs_run_stages_after_those_they_need(name: str) -> None:
    graph = defs.resolve_asset_graph()
    done: set[str] = set()
    chosen = {asset for stage in JOBS[name][0] for asset in stage.assets}
    for stage in JOBS[name][0]:
        for asset in stage.assets:
            needed = {key.to_user_string() for key in graph.get(dg.AssetKey(asset)).parent_keys}
            assert needed & chosen <= done | set(stage.assets), (asset, needed)
        done |= set(stage.assets)


def test_schedules_and_sensors_are_off_until_switched_on() -> None:
    repository = defs.get_repository_def()
    assert all(s.default_status == dg.DefaultScheduleStatus.STOPPED for s in repository.schedule_defs)
    assert all(s.default_status == dg.DefaultSensorStatus.STOPPED for s in repository.sensor_defs)


def test_loading_definitions_imports_no_heavy_library() -> None:
    code = (
        "import sys; from orchestration.definitions import defs; defs.get_repository_def();"
        "heavy = {'torch', 'transformers', 'trl', 'mlflow', 'great_expectations', 'econml', 'sklearn', 'statsmodels'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SNAPSHOT.parents[2]
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(describe(defs), indent=1) + "\n", encoding="utf-8")
