"""Conditions as a person writes them, such as ``age >= 50`` or ``city in {London, "Paris, France"}``: written and read back.

A value stands as it is, or in quotes (a quote within is doubled): a level with a comma needs them in a list, and a text that
looks like a number everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from causal_tools.columns import resolve_column
from causal_tools.contract import Condition, Operator, Scalar
from causal_tools.errors import ColumnNotFound, QueryError

_OPERATORS: dict[str, Operator] = {one: one for one in get_args(Operator)}
_OPERATORS |= {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}
_OPERATOR = re.compile(r"\s*(<=|>=|<>|!=|==|=|<|>|≠|≤|≥)|\s+(in)\b", re.IGNORECASE)
_QUOTED = r"\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'"
_QUOTED_VALUE = re.compile(_QUOTED)
_PIECE = re.compile(rf"\s*({_QUOTED}|[^,]*?)\s*(?:,|\Z)")
_VALUE_IN_QUOTES = re.compile(r"(?:[=<>≠≤≥,{(\[]|\b[iI][nN]\s)\s*(" + _QUOTED + r")(?=[\s,})\]]|\Z)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_GROUPED = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?!\d)", re.ASCII)
_NEEDS_QUOTES = re.compile(r"^$|^[\s'({\[]|\s$|[^\S ]|[,\"=<>≠≤≥]|\band\s.*\sin\b", re.IGNORECASE)
LONGEST_WHOLE = 300  # figures; more would be read as infinite, and refused where it is compared
_BRACKETS = {"{": "}", "(": ")", "[": "]"}


@dataclass(frozen=True)
class Start:
    """How a condition starts.

    Attributes:
        named: the column as the condition names it.
        column: the file's column that it means.
        end: where the value starts.
    """

    named: str
    column: str
    operator: Operator
    end: int


def condition_text(condition: Condition) -> str:
    """A condition as :func:`read_condition` reads it back, with quotes where a value needs them."""
    values = [_value_text(value) for value in condition.all_values]
    shown = "{" + ", ".join(values) + "}" if condition.operator == "in" else values[0]
    return f"{condition.column} {condition.operator} {shown}"


def read_condition(
    text: str, columns: Sequence[str], levels: Mapping[str, Sequence[Scalar]] | None = None
) -> Condition:
    """Read a condition.

    Args:
        text: column, operator, value; ``==``, ``<>``, ``≠``, ``≤`` and ``≥`` will do too.
        columns: of the file; the longest that the text starts with is meant, else one that differs in case or separators. An
            abbreviation or a misspelling of one stays as it is, for :func:`causal_tools.columns.resolve_query` to tell.
        levels: of columns that have few, so that a value keeps its type.

    Raises:
        QueryError: the text does not start with a column, or no operator and value follow.
    """
    line = text.strip()
    start = condition_start(line, columns)
    rest = line[start.end :].strip() if start is not None else ""
    if start is None or not rest:
        raise QueryError(f"condition {text!r} {_unreadable(line, columns)}")
    known = (levels or {}).get(start.column, ())
    try:
        value = _several(rest, known) if start.operator == "in" else _one(rest, known, start.operator)
    except QueryError as error:
        raise QueryError(f"condition {text!r}: {error}") from None
    return Condition(column=start.named, operator=start.operator, value=value)


def condition_start(line: str, columns: Sequence[str]) -> Start | None:
    """The column and the operator that a text starts with; None where it starts with none."""
    for column in sorted(columns, key=len, reverse=True):
        match = _OPERATOR.match(line, len(column)) if line.startswith(column) else None
        if match:
            return Start(column, column, _operator(match), match.end())
    matches = list(_OPERATOR.finditer(line))[::-1]
    for forgiving in (False, True):
        for match in matches:
            head = line[: match.start()].strip()
            if (meant := _column(head, columns, forgiving)) is not None:
                return Start(head if forgiving else meant, meant, _operator(match), match.end())
    return None


def _column(head: str, columns: Sequence[str], forgiving: bool) -> str | None:
    """The column that a name means, if any; abbreviated or misspelt only where that is forgiven."""
    try:
        return resolve_column(head, columns, notes=[] if forgiving else None)
    except ColumnNotFound:
        return None


def without_quoted(text: str) -> str:
    """The text with every value in quotes blanked, so that what stands within is not taken for more of a condition."""
    return _VALUE_IN_QUOTES.sub(lambda match: match[0][: -len(match[1])] + "_" * len(match[1]), text)


def typed(text: str, levels: Sequence[Scalar] = ()) -> Scalar:
    """A value as the column has it: one of its levels where the text is one, else a number where it is one, else the text."""
    text = text.strip()
    known = {str(level): level for level in levels}
    if text in known:
        return known[text]
    if _THOUSANDS.fullmatch(text):
        return typed(text.replace(",", ""), levels)
    if not _NUMBER.fullmatch(text):
        return text
    return int(text) if text.lstrip("+-").isdecimal() and len(text) < LONGEST_WHOLE else float(text)


def _operator(match: re.Match[str]) -> Operator:
    return _OPERATORS[match.group(1) or "in"]


def _unreadable(line: str, columns: Sequence[str]) -> str:
    """Why a text is no condition: its column is none of the file's, else its form."""
    match = _OPERATOR.search(line)
    head = line[: match.start()].strip() if match else ""
    try:
        if head:
            resolve_column(head, columns, notes=[])
    except ColumnNotFound as error:
        return f"cannot be read: {error}"
    return f"must read 'column operator value' with a column of: {', '.join(columns)}"


def _value_text(value: Scalar) -> str:
    plain = str(value)
    if not isinstance(value, str) or not (_NEEDS_QUOTES.search(plain) or _NUMBER.fullmatch(plain)):
        return plain
    return '"' + plain.replace('"', '""') + '"'


def _one(text: str, levels: Sequence[Scalar], operator: str) -> Scalar:
    known = {str(level): level for level in levels}
    if _QUOTED_VALUE.fullmatch(text):
        content = _unquoted(text)
        return known.get(content, known.get(text, content))
    if text in known:
        return known[text]
    if (inner := _within_brackets(text)) is not None:
        return _one(inner, levels, operator)
    if "," in text and not _THOUSANDS.fullmatch(text):
        raise QueryError(
            f"operator {operator!r} takes one value: 'in' takes several; a value with a comma goes in quotes, and a number is "
            "written without, such as 1000 or 0.5"
        )
    return typed(text, levels)


def _several(text: str, levels: Sequence[Scalar]) -> tuple[Scalar, ...]:
    """The values of a list; neighbours that are a level only together, such as Paris, France, are one."""
    known = {str(level): level for level in levels}
    inner = _within_brackets(text)
    for listed in [text] if inner is None else [inner, text]:
        if found := _all_known(_pieces(listed), listed, known):
            return tuple(found)
    listed = text if inner is None else inner
    numbers = _GROUPED.findall(_QUOTED_VALUE.sub('""', listed))
    if any(",0" in number for number in numbers) or (numbers and ", " in listed):
        raise QueryError(
            "a comma parts the values of a list: write a number without, such as 1000, and a text with one in quotes"
        )
    pieces = [piece for piece in _pieces(listed) if piece.group(1)]
    if not pieces:
        raise QueryError("operator 'in' takes at least one value")
    return tuple(_one(piece.group(1), levels, "in") for piece in pieces)


def _pieces(text: str) -> list[re.Match[str]]:
    found = list(_PIECE.finditer(text))
    return found if text.endswith(",") else found[:-1]  # the last match is the empty end


def _all_known(pieces: list[re.Match[str]], text: str, known: Mapping[str, Scalar]) -> list[Scalar] | None:
    """The levels that the pieces are, one by one or joined; None where some are none."""
    for size, last in enumerate(pieces, 1):
        said = text[pieces[0].start(1) : last.end(1)]
        level = _unquoted(said) if _QUOTED_VALUE.fullmatch(said) and _unquoted(said) in known else said
        if level in known and (rest := _all_known(pieces[size:], text, known)) is not None:
            return [known[level], *rest]
    return None if any(piece.group(1) for piece in pieces) else []


def _within_brackets(text: str) -> str | None:
    return text[1:-1].strip() if len(text) > 1 and _BRACKETS.get(text[0]) == text[-1] else None


def _unquoted(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])
