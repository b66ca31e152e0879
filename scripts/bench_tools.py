"""`make bench`, the causal tools: right answers, coverage, overhead over the libraries, invented numbers, time of an answer.

python scripts/bench_tools.py [--only right coverage direct explanations answer] [--files 30] [--runs 200] [--out FILE.json]

Files come from the simulators of the tests, whose truths follow from their equations; every seed is fixed. Shares are given with
their 95 % interval (Wilson).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import track  # noqa: E402
from rich.table import Table  # noqa: E402
from statsmodels.stats.proportion import proportion_confint  # noqa: E402

from causal_tools import CausalQuery, answer  # noqa: E402
from causal_tools.contract import CausalResult  # noqa: E402

CONSOLE = Console(stderr=True)
TASKS = ("ATE", "HTE", "MA", "OPO")
PLAIN_SEED, HARD_SEED, COVERAGE_SEED = 0, 100, 10_000
COVERAGE_ROWS = {"ATE": 1000, "HTE": 1000, "MA": 1000, "OPO": 1000}


def files_of(task: str, hard: bool, count: int) -> list[tuple[str, bool, int]]:
    return [(task, hard, (HARD_SEED if hard else PLAIN_SEED) + place) for place in range(count)]


def is_right(job: tuple[str, bool, int]) -> bool:
    """Whether one file's answer is right; a graph's within its equivalence class and weights."""
    task, hard, seed = job
    warnings.simplefilter("ignore")
    if task == "CGL":
        graphs = importlib.import_module("tests.causal_tools.graph_simulators")
        kinds = graphs.HARD if hard else graphs.PLAIN
        place = seed - (HARD_SEED if hard else PLAIN_SEED)
        file = graphs.simulated(kinds[place], seed, hard=hard, everything=not hard or place % 2 == 0)
        return bool(graphs.score(answer(file.query, file.frame, checks=False), file))
    file = importlib.import_module("tests.causal_tools.task_simulators").task_file(task, seed, hard=hard)
    return bool(file.right(answer(file.query, file.frame, checks=False)))


def covers(job: tuple[str, bool, int]) -> list[bool]:
    """Whether each interval of one file's answer holds its truth."""
    task, hard, seed = job
    warnings.simplefilter("ignore")
    simulators = importlib.import_module("tests.causal_tools.task_simulators")
    file = simulators.task_file(task, seed, hard=hard, rows=COVERAGE_ROWS[task])
    return list(file.covered(answer(file.query, file.frame, checks=False)))


def over(work: Callable[[Any], Any], jobs: list[Any], said: str) -> Iterator[Any]:
    """Each job's outcome, by as many processes as there are cores."""
    with ProcessPoolExecutor() as pool:
        yield from track(pool.map(work, jobs), said, len(jobs), console=CONSOLE)


def share(hits: int, of: int) -> str:
    low, high = proportion_confint(hits, of, method="wilson")
    return f"{hits} of {of} = {hits / of:.3f} ({low:.3f} to {high:.3f})"


def right_answers(files: int) -> dict[str, Any]:
    """Thirty plain and thirty hard files a task."""
    found = {}
    for hard in (False, True):
        for task in ("CGL", *TASKS):
            kind = "hard" if hard else "plain"
            hits = sum(over(is_right, files_of(task, hard, files), f"{task}, {kind} files"))
            found[f"{task}, {kind} files answered within the tolerance"] = f"{hits} of {files}"
    return found


def coverage(runs: int) -> dict[str, Any]:
    """Share of 95 % intervals that hold the truth, per task; several intervals of one file count one by one."""
    found = {}
    for task in TASKS:
        jobs = [(task, False, COVERAGE_SEED + place) for place in range(runs)]
        held = [inside for row in over(covers, jobs, f"{task}, coverage") for inside in row]
        found[f"{task}, intervals that cover, {runs} files of {COVERAGE_ROWS[task]} rows"] = share(sum(held), len(held))
    return found


def effect_by_hand(frame: Any, query: CausalQuery) -> float:
    """What a person would write with scikit-learn and econml for the same analysis: choose models, look at overlap, fit."""
    import pandas as pd
    from econml.dr import LinearDRLearner
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict, cross_val_score

    from causal_tools import nuisance

    seed = int(importlib.import_module("causal_tools.randomness").child_seed(0, "effects"))
    levels = sorted(frame[query.treatment].unique())
    codes = frame[query.treatment].map({level: code for code, level in enumerate(levels)}).to_numpy()
    response = frame[query.response].to_numpy(dtype=float)
    others = frame.drop(columns=[query.treatment, query.response])
    features = pd.get_dummies(others, drop_first=True, dtype=float)
    features = features[sorted(features, key=lambda name: list(others).index(name.split("_")[0]))].to_numpy()

    def best(candidates: dict[str, Any], matrix: Any, target: Any, folds: Any, scoring: str) -> Any:
        scores = {
            name: np.mean(cross_val_score(model, matrix, target, cv=folds, scoring=scoring))
            for name, model in candidates.items()
        }
        return candidates[max(scores, key=lambda name: scores[name])]

    three = StratifiedKFold(nuisance.CHOICE_FOLDS, shuffle=True, random_state=seed)
    propensity = best(nuisance.classifiers(features, seed), features, codes, three, "neg_log_loss")
    five = StratifiedKFold(nuisance.FOLDS, shuffle=True, random_state=seed)
    chances = cross_val_predict(propensity, features, codes, cv=five, method="predict_proba")
    keep = chances.min(axis=1) >= nuisance.SMALLEST_PROPENSITY
    both = np.column_stack([features, codes])[keep]
    three_plain = KFold(nuisance.CHOICE_FOLDS, shuffle=True, random_state=seed)
    outcome = best(
        nuisance.regressors(both, response[keep], seed), both, response[keep], three_plain, "neg_mean_squared_error"
    )
    learner = LinearDRLearner(
        model_propensity=propensity,
        model_regression=outcome,
        min_propensity=nuisance.propensity_floor(int(keep.sum())),
        cv=nuisance.FOLDS,
        mc_iters=1,
        mc_agg="median",
        random_state=seed,
    )
    learner.fit(response[keep], codes[keep], W=features[keep])
    learner.ate_interval()
    return float(learner.ate())


def mediation_by_hand(frame: Any, query: CausalQuery) -> float:
    """Two regressions of statsmodels and a bootstrap of them; linear, with the product of treatment and mediator."""
    import pandas as pd
    import statsmodels.api as sm

    from causal_tools.natural_effects import RESAMPLES

    others = pd.get_dummies(
        frame.drop(columns=[query.treatment, query.response, query.mediator]), drop_first=True, dtype=float
    )
    known = (others - others.mean()) / others.std(ddof=0)
    amounts = known[[name for name in known if others[name].nunique() > 10]]
    known = np.column_stack([known, amounts**2])
    treatment, between, response = (
        frame[name].to_numpy(float) for name in (query.treatment, query.mediator, query.response)
    )

    def total(rows: Any) -> float:
        t, m, y, x = treatment[rows], between[rows], response[rows], known[rows]
        first = sm.OLS(m, np.column_stack([np.ones(len(t)), t, x])).fit()
        second = sm.OLS(y, np.column_stack([np.ones(len(t)), t, m, t * m, x])).fit()
        before = np.mean(first.fittedvalues - first.params[1] * t)
        after = before + first.params[1]
        a, b, c = second.params[1], second.params[2], second.params[3]
        return float(a + (b + c) * after - b * before)

    everyone = np.arange(len(frame))
    random = np.random.default_rng(0)
    for _ in range(RESAMPLES):
        total(random.integers(0, len(frame), len(frame)))
    return total(everyone)


def graph_by_hand(frame: Any, query: CausalQuery) -> float:
    """The same analysis with the libraries: search, weights with intervals, normality of the noise, and its independence.

    causal-learn's own test of independence (HSIC) is quadratic in the rows, so it gets 500 of them. Gives the number of edges.
    """
    import statsmodels.api as sm
    from causallearn.search.FCMBased.lingam import DirectLiNGAM
    from scipy import stats

    values = frame[sorted(frame.columns)].to_numpy(dtype=float)
    model = DirectLiNGAM(random_state=0)
    model.fit(values)
    edges = 0
    for child, parents in enumerate(np.abs(model.adjacency_matrix_) > 0):
        fit = sm.OLS(values[:, child], sm.add_constant(values[:, parents])).fit(cov_type="HC1")
        fit.conf_int()
        stats.normaltest(fit.resid)
        edges += int((np.abs(fit.params[1:]) > 0.1).sum())
    model.get_error_independence_p_values(values[:500])
    return float(edges)


def search_by_hand(frame: Any, query: CausalQuery) -> float:
    """DirectLiNGAM alone, nothing looked at."""
    from causallearn.search.FCMBased.lingam import DirectLiNGAM

    model = DirectLiNGAM(random_state=0)
    model.fit(frame[sorted(frame.columns)].to_numpy(dtype=float))
    return float((np.abs(model.adjacency_matrix_) > 0.1).sum())


def linear_world(rows: int, nodes: int) -> Any:
    """A linear world of uniform noise, each node caused by the two before it, and the question for its graph."""
    import pandas as pd

    random = np.random.default_rng(0)
    values = random.uniform(-1, 1, (rows, nodes))
    for node in range(1, nodes):
        values[:, node] += 0.8 * values[:, node - 1] + (0.5 * values[:, node - 2] if node > 1 else 0)
    frame = pd.DataFrame(values, columns=[f"x{node:02d}" for node in range(nodes)])
    return SimpleNamespace(frame=frame, query=CausalQuery(task="CGL", nodes="all"))


def direct(repeats: int = 3) -> dict[str, Any]:
    """Answers against the libraries called by hand on the same data: the difference, and the least of the ratios of CPU times."""
    tasks = importlib.import_module("tests.causal_tools.task_simulators")
    files = {
        "ATE against econml": (tasks.task_file("ATE", 0, hard=False, rows=10_000), effect_by_hand),
        "MA against statsmodels": (tasks.task_file("MA", 0, hard=False, rows=10_000), mediation_by_hand),
        "CGL against causal-learn and statsmodels": (linear_world(10_000, 10), graph_by_hand),
        "CGL against causal-learn's search alone": (linear_world(10_000, 10), search_by_hand),
    }
    found: dict[str, Any] = {}
    for name, (file, by_hand) in files.items():
        answer(file.query, file.frame, checks=False), by_hand(file.frame, file.query)  # imports and caches
        ratios, apart = [], 0.0
        for _ in track(range(repeats), name, console=CONSOLE):
            begin = time.process_time()
            ours = answer(file.query, file.frame, checks=False).estimate
            middle = time.process_time()
            theirs = by_hand(file.frame, file.query)
            ratios.append((middle - begin) / (time.process_time() - middle))
            apart = max(apart, abs(ours - theirs))
        found[f"{name}: difference of the estimates"] = apart
        found[f"{name}: CPU time, ours ÷ by hand (median of {repeats})"] = float(np.median(ratios))
    return found


_FIGURE = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def figures_in(text: str) -> set[float]:
    """Numbers of a text, by a rule of its own and not that of the product's check."""
    return {abs(float(match)) for match in _FIGURE.findall(text.replace(",", "").replace("−", "-"))}


def told_in(result: CausalResult) -> set[float]:
    """Every number of a result, and what it is at four digits."""
    found: set[float] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(key), walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, str):
            found.update(figures_in(value))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found.update({abs(float(value)), abs(float(f"{value:.4g}"))})

    walk({**result.model_dump(mode="json"), "summary": ""})
    return found | {95.0, 0.0, float(len(getattr(result, "edges", []))), 1.0}


class Corrupting:
    """A writer that repeats the summary with one thing changed, in five ways, or nothing."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random

    def chat_text(self, messages: Any) -> str:
        return str(messages[-1]["content"])

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def generate(self, texts: Any, **_: Any) -> list[str]:
        text = texts[0].split("Result: ")[1]
        numbers = list(_FIGURE.finditer(text))
        chosen = numbers[self.random.integers(len(numbers))]
        start, end = chosen.span()
        kinds: list[Callable[[], str]] = [
            lambda: text[:start] + str(round(float(chosen.group()) + float(self.random.normal()), 3)) + text[end:],
            lambda: text[:start] + text[end:],
            lambda: f"{text} That is {int(self.random.integers(2, 99))} % more.",
            lambda: text[: end - 1] + str(self.random.integers(10)) + text[end:],
            lambda: f"{text} In {int(self.random.integers(1990, 2030))} it was alike.",
            lambda: text,
        ]
        return [kinds[self.random.integers(len(kinds))]()]


def explanations(count: int, by_model: int) -> dict[str, Any]:
    """Explanations shown, by a corrupting writer and by the language model, with numbers that are not in the result."""
    from causal_tools import Assistant
    from lm import load_language_model

    tasks = importlib.import_module("tests.causal_tools.task_simulators")
    files = [tasks.task_file(task, place, hard=False, rows=300) for place in range(6) for task in TASKS]
    results = [
        answer(file.query, file.frame, dataset="trial.csv", checks=False)
        for file in track(files, "results", console=CONSOLE)
    ]
    lm = load_language_model("smollm2-135m")
    writers: list[tuple[str, Any, int]] = [
        ("smollm2-135m", lm, by_model),
        ("a corrupting writer", Corrupting(np.random.default_rng(0)), count - by_model),
    ]
    found: dict[str, Any] = {}
    wrong = shown_by_writer = 0
    for name, writer, turns in writers:
        rejected = 0
        for turn in track(range(turns), f"explanations, {name}", console=CONSOLE):
            result = results[turn % len(results)]
            text, check = Assistant(writer).word(
                "What comes of it?", result, list(files[turn % len(results)].frame), turn
            )
            shown = text if check.passed else result.summary
            rejected += bool(check.invented)
            shown_by_writer += check.passed
            wrong += bool(figures_in(shown) - told_in(result))
        found[f"{name}: wordings stopped for something invented"] = f"{rejected} of {turns}"
    found["explanations shown with a number that is not in the result"] = f"{wrong} of {count}"
    found["of them in the writer's own words"] = shown_by_writer
    return found


def warm_answer() -> dict[str, Any]:
    """Question to answer on 10,000 rows, the model loaded and everything imported: wall seconds, and whose."""
    from causal_tools import Assistant
    from causal_tools.data import DataTable, describe_columns
    from lm import load_language_model

    tasks = importlib.import_module("tests.causal_tools.task_simulators")
    assistant = Assistant(load_language_model("smollm2-135m"))
    found: dict[str, Any] = {}
    for task in TASKS:
        file = tasks.task_file(task, 0, hard=False, rows=10_000)
        table = DataTable(file.frame, "trial.csv", [], describe_columns(file.frame))
        question = f"What is the effect of {file.query.treatment} on {file.query.response}?"
        for _ in range(2):  # the second is warm; the person's correction of the reading takes no time
            begin = time.perf_counter()
            given = assistant.ask(table, question, edit=lambda _, query=file.query: query)  # type: ignore[misc]
            seconds = time.perf_counter() - begin
        parts = ", ".join(f"{name} {part:.1f}" for name, part in given.seconds.items())
        found[f"{task}, 10,000 rows, question to answer (wall s)"] = f"{seconds:.1f} ({parts})"
    return found


def main() -> None:
    """Measure and print one table; `--out` keeps the figures."""
    parts = ("right", "coverage", "direct", "explanations", "answer")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=parts, default=parts, help="which parts to run")
    parser.add_argument("--files", type=int, default=30, help="simulated files a task, plain and hard")
    parser.add_argument("--runs", type=int, default=200, help="simulations a task for the coverage")
    parser.add_argument("--texts", type=int, default=500, help="explanations")
    parser.add_argument("--texts-by-model", type=int, default=25, help="of them by the language model")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    work: dict[str, Callable[[], dict[str, Any]]] = {
        "right": lambda: right_answers(chosen.files),
        "coverage": lambda: coverage(chosen.runs),
        "direct": direct,
        "explanations": lambda: explanations(chosen.texts, chosen.texts_by_model),
        "answer": warm_answer,
    }
    figures: dict[str, Any] = {}
    for part in parts:
        if part in chosen.only:
            figures |= work[part]()
            if chosen.out:
                chosen.out.write_text(json.dumps(figures, indent=1, ensure_ascii=False))
    table = Table("what", "figure", title="Causal tools")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3g}" if isinstance(value, float) else str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
