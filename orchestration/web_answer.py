"""What the page shows while and after a question is answered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from causal_tools.assistant import Answer
from orchestration import web_steps as steps
from orchestration import web_words as words
from orchestration.faults import to_json
from orchestration.web_form import Form
from orchestration.web_model import SharedModel


@dataclass(frozen=True)
class Shown:
    """The answer's part of the page: HTML, and files or None."""

    progress: str = ""
    told: str = ""
    plot: str | None = None
    diagnostics: str = ""
    download: str | None = None


def answer_steps(
    session: steps.Session, form: Form, question: str, model: SharedModel | None, folder: Path
) -> Iterator[Shown]:
    """Run what the form says; the template's explanation first, then the model's.

    Args:
        session: with the open file.
        form: what is to be run.
        question: as it stands on the page, so that one that was never read is told.
        model: words the explanation; None for the template alone.
        folder: where plot and JSON go.
    """
    begun = time.monotonic()
    yield Shown(words.status("Running the causal tool …"))
    try:
        with steps.in_words():
            given = steps.answer(session, steps.query_asked(session, form, question))
            remark = steps.remark(session, question)
            shown = _shown(given, session.reader or steps.NO_MODEL, remark, folder)
    except steps.Trouble as trouble:
        yield Shown(words.trouble(str(trouble)))
        return
    if model is None:
        yield replace(shown, progress=_done(begun))
        return
    loading = "" if model.is_loaded else f" The language model {model.name} is loaded first."
    yield replace(shown, progress=words.status(f"The language model words the explanation …{loading}"))
    try:
        with steps.in_words():
            worded = _shown(steps.word(session, given, model), model.describe(), remark, folder, plot=shown.plot)
            yield replace(worded, progress=_done(begun))
    except steps.Trouble as trouble:
        yield replace(shown, progress=words.trouble(f"The answer stands; the model could not word it: {trouble}"))


def _done(begun: float) -> str:
    return words.status(f"Answered in {time.monotonic() - begun:.0f} s.")


def _shown(given: Answer, model: str, remark: str, folder: Path, plot: str | None = None) -> Shown:
    from causal_tools.plots import plot_result

    stem = f"{Path(given.query.dataset or 'data').stem}-{given.query.task}"
    record = folder / f"{stem}.json"
    record.write_text(to_json(given.record(model), indent=2), encoding="utf-8")
    return Shown(
        told=words.about_answer(given, model, remark),
        plot=plot or str(plot_result(given.result, folder / f"{stem}.png")),
        diagnostics=words.about_diagnostics(given.result.diagnostics),
        download=str(record),
    )
