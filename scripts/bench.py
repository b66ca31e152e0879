"""`make bench`: comparisons made in one run, as ratios and counts, on a real language model.

python scripts/bench.py [--model smollm2-135m] [--rows 1000] [--quick] [--out FILE.json]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from lm import LanguageModel, load_language_model
from sdscm import Scenario, SequenceSCM, list_scenarios, load_scenario
from sdscm.memo import ScoreMemo

DENSE = "breast_cancer"
FIVE_VARIABLES = "back_pain"
CONSOLE = Console(stderr=True)


def _oracle() -> Any:
    """The scorer of the tests: one full forward a candidate, nothing shared."""
    path = Path(__file__).parent.parent / "tests" / "lm" / "oracle.py"
    spec = importlib.util.spec_from_file_location("oracle", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ORACLE = _oracle()


def oracle_log_prob(model: LanguageModel, context: str, level: str) -> float:
    """What the engine must agree with."""
    return float(ORACLE.log_prob(model, context, f" {level}" if context else level))


def seconds_of(model: LanguageModel, work: Callable[[], Any]) -> tuple[float, Any]:
    """What some work takes and gives: CPU time of all threads, or wall time where an accelerator does it."""
    if model.device == "cpu":
        begin = time.process_time()
        result = work()
        return time.process_time() - begin, result
    import torch

    torch.cuda.synchronize()
    begin = time.perf_counter()
    result = work()
    torch.cuda.synchronize()
    return time.perf_counter() - begin, result


def random_contexts(scenario: Scenario, count: int, seed: int) -> list[tuple[str, tuple[str, ...]]]:
    """Contexts of random variables under random parents, each with its levels."""
    random = np.random.default_rng(seed)
    asked = [v for v in scenario.variables if v.law == "language model"]
    found = []
    for _ in range(count):
        variable = asked[random.integers(len(asked))]
        spoken = {p: str(random.choice(scenario[p].levels)) for p in variable.parents}
        found.append((scenario.context(variable.name, spoken), variable.levels))
    return found


def arms(scenario: Scenario) -> list[dict[str, str] | None]:
    """The factual world and one a treatment level."""
    treatment = scenario.only("treatment")
    return [None, *({treatment.name: level} for level in treatment.levels)]


def agreement(model: LanguageModel, contexts: int) -> float:
    """Largest difference in nats between engine and oracle over three scenarios."""
    worst = 0.0
    for number, name in enumerate((DENSE, FIVE_VARIABLES, "tutoring")):
        asked = random_contexts(load_scenario(name), contexts // 3 + (number < contexts % 3), seed=number)
        rows = model.score([c for c, _ in asked], [levels for _, levels in asked])
        for (context, levels), row in track(
            zip(asked, rows, strict=True), f"oracle, {name}", len(asked), console=CONSOLE
        ):
            plain = [oracle_log_prob(model, context, level) for level in levels]
            worst = max(worst, float(np.abs(np.array(plain) - row).max()))
    return worst


def oracle_per_row(model: LanguageModel, scm: SequenceSCM, rows: int) -> tuple[float, float]:
    """(seconds, tokens) a row by the oracle: every candidate of every context of the row and of both arms."""
    scenario, tokens = scm.scenario, 0
    worlds = scm.worlds(rows, 0, arms(scenario))
    below = scenario.descendants({scenario.only("treatment").name})

    def work() -> None:
        nonlocal tokens
        for row in track(range(rows), "oracle, row by row", console=CONSOLE):
            for number, world in enumerate(worlds):
                for variable in scenario.variables:
                    if number and variable.name not in below:
                        continue
                    values = world.frame.iloc[row]
                    context = scenario.context(variable.name, {p: values[p] for p in variable.parents})
                    for level in variable.levels:
                        tokens += len(model.tokenizer(f"{context} {level}").input_ids)
                        oracle_log_prob(model, context, level)

    seconds, _ = seconds_of(model, work)
    return seconds / rows, tokens / rows


def engine_per_row(
    model: LanguageModel, rows: int, seed: int, memo: ScoreMemo
) -> tuple[float, float, float, SequenceSCM]:
    """(seconds, tokens, new contexts) a row of the dense scenario with both arms."""
    scm = SequenceSCM(load_scenario(DENSE), model, memo=memo)
    tokens = model.meter.tokens
    with CONSOLE.status(f"{DENSE}, {rows} rows, seed {seed}"):
        seconds, _ = seconds_of(model, lambda: scm.worlds(rows, seed, arms(scm.scenario)))
    return seconds / rows, (model.meter.tokens - tokens) / rows, scm.tables.contexts_scored / rows, scm


def overhead(model: LanguageModel, rows: int) -> float:
    """Engine's tokens/s divided by those of plain batched forwards at the same shapes (batch, new tokens, tokens before)."""
    import torch
    from transformers import DynamicCache

    shapes: list[tuple[int, int, int, int]] = []

    def note(_: Any, __: Any, named: dict[str, Any]) -> None:
        batch, width = named["input_ids"].shape
        shapes.append((batch, width, named["past_key_values"].get_seq_length(), named["logits_to_keep"]))

    model.session()  # the model is tried once before its first use, which is no part of the comparison
    hook = model.model.register_forward_pre_hook(note, with_kwargs=True)
    scm = SequenceSCM(load_scenario(DENSE), model)
    engine, _ = seconds_of(model, lambda: scm.worlds(rows, 0, arms(scm.scenario)))
    hook.remove()
    config = model.model.config
    heads, dimensions = config.num_key_value_heads, config.head_dim

    def plain() -> None:
        for batch, width, before, kept in shapes:
            states = [
                torch.zeros(batch, heads, before, dimensions, dtype=model.model.dtype, device=model.model.device)
            ] * 2
            past = DynamicCache(ddp_cache_data=[tuple(states)] * config.num_hidden_layers) if before else DynamicCache()
            with torch.inference_mode():
                model.model(
                    input_ids=torch.ones(batch, width, dtype=torch.long, device=model.model.device),
                    past_key_values=past,
                    use_cache=True,
                    logits_to_keep=kept,
                )

    forward, _ = seconds_of(model, plain)
    return forward / engine


def sparse(model: LanguageModel, rows: int) -> tuple[float, int, int]:
    """(wall seconds, contexts asked, distinct contexts) of a five-variable scenario with cold tables, model loaded."""
    scm = SequenceSCM(load_scenario(FIVE_VARIABLES), model)
    begin = time.perf_counter()
    worlds = scm.worlds(rows, 0, arms(scm.scenario))
    seconds = time.perf_counter() - begin
    met = {
        (v.name, *values)
        for world in worlds
        for v in scm.scenario.variables
        if v.law == "language model" and v.name not in world.do
        for values in set(zip(*(world.frame[p] for p in v.parents), strict=True) if v.parents else [()])
    }
    return seconds, scm.tables.contexts_scored, len(met)


def known_tables(scm: SequenceSCM, rows: int) -> float:
    """Values a second from tables that are known."""
    scm.tables.complete()
    scm.sample(rows, 0)
    begin = time.perf_counter()
    scm.sample(rows, 1)
    return rows * len(scm.scenario.names) / (time.perf_counter() - begin)


def exact_against_sampled(model: LanguageModel, rows: int) -> tuple[float, str]:
    """Largest distance of exact and sampled effect, in standard errors, over the sparse scenarios."""
    worst, where = 0.0, ""
    for name in list_scenarios():
        if name == DENSE:
            continue
        scm = SequenceSCM(load_scenario(name), model)
        scenario = scm.scenario
        treatment, outcome = scenario.only("treatment"), scenario.only("outcome")
        exact = scm.exact().ate(treatment.name, outcome.name)
        low, high = scm.worlds(rows, 0, [{treatment.name: treatment.levels[0]}, {treatment.name: treatment.levels[-1]}])
        scores = outcome.score_of()
        effects = scores[high.frame[outcome.name].cat.codes] - scores[low.frame[outcome.name].cat.codes]
        error = effects.std() / np.sqrt(rows)
        away = abs(effects.mean() - exact) / error if error else float(abs(effects.mean() - exact) > 1e-4) * np.inf
        if away > worst:
            worst, where = float(away), name
    return worst, where


def main() -> None:
    """Measure and print one table; `--out` keeps the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--rows", type=int, default=1000, help="rows of the dense scenario's larger run")
    parser.add_argument("--contexts", type=int, default=200, help="contexts to hold engine and oracle together on")
    parser.add_argument("--oracle-rows", type=int, default=5, help="rows for the oracle, which is slow")
    parser.add_argument("--quick", action="store_true", help="small sizes: a few minutes")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rows, chosen.contexts, chosen.oracle_rows = 100, 30, 2
    model = load_language_model(chosen.model)
    figures: dict[str, Any] = {"model": model.describe(), "time": "CPU" if model.device == "cpu" else "wall"}
    small = min(200, chosen.rows)

    figures["engine and oracle, largest difference (nats)"] = agreement(model, chosen.contexts)
    seconds, contexts, distinct = sparse(model, 1000)
    figures[f"{FIVE_VARIABLES}, 1,000 rows and 2 arms, cold (s)"] = seconds
    figures[f"{FIVE_VARIABLES}, contexts asked / distinct"] = f"{contexts} / {distinct}"
    figures["values/s from known tables"] = known_tables(SequenceSCM(load_scenario(FIVE_VARIABLES), model), 1_000_000)
    away, where = exact_against_sampled(model, 200_000)
    figures["exact and sampled effect, 200,000 rows, largest distance (standard errors)"] = f"{away:.2f} ({where})"
    figures["engine's tokens/s ÷ plain forward's, same shapes"] = overhead(model, 100)

    memo = ScoreMemo()
    cpu_small, tokens_small, contexts_small, scm = engine_per_row(model, small, 0, memo)
    oracle_cpu, oracle_tokens = oracle_per_row(model, scm, chosen.oracle_rows)
    figures["oracle: tokens a row"] = oracle_tokens
    figures[f"{DENSE}, {small} rows and 2 arms: tokens a row"] = tokens_small
    figures[f"{DENSE}, {small} rows and 2 arms: contexts a row"] = contexts_small
    figures[f"{DENSE}, {small} rows and 2 arms: time, oracle ÷ engine"] = oracle_cpu / cpu_small
    if chosen.rows > small:
        memo = ScoreMemo()
        cpu, tokens, contexts_row, _ = engine_per_row(model, chosen.rows, 0, memo)
        figures[f"{DENSE}, {chosen.rows} rows and 2 arms: tokens a row"] = tokens
        figures[f"{DENSE}, {chosen.rows} rows and 2 arms: contexts a row"] = contexts_row
        figures[f"{DENSE}, {chosen.rows} rows and 2 arms: time, oracle ÷ engine"] = oracle_cpu / cpu
    cpu, tokens, contexts_row, _ = engine_per_row(model, chosen.rows, 1, memo)
    figures[f"{DENSE}, {chosen.rows} rows, second seed: tokens a row"] = tokens
    figures[f"{DENSE}, {chosen.rows} rows, second seed: time, oracle ÷ engine"] = oracle_cpu / cpu
    figures["peak memory (GB)"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6

    table = Table("comparison", "figure", title=f"{model.describe()}, seed 0")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3g}" if isinstance(value, float) else str(value))
    Console().print(table)
    if chosen.out:
        chosen.out.write_text(json.dumps(figures, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
