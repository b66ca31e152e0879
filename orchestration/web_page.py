"""The page: data, question, reading, answer, one below the other; and which step each button takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from orchestration import web_steps as steps
from orchestration import web_words as words
from orchestration.web_answer import answer_steps
from orchestration.web_examples import example_questions
from orchestration.web_fields import FIELDS, LEVELS, as_form, filled, levels_offered, make_fields
from orchestration.web_form import Form, form_of
from orchestration.web_model import SharedModel

MOST_EXAMPLES = 5
KEPT = (3600, 24 * 3600)  # every hour, files of more than a day are removed


def build_page(model: SharedModel | None) -> Any:
    """The page as gradio blocks, not yet served.

    Args:
        model: reads questions and words answers; None leaves a form that is filled in by hand.
    """
    import gradio as gr

    with gr.Blocks(title="Causalsmith", analytics_enabled=False, delete_cache=KEPT) as page:
        session, heard = gr.State(steps.Session()), gr.State(None)  # the open file; and with a reading, if there is one
        gr.Markdown("# Causalsmith\nAsk a causal question of a data file, and check the answer.")
        gr.Markdown("## 1 · Data")
        file = gr.File(
            label=f"CSV, TSV, Parquet or Excel with a header line, at most {steps.MOST_MEGABYTES} MB",
            elem_id="file",
            height=170,
        )
        about_file = gr.HTML(elem_id="about-file", elem_classes="page-html", padding=False)
        question, read, about_reading, examples = _question(gr, model)
        fields = make_fields(gr)
        wording = gr.Checkbox(
            model is not None,
            label="Let the model word the explanation too (slower; shown only where every number checks)",
            visible=model is not None,
            elem_id="wording",
        )
        press = gr.Button("Answer", variant="primary", elem_id="answer")
        gr.Markdown("## 4 · Answer" if model is not None else "## 3 · Answer")
        progress = gr.HTML(
            words.status("Nothing has been asked yet."), elem_id="progress", elem_classes="page-html", padding=False
        )
        told = gr.HTML(elem_id="told", elem_classes="page-html", padding=False)
        plot = gr.Image(
            visible=False,
            label="Plot of the result",
            show_label=False,
            type="filepath",
            format="png",
            buttons=["download", "fullscreen"],
            elem_id="plot",
        )
        with gr.Accordion("Diagnostics", open=False, visible=False, elem_id="diagnostics") as more:
            diagnostics = gr.HTML(elem_classes="page-html", padding=False)
        download = gr.DownloadButton("Download the result as JSON", visible=False, elem_id="download")
        outcome = [progress, told, plot, more, diagnostics, download]
        form = [fields[name] for name in FIELDS]

        def opened(path: str | None) -> list[Any]:
            now, shown = steps.Session(), ""
            try:
                with steps.in_words():
                    now = steps.open_file(path)
                    shown = words.about_table(now.table) if now.table is not None else ""
            except steps.Trouble as trouble:
                shown = words.trouble(str(trouble))
            questions = example_questions(now.table) if now.table is not None and model is not None else []
            buttons = [
                gr.update(value=questions[place] if place < len(questions) else "", visible=place < len(questions))
                for place in range(MOST_EXAMPLES)
            ]
            told_reading = words.status("The data are new; what was read and answered before is cleared.")
            return [
                now,
                shown,
                told_reading if path is not None and now.table is not None and model is not None else "",
                *filled(Form(), now),
                *buttons,
                *_cleared(gr),
            ]

        def read_question(asked: str | None, now: steps.Session) -> Iterator[list[Any]]:
            assert model is not None
            asked = asked or ""
            still = [gr.skip() for _ in [*form, *outcome]]
            if not model.is_loaded and now.table is not None and asked.strip():
                waiting = f"Loading the language model {model.name} (once; it may take a minute) …"
            else:
                waiting = "Reading the question …"
            yield [gr.skip(), words.status(waiting), *still]
            try:
                with steps.in_words():
                    now = steps.read(now, asked, model)
                    reading = now.reading
                    assert reading is not None
                    notes = [*([model.note] if model.note else []), *reading.notes]
                    about = words.about_reading(reading.confidence, notes, now.reader)
                    yield [now, about, *filled(form_of(reading.query), now), *_cleared(gr)]
            except steps.Trouble as trouble:
                yield [None, words.trouble(str(trouble)), *still]

        def shown_for(*values: Any) -> list[Any]:
            shown = as_form(values).shown
            return [gr.update(visible=name in shown) for name in FIELDS]

        def levels_for(treatment: str | None, now: steps.Session) -> list[Any]:
            return [gr.update(choices=levels_offered(name, now, treatment or ""), value="") for name in LEVELS]

        def answered(
            now: steps.Session, was_heard: steps.Session | None, asked: str | None, worded: bool, *values: Any
        ) -> Iterator[list[Any]]:
            chosen = model if worded else None
            for step in answer_steps(
                steps.current(now, was_heard), as_form(values), asked or "", chosen, Path(mkdtemp(dir=page_folder()))
            ):
                yield [
                    step.progress,
                    step.told,
                    gr.update(value=step.plot, visible=step.plot is not None),
                    gr.update(visible=step.diagnostics != ""),
                    step.diagnostics,
                    gr.update(value=step.download, visible=step.download is not None),
                ]

        # Tools draw from numpy's global generator while they run: one works at a time, and who waits sees a place in the queue.
        work: dict[str, Any] = {"concurrency_id": "work", "concurrency_limit": 1, "api_visibility": "private"}
        quick: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        for button in examples:
            button.click(lambda chosen: chosen, [button], [question], **quick)
        working = []
        if model is not None:
            working.append(
                gr.on(
                    [read.click, question.submit],
                    read_question,
                    [question, session],
                    [heard, about_reading, *form, *outcome],
                    show_progress_on=about_reading,
                    **work,
                )
            )
        working.append(
            press.click(
                answered,
                [session, heard, question, wording, *form],
                outcome,
                show_progress_on=progress,
                **work,
            )
        )
        gr.on([fields["task"].input, fields["own_covariates"].input], shown_for, form, form, **quick)
        fields["treatment"].input(
            levels_for, [fields["treatment"], session], [fields[name] for name in LEVELS], **quick
        )
        file.change(
            opened,
            [file],
            [session, about_file, about_reading, *form, *examples, *outcome],
            show_progress_on=about_file,
            api_visibility="private",
            cancels=working,
        )
    return page


def page_folder() -> str:
    """Where uploads and results lie until the page ends."""
    from gradio.utils import get_upload_folder

    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def _question(gr: Any, model: SharedModel | None) -> tuple[Any, Any, Any, list[Any]]:
    """The question with its button, what the model says, and examples; hidden where there is no model."""
    there = model is not None
    with gr.Column(visible=there):
        gr.Markdown("## 2 · Question")
        question = gr.Textbox(
            label="A causal question about the file's columns",
            placeholder="What is the effect of drug on pain?",
            info="Enter reads it; Shift+Enter begins a new line.",
            lines=1,  # a box of more lines would take Enter for a new one
            max_lines=6,
            submit_btn=False,
            elem_id="question",
        )
        with gr.Column(elem_classes="examples"):
            examples = [gr.Button("", visible=False, size="sm", elem_classes="example") for _ in range(MOST_EXAMPLES)]
        read = gr.Button("Read", elem_id="read")
    gr.Markdown(
        "## 3 · Reading\nWhat is run is what stands here. Fill it in by hand, or let the question be read first."
        if there
        else "## 2 · Form\nNo language model is loaded: say here what is to be estimated."
    )
    about_reading = gr.HTML(elem_id="about-reading", elem_classes="page-html", padding=False)
    return question, read, about_reading, examples


def _cleared(gr: Any) -> list[Any]:
    """Updates that take an earlier answer off the page."""
    gone = gr.update(value=None, visible=False)
    return [words.status("Nothing has been asked yet."), "", gone, gr.update(visible=False), "", gone]
