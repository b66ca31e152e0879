"""Raw explanations of results, as language models write them before any check, judged by the rubric.

In use the assistant shows a wording only where it passes; here the model itself is looked at.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from causal_tools.contract import CausalResult
from causal_tools.prompts import interpret_messages
from lm import LanguageModel
from training.answers import explained, true_results
from training.interpretation import rubric
from training.ledger import Ledger, key_of
from training.queries import QueryItem

AT_ONCE = 8
MOST_TOKENS = 200
NOTHING_SAID = "The result is in the table."  # the trivial baseline: invents nothing, tells nothing
Explained = tuple[str, str, CausalResult]  # item id, question, result


def raw_explanations(
    ledger: Ledger,
    system: str,
    load: Callable[[], LanguageModel],
    results: Sequence[Explained],
    report: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Explanations, greedily generated, some at a time.

    Args:
        ledger: of those known.
        system: digest of the model and its adapter.
        load: gives the model; called only where something is not known.
        results: to explain.
        report: called with (done, all).
    """

    def run(part: Sequence[Explained]) -> list[str]:
        model = load()
        prompts = [model.chat_text(interpret_messages(question, result)) for _, question, result in part]
        texts = model.generate(prompts, max_new_tokens=MOST_TOKENS, batch_size=AT_ONCE)
        return [text.strip() for text in texts]

    keys = [key_of("explanation", system, question, result.summary, MOST_TOKENS) for _, question, result in results]
    return [str(text) for text in ledger.fill(results, keys, run, report, AT_ONCE)]


def explain_results(
    systems: Mapping[str, LanguageModel],
    items: Sequence[QueryItem],
    rows: int = 1000,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """What language models write of the true results of questions, beside the template and a sentence that says nothing.

    Args:
        systems: by name, the models.
        items: questions of causal tasks, each on a simulated file of its own; those that the tool refuses are left out.
        rows: of each file.
        seed: of the files and the tools.
        report: called with (done, all) explanations.

    Returns:
        As :func:`judged`, with each item's ``topic``.
    """
    with tempfile.TemporaryDirectory(prefix="causalsmith-explanations") as folder:
        ledger = Ledger(Path(folder) / "explanations.sqlite")
        found = true_results(ledger, items, rows, seed)
        results = explained(found, len(items))
        texts, done = {}, 0
        for name, model in systems.items():

            def say(now: int, _: int, before: int = done) -> None:
                if report is not None:
                    report(before + now, len(results) * len(systems))

            texts[name] = raw_explanations(ledger, name, partial(_itself, model), results, say)
            done += len(results)
    texts["template"] = [result.summary for _, _, result in results]
    texts["fixed sentence"] = [NOTHING_SAID for _ in results]
    frame = judged(results, texts)
    return frame.assign(topic=frame["id"].map(dict(zip(found["id"], found["topic"], strict=True))))


def _itself(model: LanguageModel) -> LanguageModel:
    return model


def judged(results: Sequence[Explained], texts: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Every system's explanations by the rubric.

    Args:
        results: what was explained.
        texts: by system, its explanations in the order of the results.

    Returns:
        A line a system and result: ``text`` and, each true where all is well, ``faithful`` (nothing invented), ``complete``
        and ``fluent``.
    """
    lines = []
    for system, written in texts.items():
        for (name, _, result), text in zip(results, written, strict=True):
            faults = rubric(text, result)
            lines.append(
                {
                    "id": name,
                    "task": result.task,
                    "system": system,
                    "text": text,
                    "faithful": not faults["hallucination"],
                    "complete": not faults["incompleteness"],
                    "fluent": not faults["non_fluency"],
                }
            )
    return pd.DataFrame(lines, columns=["id", "task", "system", "text", "faithful", "complete", "fluent"])
