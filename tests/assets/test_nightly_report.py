"""The report of a night: which night it is of."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pandas as pd
import pytest

from assets.alerts import Alerts
from assets.dates import Calendar
from assets.nights import NIGHT_TAG, nightly_report, recorded_nights
from assets.storage import FileStore, LocalBlobs
from orchestration.storage import StoredFiles
from training.scoreboard import field_scores, outcomes_of, scoreboard, time_and_cost
from validation.gates import regression_gate

QUERY = '{"task": "ATE", "treatment": "drug", "response": "pain"}'


def _report(store: FileStore, calendar: Calendar, **tags: str) -> None:
    """Materialize a report of two questions, both read rightly by two systems."""
    readings = pd.DataFrame(
        {"id": ["1", "2"], "task": "ATE", "topic": ["a", "b"], "question": ["q", "r"], "query": QUERY,
         "challenger": QUERY, "untuned": QUERY}
    )  # fmt: skip
    none = pd.DataFrame(columns=["id", "task", "topic", "system"])
    outcomes = outcomes_of(readings, none, none)
    verdict = regression_gate(outcomes, "challenger", "untuned")
    tables = {
        "table": verdict.table,
        "scores": scoreboard(outcomes),
        "fields": field_scores(readings),
        "costs": time_and_cost({"challenger": [1.0, 2.0]}, {}),
    }
    plain = {name: table.astype(object).where(table.notna(), None).to_dict("records") for name, table in tables.items()}
    store.put("assistant_evaluation", None, readings, "given")
    store.put("gpt4_baseline", None, none, "given")
    store.put("regression_report", None, {"passed": False, "text": verdict.text, **plain}, "given")
    store.put("promoted_assistant", None, {"champion": None, "promoted": False, "reason": ""}, "given")
    given = [dg.AssetSpec(key.to_user_string()) for key in nightly_report.dependency_keys]
    resources = {"files": store, "alerts": Alerts(), "calendar": calendar, "io_manager": StoredFiles(store)}
    assert dg.materialize([*given, nightly_report], resources=resources, tags=tags).success


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # of which one has another date than UTC
def test_a_report_made_by_hand_is_of_the_night_in_the_time_zone_of_the_nights(zone, tmp_path: Path):
    """By UTC's date a report made in the evening would come a day early, or take the place of the night before."""
    store = FileStore(LocalBlobs(str(tmp_path / "store")), tmp_path)
    before = datetime.now(ZoneInfo(zone)).date().isoformat()
    _report(store, Calendar(zone))
    (night,) = recorded_nights(store)
    assert night["night"] in (before, datetime.now(ZoneInfo(zone)).date().isoformat())


def test_a_report_of_a_run_that_says_its_night_is_of_that(tmp_path: Path):
    store = FileStore(LocalBlobs(str(tmp_path / "store")), tmp_path)
    _report(store, Calendar("Pacific/Kiritimati"), **{NIGHT_TAG: "2026-11-29"})
    assert [night["night"] for night in recorded_nights(store)] == ["2026-11-29"]


@pytest.mark.parametrize("content", [None, '{"night": '], ids=["deleted", "damaged"])
def test_an_old_report_that_is_gone_keeps_no_new_one_from_being_made(content, tmp_path: Path):
    store = FileStore(LocalBlobs(str(tmp_path / "store")), tmp_path)
    _report(store, Calendar(), **{NIGHT_TAG: "2026-11-28"})
    (figures,) = Path(store.blobs.root, "nightly_report", "2026-11-28").rglob("figures.json")
    figures.unlink() if content is None else figures.write_text(content)
    with pytest.warns(UserWarning, match="report of 2026-11-28 is left out"):
        _report(store, Calendar(), **{NIGHT_TAG: "2026-11-29"})
        assert [night["night"] for night in recorded_nights(store)] == ["2026-11-29"]
