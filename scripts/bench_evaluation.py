"""`make bench`: nights and their gate: how often it errs, what a quiet night and kills cost, and how fast questions are read.

python scripts/bench_evaluation.py [--part gate --part nights --part reading] [--simulations 200] [--out FILE.json]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
TASKS = ("ATE", "CGL", "HTE", "MA", "OPO")
PER_TASK, TOPICS = 150, 30
QUESTIONS, BATCH, NEW_TOKENS = 48, 8, 40
RUN = (
    "import sys\n"
    "from orchestration.running import run_job\n"
    "done = run_job(sys.argv[1], {'causalsmith/night': '2026-12-01'})\n"
    "reused = sum(one.reused for one in done.made)\n"
    "print(done.succeeded, reused, len(done.made) - reused)"
)


def outcomes(seed: int, changes: dict[str, float]) -> pd.DataFrame:
    """Two systems on 150 items a task over 30 topics of different difficulty; ``changes`` are planted, by task."""
    chances = np.random.default_rng(seed)
    count = PER_TASK * len(TASKS)
    topic = np.arange(count) // len(TASKS) % TOPICS
    task = np.array(TASKS)[np.arange(count) % len(TASKS)]
    old = 1 / (1 + np.exp(-chances.normal(0.8, 0.8, TOPICS)))[topic]
    # half of what either gets right or wrong they share, as models of one family do
    shared, own = chances.random(count), chances.random((2, count))
    alike = chances.random(count) < 0.5
    new = np.clip(old + np.array([changes.get(name, changes.get("rest", 0.0)) for name in task]), 0, 1)
    return pd.DataFrame(
        {
            "metric": "reading_exact",
            "id": np.arange(count).astype(str),
            "task": task,
            "topic": [f"topic {t}" for t in topic],
            "challenger": np.where(alike, shared, own[0]) < new,
            "champion": np.where(alike, shared, own[1]) < old,
        }
    )


def gate(simulations: int) -> dict[str, Any]:
    """How often the gate of ``margins.yaml`` passes, by what is planted; margins of what is not simulated are left out."""
    from validation.gates import read_margins, regression_gate

    margins = read_margins()
    margins = margins.model_copy(update={"margins": {margins.primary: margins.margins[margins.primary]}})

    planted = {
        "equal models": {},
        "5 points lost in every task": {"rest": -0.05},
        "5 points lost in one task, 10 gained elsewhere": {"MA": -0.05, "rest": 0.10},
        "5 points lost in one task, 20 gained elsewhere": {"MA": -0.05, "rest": 0.20},
        "5 points gained in every task": {"rest": 0.05},
        "10 points gained in every task": {"rest": 0.10},
        "15 points gained in every task": {"rest": 0.15},
    }
    found = {}
    for name, changes in planted.items():
        passed = sum(
            regression_gate(outcomes(seed, changes), "challenger", "champion", margins, seed=seed).passed
            for seed in track(range(simulations), name, console=Console(stderr=True), transient=True)
        )
        found[f"gate, {name}: promoted of {simulations}"] = passed
    return found


class Hosted:
    """A hosted model on loopback, counting how often each request was answered."""

    def __init__(self) -> None:
        self.asked: Counter[bytes] = Counter()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(0.02)
                message = {"role": "assistant", "content": "The effect is in the table."}
                usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
                choice = {"index": 0, "finish_reason": "stop", "message": message}
                told = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
                content = json.dumps({**told, "usage": usage}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                try:
                    self.wfile.write(content)
                    self.wfile.flush()
                    outer.asked[body] += 1
                except OSError:  # whoever asked was killed
                    pass

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@contextmanager
def _homes() -> Iterator[tuple[Path, dict[str, str], Hosted]]:
    hosted = Hosted()
    with tempfile.TemporaryDirectory(prefix="causalsmith-nights") as folder:
        profile = Path(folder, "nights.yaml")
        tiny = (ROOT / "orchestration" / "profiles" / "tiny.yaml").read_text(encoding="utf-8")
        tiny = tiny.replace("held_out_per_task: 2", "held_out_per_task: 16").replace(
            "answers_per_task: 1, explanations_per_task: 1", "answers_per_task: 4, explanations_per_task: 4"
        )
        settings = {"model": "m", "base_url": hosted.url, "key_variable": "BENCH_KEY", "dollars_per_million": [1, 1]}
        profile.write_text(f"{tiny}baseline: {json.dumps(settings)}\n", encoding="utf-8")
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("CAUSALSMITH_HOME", "DAGSTER_", "MLFLOW_"))
        }
        yield Path(folder), {**inherited, "CAUSALSMITH_PROFILE": str(profile), "BENCH_KEY": "k"}, hosted
    hosted.http.shutdown()
    hosted.http.server_close()


def _job(name: str, home: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own arguments
        [sys.executable, "-c", RUN, name],
        cwd=ROOT,
        env={**environment, "CAUSALSMITH_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _ended(job: subprocess.Popen[str]) -> list[str]:
    told = job.communicate()[0].split()[-3:]
    if not told or told[0] != "True":
        raise RuntimeError(f"a job failed: {told}")
    return told


def _report(home: Path) -> tuple[Any, Any]:
    """What the report says, and every reading; times aside."""
    from assets.storage import FileStore, LocalBlobs

    files = FileStore(LocalBlobs(str(home / "data")), home / "downloads")
    report, readings = files.get("regression_report"), files.get("assistant_evaluation")
    if not isinstance(report, dict) or not isinstance(readings, pd.DataFrame):
        raise TypeError("the stored report has another form")
    kept = [name for name in readings.columns if not name.startswith("seconds ")]
    return {k: report[k] for k in ("passed", "text", "table", "scores", "fields")}, readings[kept].to_dict("records")


def nights(kills: int) -> dict[str, Any]:
    """An evaluation in one go and again, and one killed at random moments, on copies of the same home."""
    from training.ledger import Ledger

    chances = random.Random(4)
    with _homes() as (folder, environment, hosted):
        quiet, broken = folder / "quiet", folder / "broken"
        _ended(_job("retraining", quiet, environment))
        shutil.copytree(quiet, broken)
        begin = time.perf_counter()
        _ended(_job("evaluation", quiet, environment))
        whole, asked = time.perf_counter() - begin, sum(hosted.asked.values())
        lines = Ledger(quiet / "work" / "evaluation.sqlite").counts()
        begin = time.perf_counter()
        counts = [_ended(_job(name, quiet, environment))[1:] for name in ("retraining", "evaluation")]
        again = time.perf_counter() - begin
        reused, made = (sum(int(pair[place]) for pair in counts) for place in (0, 1))
        found: dict[str, Any] = {
            "night again, both jobs: seconds": again,
            "night again: assets made, reused": f"{made}, {reused}",
            "night again: calls of the hosted model": sum(hosted.asked.values()) - asked,
            "night again: items read, answered or explained": Ledger(quiet / "work" / "evaluation.sqlite").counts()[0]
            - lines[0],
        }
        hosted.asked.clear()
        moments = []
        for _ in range(kills):
            job = _job("evaluation", broken, environment)
            moments.append(chances.uniform(0.3, 0.9) * whole)
            time.sleep(moments[-1])
            job.send_signal(signal.SIGKILL)
            job.wait()
        _ended(_job("evaluation", broken, environment))
        kept = Ledger(broken / "work" / "evaluation.sqlite").counts()
        found |= {
            f"killed {kills} times: after seconds of {whole:.0f}": ", ".join(f"{moment:.0f}" for moment in moments),
            f"killed {kills} times: same report and readings": _report(quiet) == _report(broken),
            f"killed {kills} times: items scored, scored again": f"{kept[0]}, {kept[1]}",
            f"killed {kills} times: calls answered, answered again": f"{len(hosted.asked)}, "
            f"{sum(hosted.asked.values()) - len(hosted.asked)}",
        }
    return found


def reading() -> dict[str, Any]:
    """Questions a second as the evaluation reads them, beside plain batched generation of the same prompts."""
    import torch

    from causal_tools.prompts import parse_messages
    from lm import load_language_model
    from training.evaluation import readings_of
    from training.test_sets import load_test_set

    model = load_language_model("assistant")
    items = load_test_set("development")[:QUESTIONS]
    prompts = [model.chat_text(parse_messages(item.question, item.columns, item.levels)) for item in items]
    tokenizer = model.tokenizer
    tokenizer.padding_side = "left"

    def plain(batch: int) -> None:
        for start in range(0, len(prompts), batch):
            inputs = tokenizer(
                prompts[start : start + batch], return_tensors="pt", padding=True, add_special_tokens=False
            )
            with torch.inference_mode():
                model.model.generate(**inputs.to(model.device), max_new_tokens=NEW_TOKENS, do_sample=False)

    readings_of(model, items[:2])
    seconds: dict[str, list[float]] = {"ours": [], f"batches of {BATCH}": [], f"batches of {2 * BATCH}": []}
    for _ in track(
        range(3), "reading", console=Console(stderr=True), transient=True
    ):  # in turn: speed changes meet all
        for name, work in zip(
            seconds, (lambda: readings_of(model, items), lambda: plain(BATCH), lambda: plain(2 * BATCH)), strict=True
        ):
            begin = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - begin)
    middle = {name: float(np.median(values)) for name, values in seconds.items()}
    found: dict[str, Any] = {"reading, questions/s": QUESTIONS / middle["ours"]}
    for name in list(seconds)[1:]:
        found[f"reading ÷ plain generation, {name}"] = middle[name] / middle["ours"]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=("gate", "nights", "reading"), help="all by default")
    parser.add_argument("--simulations", type=int, default=200, help="of the gate, for each thing planted")
    parser.add_argument("--kills", type=int, default=3, help="times that an evaluation is killed")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    chosen = parser.parse_args()
    parts = {"gate": lambda: gate(chosen.simulations), "nights": lambda: nights(chosen.kills), "reading": reading}
    figures: dict[str, Any] = {}
    for name in chosen.part or parts:
        figures |= parts[name]()
    if chosen.out:
        chosen.out.write_text(json.dumps(figures, indent=1))
    table = Table("what", "figure", title="Evaluation")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3g}" if isinstance(value, float) else str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
