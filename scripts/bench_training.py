"""`make bench`: fine-tuning beside a plain PyTorch loop over the same batches, and after kills beside a run in one go.

python scripts/bench_training.py [--steps 12] [--kills 3] [--out FILE.json]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import tempfile
import time
from pathlib import Path
from typing import Any, get_args

import numpy as np
from rich.console import Console
from rich.table import Table

from causal_tools.contract import CausalQuery
from causal_tools.prompts import parse_messages, reading_text
from lm import load_language_model
from lm.bundled import BUNDLED
from training.grammar.engine import FamilyTask
from training.packing import Example, collated, features, packed, tokenised, visible
from training.queries import make_queries
from training.recipe import SftRecipe
from training.sft import train_adapter
from training.test_sets import unseen_topics
from training.topic_library import load_topics

SEED = 3
CHECKPOINT_EVERY = 2


def examples(files: int) -> list[Example]:
    """Six questions about each of so many files."""
    topics = [topic for topic in load_topics() if topic.name not in unseen_topics()]
    by_task = [make_queries(task, files, SEED, topics) for task in get_args(FamilyTask)]
    return [
        Example(
            tuple(parse_messages(item.question, item.columns, item.levels)),
            reading_text(CausalQuery.model_validate(item.query) if item.query else None, item.said),
        )
        for items in zip(*by_task, strict=True)
        for item in items
    ]


def recipe(steps: int) -> SftRecipe:
    """The laptop profile's, shortened: one pack of six a step."""
    return SftRecipe(
        base=BUNDLED, steps=steps, batch_size=1, micro_batch=1, pack=6, most_tokens=2048, autocast=False,
        checkpoints=max(1, steps // CHECKPOINT_EVERY),
    )  # fmt: skip


def plain_loop(asked: list[Example], steps: int) -> float:
    """Tokens a second of transformers and PEFT in a loop of PyTorch, logits everywhere, over the same packs."""
    import torch
    from peft import LoraConfig, get_peft_model

    base = load_language_model(BUNDLED, dtype="float32")
    packs = packed([tokenised(base, example) for example in asked], 6, 2048)
    names = sorted(
        {n.rsplit(".", 1)[-1] for n, m in base.model.get_decoder().named_modules() if isinstance(m, torch.nn.Linear)}
    )
    model = get_peft_model(base.model, LoraConfig(r=16, lora_alpha=32, target_modules=names, task_type="CAUSAL_LM"))
    model.train()
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    tokens, begin = 0, 0.0
    for step in range(steps + 1):
        if step == 1:  # the first warms up
            tokens, begin = 0, time.perf_counter()
        batch = collated([features(packs[step % len(packs)])])
        labels, mask = batch.pop("labels"), visible(batch.pop("branch"))
        logits = model(**batch, attention_mask=mask, use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits[0, :-1], labels[0, 1:], ignore_index=-100)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        tokens += batch["input_ids"].numel()
    return tokens / (time.perf_counter() - begin)


def ours(asked: list[Example], steps: int) -> float:
    """Tokens a second of :func:`training.sft.train_adapter`, checkpoints included."""
    with tempfile.TemporaryDirectory() as folder:
        trained = train_adapter(asked, recipe(steps), Path(folder))
    return trained.tokens / trained.seconds


def _train(asked: list[Example], steps: int, folder: str) -> None:
    train_adapter(asked, recipe(steps), Path(folder))


def weights(folder: Path) -> dict[str, np.ndarray]:
    """Of an adapter."""
    from safetensors.torch import load_file

    return {name: w.float().numpy() for name, w in load_file(folder / "adapter" / "adapter_model.safetensors").items()}


def killed(asked: list[Example], steps: int, kills: int, seconds: float) -> dict[str, Any]:
    """Largest difference of weights between a run in one go and one that was killed (SIGKILL) at random moments.

    Args:
        seconds: about what a run takes; the moments are drawn from its first three quarters, anew after each kill.
    """
    chance = random.Random(SEED)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        _train(asked, steps, one)
        moments = []
        for _ in range(kills):
            run = context.Process(target=_train, args=(asked, steps, other))
            run.start()
            work = Path(other)
            while run.is_alive() and not list(work.glob("work-*")):
                time.sleep(0.2)
            run.join(moment := chance.uniform(0.1, 0.75) * seconds)
            moments.append(f"{moment:.0f} s, " + ("killed" if run.is_alive() else "finished before"))
            run.kill()
            run.join()
        resumed = train_adapter(asked, recipe(steps), Path(other))
        before, after = weights(Path(one)), weights(Path(other))
    worst = max(float(np.abs(before[name] - after[name]).max()) for name in before)
    return {
        "moments after the start": "; ".join(moments),
        "last resumed at step": resumed.resumed_at,
        "largest difference": worst,
    }


def main() -> None:
    """Measure and print one table; `--out` keeps the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=12, help="steps of each run, a pack of six questions each")
    parser.add_argument("--kills", type=int, default=3, help="times that a run is killed; 0 leaves this out")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    chosen = parser.parse_args()
    asked = examples(chosen.steps)
    figures: dict[str, Any] = {}
    rates = {"ours": [], "plain": []}  # in turn, so that a change of the machine's speed meets both
    for _ in range(2):
        rates["ours"].append(ours(asked, chosen.steps))
        rates["plain"].append(plain_loop(asked, chosen.steps))
    figures["tokens/s, train_adapter"] = float(np.mean(rates["ours"]))
    figures["tokens/s, plain PyTorch loop"] = float(np.mean(rates["plain"]))
    figures["ratio"] = figures["tokens/s, train_adapter"] / figures["tokens/s, plain PyTorch loop"]
    if chosen.kills:
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            _train(asked, chosen.steps, folder)
        found = killed(asked, chosen.steps, chosen.kills, time.perf_counter() - begin)
        figures |= {f"killed {chosen.kills} times: {name}": value for name, value in found.items()}
    if chosen.out:
        chosen.out.write_text(json.dumps(figures, indent=1))
    table = Table("what", "figure", title="Fine-tuning")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3g}" if isinstance(value, float) else str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
