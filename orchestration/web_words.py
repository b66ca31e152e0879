"""What the page says, as HTML: every text that comes from a file, a person or a model is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from causal_tools.assistant import Answer
from causal_tools.contract import CausalResult, EffectResult, GraphResult, MediationResult, PolicyResult
from causal_tools.data import DataTable
from causal_tools.summary import format_number
from orchestration.readings import as_days, cell, check_lines, examples, reading_line

PREVIEW_ROWS = 8
_PLACEHOLDERS = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})


def text(value: Any) -> str:
    """A value as HTML text; braces and dollar signs too, since the page's components would read them as templates."""
    return html.escape(str(value)).translate(_PLACEHOLDERS)


def number(value: Any) -> str:
    """A number of four digits, an interval, or a text, for a table's cell."""
    if isinstance(value, bool) or value is None:
        return text("" if value is None else value)
    if isinstance(value, int | float):
        return text(format_number(float(value)))
    if _is_interval(value):
        return f"{number(value[0])} to {number(value[1])}"
    if isinstance(value, Mapping):
        return ", ".join(f"{text(key)}: {number(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(number(item) for item in value)
    return text(value)


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table that scrolls sideways where it is wider than the page."""
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in header)
    body = "".join(f"<tr>{''.join(f'<td>{number(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def bullets(title: str, lines: Iterable[str]) -> str:
    """A titled list, or nothing."""
    items = "".join(f"<li>{text(line)}</li>" for line in lines)
    return f"<h3>{text(title)}</h3><ul>{items}</ul>" if items else ""


def trouble(message: str) -> str:
    """What went wrong and what would do; a file's name at the beginning stays as it is spelt."""
    word = message.split(" ", 1)[0]
    said = message if "." in word.rstrip(".") else message[:1].upper() + message[1:]
    return f'<div class="trouble" role="alert">{text(said)}</div>'


def status(message: str) -> str:
    """What is being done, or was."""
    return f'<div class="status" role="status">{text(message)}</div>' if message else ""


def about_table(data: DataTable) -> str:
    """Rows, columns with their kinds, notes of reading, and the first rows."""
    frame = data.frame
    rows = [
        (name, data.kinds.get(name, ""), int(frame[name].isna().sum()), examples(frame[name])) for name in frame.columns
    ]
    first = frame.head(PREVIEW_ROWS)
    preview = [[cell(value) for value in row] for row in zip(*(as_days(first[name]) for name in first), strict=True)]
    return (
        f"<p><strong>{text(data.name)}</strong>: {len(frame):,} rows, {len(frame.columns)} columns.</p>"
        + bullets("Notes of reading", data.notes)
        + table(["column", "read as", "missing", "such as"], rows)
        + f"<details open><summary>The first {len(first)} rows</summary>{table([str(name) for name in frame.columns], preview)}"
        + "</details>"
    )


def about_reading(confidence: Mapping[str, float], notes: Iterable[str], model: str) -> str:
    """Who read the question, how sure it was, and what it assumed."""
    sure = ", ".join(f"{text(slot)} {share:.0%}" for slot, share in confidence.items())
    return (
        f"<p>Read by {text(model)}. Check it, and change what is wrong.</p>"
        + (f'<p class="quiet">How sure the model was of each choice: {sure}.</p>' if sure else "")
        + bullets("Notes", notes)
    )


def about_answer(answer: Answer, model: str, remark: str = "") -> str:
    """The explanation with its author, the estimate, the method, warnings and assumptions."""
    result = answer.result
    warnings = list(dict.fromkeys([*([remark] if remark else []), *result.warnings, *answer.notes]))
    return (
        f'<p class="quiet">Answered: {text(reading_line(answer.query))}</p>'
        f'<p class="explanation">{text(answer.explanation)}</p><p class="quiet">{text(_worded_by(answer, model))}</p>'
        + _estimate(result)
        + _numbers(result)
        + f"<p><strong>Method:</strong> {text(result.method)}; {result.n_rows:,} rows.</p>"
        + bullets("Warnings", warnings)
        + bullets("Assumptions", result.assumptions)
        + bullets("Checks", check_lines(result))
    )


def about_diagnostics(diagnostics: Mapping[str, Any]) -> str:
    """Single values in one table, records and nested values in a table each."""
    single = {name: value for name, value in diagnostics.items() if not _is_nested(value)}
    parts = (
        [table(["diagnostic", "value"], [(_words(name), value) for name, value in single.items()])] if single else []
    )
    for name, value in diagnostics.items():
        if name not in single and value:
            parts.append(f"<h3>{text(_words(name))}</h3>{_nested(value)}")
    return "".join(parts) or "<p>This tool has none.</p>"


def _worded_by(answer: Answer, model: str) -> str:
    if answer.worded_by == "model":
        return f"Worded by the language model {model}; a program checked its numbers, names and directions against the result."
    if answer.wording is not None:
        faults = [f"it invented {fault}" for fault in answer.wording.invented]
        faults += [f"it left out {fault}" for fault in answer.wording.missing]
        more = f" and {len(faults) - 2} more" if len(faults) > 2 else ""
        return (
            f"Worded by the template. The wording of {model} is not shown, because {'; '.join(faults[:2])}{more}."
            if faults
            else "Worded by the template."
        )
    read = f" The question was read by {model}." if answer.reading.confidence else ""
    return f"Worded by the template, not by a language model.{read}"


def _estimate(result: CausalResult) -> str:
    query = result.query
    if isinstance(result, GraphResult):
        return f'<p class="estimate"><strong>{len(result.edges)}</strong> edge(s) found</p>'
    if isinstance(result, PolicyResult):
        what = f"mean {query.response} under the best action, {result.action}"
    elif isinstance(result, MediationResult):
        what = f"total effect of {query.treatment} on {query.response}"
    else:
        what = f"effect of {query.treatment} on {query.response}"
    if isinstance(result, EffectResult | MediationResult):
        what += f", {result.contrast[0]} → {result.contrast[1]}"
    if query.conditions:
        what += f", where {' and '.join(map(str, query.conditions))}"
    interval = f"95 % interval {number(result.interval)}" if result.interval else "no interval"
    return f'<p class="estimate"><strong>{number(result.estimate)}</strong> ({interval})<br>{text(what)}</p>'


def _numbers(result: CausalResult) -> str:
    if isinstance(result, GraphResult):
        shares = result.diagnostics.get("edge_frequencies", {})
        rows: list[Sequence[Any]] = [
            (edge.source, edge.mark, edge.target, shares.get(str(edge)), edge.weight) for edge in result.edges
        ]
        header = ["from", "edge", "to", "share of resamples", "weight"]
        if all(edge.weight is None for edge in result.edges):
            header, rows = header[:-1], [row[:-1] for row in rows]
        return table(header, rows) if rows else ""
    if isinstance(result, MediationResult):
        rows = [
            ("total", result.total, result.interval),
            (f"indirect, through {result.query.mediator}", result.indirect, result.indirect_interval),
            ("direct", result.direct, result.direct_interval),
        ]
        return table(["effect", "estimate", "95 % interval"], rows)
    if isinstance(result, PolicyResult):
        ends = result.diagnostics.get("action_intervals", {})
        rows = [(action, value, ends.get(action)) for action, value in result.values.items()]
        return table(["action", f"mean {result.query.response}", "95 % interval"], rows)
    return ""


def _is_interval(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(end, int | float) and not isinstance(end, bool) for end in value)
    )


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list | tuple) and not _is_interval(value))


def _nested(value: Any) -> str:
    if isinstance(value, Mapping):
        parts = list(value.values())
        if all(isinstance(part, Mapping) for part in parts):
            if all(list(part) == list(parts[0]) and not any(map(_is_nested, part.values())) for part in parts):
                rows = [(name, *part.values()) for name, part in value.items()]
                return table(["", *map(_words, parts[0])], rows)
            return "".join(f"<h4>{text(_words(name))}</h4>{_nested(part)}" for name, part in value.items())
        return table(["", "value"], list(value.items()))
    if value and all(isinstance(item, Mapping) for item in value):
        header = list(dict.fromkeys(key for item in value for key in item))
        return table([_words(key) for key in header], [[item.get(key) for key in header] for item in value])
    return f"<p>{number(value)}</p>"


def _words(name: str) -> str:
    return str(name).replace("_", " ")
