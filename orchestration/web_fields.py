"""The form's fields on the page: made empty, filled from a reading, read back as a form."""

from __future__ import annotations

from typing import Any

from causal_tools.contract import TASKS
from orchestration.web_form import Form
from orchestration.web_steps import Session, treatment_levels

FIELDS = (
    "task",
    "treatment",
    "second_treatment",
    "response",
    "mediator",
    "nodes",
    "conditions",
    "own_covariates",
    "covariates",
    "from_level",
    "to_level",
    "lower_is_better",
)
TICKED = ("own_covariates", "lower_is_better")
COLUMN_FIELDS = ("treatment", "second_treatment", "response", "mediator", "nodes", "covariates")
LEVELS = ("from_level", "to_level")
NOTHING = {  # what a field says while nothing is chosen in it
    "treatment": "(choose a column)",
    "response": "(choose a column)",
    "mediator": "(choose a column)",
    "second_treatment": "(none)",
    "from_level": "(the tool chooses)",
    "to_level": "(the tool chooses)",
}


def make_fields(gr: Any) -> dict[str, Any]:
    """The fields, as they stand before any file is open."""
    shown = Form().shown

    def column(name: str, label: str, info: str, **settings: Any) -> Any:
        many = settings.get("multiselect", False)
        return gr.Dropdown(
            [] if many else [(NOTHING[name], "")],
            value=[] if many else "",
            label=label,
            info=info,
            visible=name in shown,
            elem_id=name,
            min_width=220,
            **settings,
        )

    fields: dict[str, Any] = {
        "task": gr.Radio(
            [(f"{name[0].upper()}{name[1:]} ({task})", task) for task, name in TASKS.items()],
            value="ATE",
            label="Task",
            elem_id="task",
        )
    }
    with gr.Row():
        fields["treatment"] = column("treatment", "Treatment", "the column that acts")
        fields["response"] = column("response", "Response", "the column acted upon")
    fields["mediator"] = column("mediator", "Mediator", "the column that the effect may run through")
    fields["second_treatment"] = column("second_treatment", "Second treatment", "a later decision; may be none")
    fields["nodes"] = column("nodes", "Nodes", "columns of the graph; none chosen means all", multiselect=True)
    fields["conditions"] = gr.Textbox(
        label="Conditions",
        info="joined by 'and', or one a line",
        placeholder="age >= 50 and region = north",
        lines=1,
        max_lines=6,
        visible="conditions" in shown,
        elem_id="conditions",
    )
    fields["own_covariates"] = gr.Checkbox(
        label="Choose what to adjust for (otherwise: every other usable column)",
        visible="own_covariates" in shown,
        elem_id="own_covariates",
    )
    fields["covariates"] = column("covariates", "Covariates", "none chosen means no adjustment", multiselect=True)
    with gr.Row():
        for name, label in zip(LEVELS, ("Compare from", "Compare to"), strict=True):
            info = "a level or amount of the treatment"
            fields[name] = column(name, label, info, allow_custom_value=True)
    fields["lower_is_better"] = gr.Checkbox(
        label="Less of the response is better (otherwise: more)",
        visible="lower_is_better" in shown,
        elem_id="lower_is_better",
    )
    return fields


def filled(form: Form, session: Session) -> list[Any]:
    """Updates that put the form's values into the fields, with the file's columns to choose from."""
    import gradio as gr

    updates = []
    columns = [(name, name) for name in session.columns]
    for name in FIELDS:
        value = getattr(form, name)
        settings: dict[str, Any] = {"value": list(value) if isinstance(value, tuple) else value}
        if name in COLUMN_FIELDS:
            settings["choices"] = columns if isinstance(value, tuple) else [(NOTHING[name], ""), *columns]
        elif name in LEVELS:
            settings["choices"] = levels_offered(name, session, form.treatment)
        updates.append(gr.update(**settings, visible=name in form.shown))
    return updates


def levels_offered(field: str, session: Session, treatment: str) -> list[tuple[str, str]]:
    """What may be chosen to compare: the treatment's levels where they are few, and nothing."""
    return [(NOTHING[field], ""), *((level, level) for level in treatment_levels(session, treatment))]


def as_form(sent: Any) -> Form:
    """The form's values as the page sends them."""
    given = dict(zip(FIELDS, sent, strict=True))
    values: dict[str, Any] = {name: given[name] or "" for name in FIELDS}
    values |= {name: tuple(given[name] or ()) for name in ("nodes", "covariates")}
    return Form(**{**values, **{name: bool(given[name]) for name in TICKED}})
