"""The report of a night: one static HTML page that needs nothing beside itself, and the index of all nights."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

TEMPLATES = Path(__file__).parent


@dataclass(frozen=True)
class Night:
    """What a night's page shows.

    Attributes:
        date: of the night.
        verdict: of the gate, as text; ``passed`` tells whether the challenger may be promoted.
        champion: what stands behind the alias now, and whether it was promoted tonight.
        changes: what differs from the night before: (what, before, now).
        gate, scores, fields, costs, published, failure_counts: tables.
        examples: of failures, by kind: lines with question, wanted and read.
        drift: what the control bands say.
        spending: what the hosted model was asked and cost tonight, in words.
        first: whether there is no night before.
        pictures: PNG by caption.
        digests: what the figures rest on, by name.
    """

    date: str
    passed: bool
    verdict: str
    champion: str
    changes: Sequence[tuple[str, str, str]]
    gate: pd.DataFrame
    scores: pd.DataFrame
    fields: pd.DataFrame
    costs: pd.DataFrame
    published: pd.DataFrame
    failure_counts: pd.DataFrame
    examples: Mapping[str, Sequence[Mapping[str, Any]]]
    drift: str
    in_control: bool
    spending: str
    first: bool = False
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


def night_page(night: Night) -> str:
    """The page as HTML; texts of questions and models are escaped."""
    pictures = {
        caption: f"data:image/png;base64,{base64.b64encode(png).decode()}" for caption, png in night.pictures.items()
    }
    page = _environment().get_template("night_page.html.jinja")
    return str(page.render(night=night, pictures=pictures, board=wide_board(night.scores)))


def wide_board(scores: pd.DataFrame) -> pd.DataFrame:
    """The scoreboard of all tasks with a line a system and a column a metric, as people read it.

    Args:
        scores: ``metric``, ``system``, ``task``, ``share``, ``low``, ``high``, ``right`` and ``questions``.
    """
    whole = scores[scores["task"] == "all"]
    cells = [f"{r.share:.3f} ({r.low:.2f} to {r.high:.2f}), {r.right} of {r.questions}" for r in whole.itertuples()]
    told = whole.assign(cell=cells).set_index(["system", "metric"])["cell"].unstack("metric")  # noqa: PD010
    order = list(dict.fromkeys(whole["metric"]))
    return told.loc[list(dict.fromkeys(whole["system"])), order].reset_index()


def index_page(nights: Sequence[Mapping[str, Any]]) -> str:
    """The list of all nights as HTML.

    Args:
        nights: newest first, each with ``date``, ``address`` (relative), ``passed``, ``in_control``, ``champion`` and
            ``exact`` (the challenger's share, or None).
    """
    return str(_environment().get_template("night_index.html.jinja").render(nights=nights))


def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    found.filters["cell"] = _cell
    return found


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
