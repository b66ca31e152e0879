"""Fourteen nights, driven by a clock of their own, in one process; prints what was seen as one line of JSON.

Everything runs as it does in production: schedules and sensors are evaluated, jobs run on an instance, annotations come
through the inbox, the hosted model is a server on loopback, and so is the webhook. One thing is planted: how well each tuned
adapter reads. A model that learns something in a test would take hours, so the readings are put into the ledger beforehand,
from which the evaluation takes what it knows.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np

FIRST = datetime(2026, 12, 1, tzinfo=UTC)
QUALITY = {"1": 0.75, "2": 0.75, "3": {"MA": 0.2, "rest": 0.9}, "4": 1.0}  # of the adapters, in the order they come
ARRIVALS = {4: (1, 2), 5: (3, 4), 12: (6, 7)}  # night: which eighths of the annotations come in
OUTAGE, BROKEN, MENDED, ROLLED_BACK = 1, 5, 6, 14


class Loopback:
    """The hosted model, which reads the first task of the contract into every question, and the webhook."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.told: list[str] = []
        self.out_of_order = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/hook":
                    outer.told.append(body["text"])
                    self._reply(200, {})
                elif outer.out_of_order:
                    self._reply(503, {"error": {"message": "out of order"}})
                else:
                    outer.asked.append(json.dumps(body, sort_keys=True))
                    self._reply(200, _completion(body))

            def _reply(self, status: int, content: dict) -> None:
                text = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


def _completion(body: dict) -> dict:
    message: dict[str, Any] = {"role": "assistant", "content": "The effect is in the table."}
    if body.get("tools"):
        called = {"name": body["tools"][0]["function"]["name"], "arguments": "{}"}
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": called}],
        }
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def plant(defs: dg.Definitions, version: str | None) -> None:
    """Put into the ledger how well the newest adapter reads, and that the untuned model reads nothing right."""
    from assets.contenders import CHALLENGER, UNTUNED, contenders
    from training.corpora import items_from
    from training.ledger import key_of
    from training.queries import item_digest

    resources = defs.resources or {}
    files, ledger, models, profile = (resources[name] for name in ("files", "ledger", "models", "profile"))
    corpus = files.get("retrieval_corpus")
    items = items_from(corpus[corpus["split"] == "held_out"])
    found = contenders(profile, models, files.get("assistant_adapter", "mixed"), None)
    quality = QUALITY[version] if version else 0.0
    random = np.random.default_rng(int(version or 0))
    lines = {}
    for item in items:
        share = quality if isinstance(quality, float) else quality.get(item.task, quality["rest"])
        right = item.query if random.random() < share else {"task": "UNREADABLE"}
        lines[key_of("reading", found[CHALLENGER].digest, item_digest(item))] = {"reading": right, "seconds": 0.5}
        untuned = {"reading": {"task": "UNREADABLE"}, "seconds": 0.5}
        lines[key_of("reading", found[UNTUNED].digest, item_digest(item))] = untuned
    known = ledger.known(list(lines))
    ledger.keep({key: line for key, line in lines.items() if key not in known})


def main(home: Path) -> dict[str, Any]:
    loopback = Loopback()
    os.environ |= {
        "CAUSALSMITH_WEBHOOK": f"{loopback.address}/hook",
        "FORTNIGHT_KEY": "k",
        "CAUSALSMITH_ANNOTATIONS": str(home / "inbox"),
    }
    profile = home / "fortnight.yaml"
    tiny = Path("orchestration/profiles/tiny.yaml").read_text(encoding="utf-8")
    tiny = tiny.replace("held_out_per_task: 2", "held_out_per_task: 20")
    # a handful of answers and explanations could rule no loss out
    tiny = tiny.replace(
        "answers_per_task: 1, explanations_per_task: 1", "answers_per_task: 0, explanations_per_task: 0"
    )
    hosted = {
        "model": "m-1",
        "base_url": f"{loopback.address}/v1",
        "key_variable": "FORTNIGHT_KEY",
        "dollars_per_million": [10, 30],
        "first_wait": 0.01,
        "tries": 2,
    }
    margins = home / "margins.yaml"  # of what these nights measure
    margins.write_text("margins: {reading_exact: {task: 0.05}, reading_soft: {all: 0.05}}\n", encoding="utf-8")
    own = f"baseline: {json.dumps(hosted)}\nmargins: {margins}\n"
    profile.write_text(tiny + own, encoding="utf-8")
    os.environ["CAUSALSMITH_PROFILE"] = str(profile)
    (home / "inbox").mkdir()
    sample = json.loads(Path("training/samples/annotations_sample.json").read_text(encoding="utf-8"))
    parts = [sample[k::8] for k in range(8)]
    _arrive(home, 0, parts)

    from lm import registry

    registry.SHIPPED = (
        home / "none"
    )  # no adapter comes with this copy: the first champion has to beat the untuned model
    from orchestration.definitions import defs
    from orchestration.home import prepare_dagster_home

    prepare_dagster_home()
    seen: dict[str, Any] = {"nights": [], "failed_runs": []}
    with dg.DagsterInstance.get() as instance:
        cursor = None
        for number in range(1, 15):
            loopback.out_of_order = number == OUTAGE
            asked = len(loopback.asked)
            for part in ARRIVALS.get(number, ()):
                _arrive(home, part, parts)
            cursor, came = _sense(defs, instance, cursor)
            ledger = home / "work" / "evaluation.sqlite"
            if number == MENDED:
                ledger.rmdir()
                ledger.with_suffix(".kept").rename(ledger)
            if number == ROLLED_BACK:
                (defs.resources or {})["tracking"].roll_back("readers complained")
            done = [_tick(defs, instance, "nightly_retraining", number)]
            version = (defs.resources or {})["files"].get("registered_assistant")["version"]
            plant(defs, str(version))
            if number == BROKEN:
                ledger.rename(ledger.with_suffix(".kept"))
                ledger.mkdir()  # no database can be opened there
            done.append(_tick(defs, instance, "nightly_evaluation", number))
            if not done[-1].success:
                seen["failed_runs"].append(done[-1].run_id)
                _tell_failure(defs, instance, done[-1])
            seen["nights"].append(_seen(defs, number, came, done, len(loopback.asked) - asked))
            print(seen["nights"][-1], file=sys.stderr)  # noqa: T201
        unfinished = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.QUEUED]
        seen["unfinished"] = instance.get_runs_count(dg.RunsFilter(statuses=unfinished))
    lines, again = (defs.resources or {})["ledger"].counts()
    return {
        **seen,
        "told": loopback.told,
        "asked": len(loopback.asked),
        "asked_again": len(loopback.asked) - len(set(loopback.asked)),
        "ledger": [lines, again],
    }


def _arrive(home: Path, part: int, parts: list) -> None:
    (home / "inbox" / f"export_{part}.json").write_text(json.dumps(parts[part]), encoding="utf-8")


def _sense(defs: dg.Definitions, instance: dg.DagsterInstance, cursor: str | None) -> tuple[str | None, bool]:
    """Evaluate the sensor on the inbox, and run what it asks for."""
    context = dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=defs.get_repository_def())
    tick = defs.resolve_sensor_def("annotations_arrived").evaluate_tick(context)
    return tick.cursor, bool(tick.run_requests)


def _tick(defs: dg.Definitions, instance: dg.DagsterInstance, schedule: str, number: int) -> Any:
    when = FIRST + timedelta(days=number - 1, hours=1 if "retraining" in schedule else 4)
    found = defs.resolve_schedule_def(schedule)
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=when, repository_def=defs.get_repository_def()
    )
    (request,) = found.evaluate_tick(context).run_requests
    job = defs.resolve_job_def(found.job_name)
    return job.execute_in_process(instance=instance, tags=request.tags, raise_on_error=False)


def _tell_failure(defs: dg.Definitions, instance: dg.DagsterInstance, result: Any) -> None:
    failure = next(event for event in reversed(result.all_events) if event.is_run_failure)
    run = instance.get_run_by_id(result.run_id)
    context = dg.build_run_status_sensor_context(
        sensor_name="run_failed", dagster_event=failure, dagster_instance=instance, dagster_run=run
    ).for_run_failure()
    defs.resolve_sensor_def("run_failed")(context, alerts=(defs.resources or {})["alerts"])


def _seen(defs: dg.Definitions, number: int, came: bool, done: list, asked: int) -> dict[str, Any]:
    from assets.nights import recorded_nights

    resources = defs.resources or {}
    files, tracking = resources["files"], resources["tracking"]
    champion = tracking.version_at("champion")
    nights = recorded_nights(files)
    report = files.get("regression_report") if files.find("regression_report") else {}
    return {
        "night": number,
        "came": came,
        "succeeded": [one.success for one in done],
        "champion": champion.version if champion else None,
        "asked": asked,
        "pages": len(nights),
        "passed": report.get("passed"),
        "verdict": report.get("text"),
        "in_control": nights[-1]["in_control"] if nights else None,
        "hosted": "m-1" in files.get("assistant_evaluation").columns if files.find("assistant_evaluation") else None,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(os.environ["CAUSALSMITH_HOME"]))), file=sys.stdout)  # noqa: T201
