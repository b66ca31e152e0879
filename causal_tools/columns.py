"""Names in a question against names in a file: only spelling is forgiven, nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from pydantic import ValidationError

from causal_tools.contract import CausalQuery
from causal_tools.errors import ColumnNotFound, QueryError

CLOSE_ENOUGH = 65.0
MOST_LISTED = 20


def resolve_column(name: str, columns: Sequence[str], dataset: str = "the data") -> str:
    """The column that ``name`` means: the same text, or the same but for case, separators or a plural ending.

    Raises:
        ColumnNotFound: no column fits, or several do.
    """
    if name in columns:
        return name
    for reduce in (_letters, _singular):
        wanted = reduce(name)
        fitting = [column for column in columns if wanted and reduce(column) == wanted]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise ColumnNotFound(
                f"column {name!r} is ambiguous in {dataset}: it may be "
                f"{' or '.join(map(repr, fitting))}. Write the name as it stands in the file."
            )
    raise ColumnNotFound(_not_found(name, columns, dataset))


def _letters(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _singular(name: str) -> str:
    letters = _letters(name)
    if len(letters) > 4 and letters.endswith("ies"):
        return letters[:-3] + "y"
    if len(letters) > 4 and letters.endswith(("ches", "shes", "xes", "sses")):
        return letters[:-2]
    if len(letters) > 3 and letters.endswith("s") and not letters.endswith(("ss", "us", "is")):
        return letters[:-1]
    return letters


def _not_found(name: str, columns: Sequence[str], dataset: str) -> str:
    from rapidfuzz import fuzz, process

    listed = ", ".join(columns[:MOST_LISTED])
    more = f" and {len(columns) - MOST_LISTED} more" if len(columns) > MOST_LISTED else ""
    message = f"no column {name!r} in {dataset}. It has: {listed}{more}."
    by_letters = {column: _letters(column) for column in columns}
    close = process.extractOne(_letters(name), by_letters, scorer=fuzz.WRatio, score_cutoff=CLOSE_ENOUGH)
    return f"{message} Did you mean {close[2]!r}?" if close else message


def resolve_query(query: CausalQuery, frame: pd.DataFrame, dataset: str | None = None) -> CausalQuery:
    """The query with every column named as in the frame.

    Raises:
        ColumnNotFound: a name fits no column, or several.
        QueryError: two of the names mean one column, or a condition restricts the treatment or the response.
    """
    columns = [str(label) for label in frame.columns]
    where = dataset or query.dataset or "the data"

    def found(name: str) -> str:
        return resolve_column(name, columns, where)

    fields = query.model_dump()
    for role in ("treatment", "second_treatment", "response", "mediator"):
        if fields[role]:
            fields[role] = found(fields[role])
    if isinstance(query.nodes, tuple):
        fields["nodes"] = tuple(found(node) for node in query.nodes)
    if query.covariates is not None:
        fields["covariates"] = tuple(found(covariate) for covariate in query.covariates)
    fields["conditions"] = [
        {**condition.model_dump(), "column": found(condition.column)} for condition in query.conditions
    ]
    try:
        resolved = CausalQuery.model_validate(fields)
    except ValidationError as error:
        raise QueryError(
            f"the query's columns, as found in {where}, do not fit together: "
            f"{error.errors()[0]['msg'].removeprefix('Value error, ')}."
        ) from error
    for condition in resolved.conditions:
        if condition.column in (resolved.treatment, resolved.response):
            role = "treatment" if condition.column == resolved.treatment else "response"
            raise QueryError(
                f"the condition {condition} restricts the {role} itself. Conditions describe units before "
                "they are treated: restrict another column, or ask for the average effect."
            )
    return resolved
