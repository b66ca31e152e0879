"""`make bench`: comparisons made in one run, as ratios and counts, on the bundled model.

python scripts/bench.py [--model smollm2-135m] [--contexts 60]
"""

import argparse
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from lm import LanguageModel, load_language_model
from sdscm import SequenceSCM, load_scenario


def plain_scores(model: LanguageModel, context: str, levels: list[str]) -> tuple[np.ndarray, int]:
    """One full forward a candidate and no sharing: what the engine must agree with, and the tokens it took."""
    import torch

    scores, tokens = [], 0
    start = len(model.tokenizer(context).input_ids)
    for level in levels:
        ids = model.tokenizer(f"{context} {level}").input_ids
        tokens += len(ids)
        with torch.inference_mode():
            law = torch.log_softmax(model.model(torch.tensor([ids], device=model.device)).logits[0].float(), dim=-1)
        scores.append(sum(law[k - 1, ids[k]].item() for k in range(start, len(ids))))
    return np.array(scores), tokens


def scoring(model: LanguageModel, scenario: str, contexts: int) -> tuple[float, float, float]:
    """(largest difference in nats, tokens plain ÷ engine, CPU time plain ÷ engine) on contexts that a sample meets."""
    scm = SequenceSCM(load_scenario(scenario), load_language_model("tiny"), temperature=8.0)
    scm.sample(contexts, seed=0)
    asked = (
        scm.tables.frame()
        .groupby("context", sort=False)["level"]
        .agg(list)
        .sample(contexts, random_state=0, replace=True)
    )
    asked = asked[~asked.index.duplicated()]
    before, clock = model.meter.tokens, time.process_time()
    engine = model.score(list(asked.index), list(asked))
    engine_seconds, engine_tokens = time.process_time() - clock, model.meter.tokens - before
    clock, worst, plain_tokens = time.process_time(), 0.0, 0
    for (context, levels), row in zip(asked.items(), engine, strict=True):
        plain, tokens = plain_scores(model, str(context), levels)
        worst, plain_tokens = max(worst, float(np.abs(plain - row).max())), plain_tokens + tokens
    return worst, plain_tokens / engine_tokens, (time.process_time() - clock) / engine_seconds


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--contexts", type=int, default=60)
    chosen = parser.parse_args()
    model = load_language_model(chosen.model)
    table = Table(
        "comparison", "scenario", "figure", title=f"{model.describe()}, {chosen.contexts} contexts a scenario, seed 0"
    )
    for scenario in ("tutoring", "breast_cancer"):
        difference, tokens, seconds = scoring(model, scenario, chosen.contexts)
        table.add_row("engine and plain forward: largest difference", scenario, f"{difference:.1e} nats")
        table.add_row("tokens through the model, plain ÷ engine", scenario, f"{tokens:.1f}")
        table.add_row("CPU time, plain ÷ engine", scenario, f"{seconds:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
