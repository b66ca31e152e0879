"""Two decisions in a file of one row a unit: what was known before each, by the order of the columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from causal_tools.contract import CausalQuery
from causal_tools.covariates import Covariates, encode_covariates, independent_features, same_information
from causal_tools.errors import EstimationRefused, QueryError
from causal_tools.nuisance import one_hot
from causal_tools.preparation import FEWEST_ROWS, Prepared
from causal_tools.treatment import Treatment, read_response, read_treatment

FEWEST_IN_COMBINATION = 20


@dataclass(frozen=True)
class Stages:
    """Both decisions on the same rows.

    Attributes:
        query: with the second treatment named as in the file.
        first: the first decision and what was known before it.
        second: the second; its covariates hold the first action and its products with the others as well.
        between: the columns that were used only for the second.
    """

    query: CausalQuery
    first: Prepared
    second: Prepared
    between: list[str]
    assumptions: list[str]
    notes: list[str]

    @property
    def about_second(self) -> bool:
        """Whether the conditions hold a column that is known only before the second decision."""
        return any(condition.column in self.between for condition in self.query.conditions)


def prepare_stages(query: CausalQuery, frame: pd.DataFrame) -> Stages:
    """Rows, actions and histories of both decisions.

    Raises:
        EstimationRefused: an action is constant, two roles carry the same values, or a pair of actions is too rare.
        QueryError: the columns stand in the wrong order, or one cannot play its role.
    """
    _check_second(query)
    first, second, response = str(query.treatment), str(query.second_treatment), str(query.response)
    before, between = _known(query, list(map(str, frame.columns)))
    notes: list[str] = []
    needed = list(dict.fromkeys([first, second, response, *(condition.column for condition in query.conditions)]))
    complete = frame[needed].notna().all(axis=1)
    if not complete.all():
        notes.append(f"{int((~complete).sum())} row(s) without a value of {', '.join(needed)} were left out")
    rows = frame[complete].reset_index(drop=True)
    if len(rows) < FEWEST_ROWS:
        raise EstimationRefused(
            f"only {len(rows)} of {len(frame)} row(s) have values of {', '.join(needed)}; two stages need at least "
            f"{FEWEST_ROWS}. Add rows, or fill in the missing values."
        )
    for one, other in ((first, second), (first, response), (second, response)):
        if same_information(rows[one], rows[other]):
            raise EstimationRefused(
                f"{one!r} and {other!r} carry the same values under two names, so their effects cannot be told "
                "apart. Choose another column."
            )
    treatments = [read_treatment(rows[label], notes, as_actions=True) for label in (first, second)]
    outcome = read_response(rows[response], "response", notes)
    _enough_in_each_pair(*treatments)
    early = _encoded(rows, before, query, notes)
    late = _encoded(rows, between, query, notes)
    history = _history(early, late, treatments[0])
    return Stages(
        query,
        Prepared(rows, treatments[0], outcome, early),
        Prepared(rows, treatments[1], outcome, history),
        between,
        _stated(query, early.used, late.used),
        notes,
    )


def _check_second(query: CausalQuery) -> None:
    if any(condition.column == query.second_treatment for condition in query.conditions):
        raise QueryError(
            f"{query.second_treatment!r} is the second treatment: it cannot be in a condition. Restrict a column that is "
            "known before it."
        )


def _known(query: CausalQuery, columns: list[str]) -> tuple[list[str], list[str]]:
    """The columns known before the first decision, and those known only before the second."""
    first, second = columns.index(str(query.treatment)), columns.index(str(query.second_treatment))
    if second < first:
        raise QueryError(
            f"the second treatment {query.second_treatment!r} stands before the first, {query.treatment!r}, in the "
            "file. Columns must stand in the order of time: put it after the first, or exchange the two in the query."
        )
    asked = [condition.column for condition in query.conditions]
    late = [label for label in (*(query.covariates or ()), *asked) if columns.index(label) > second]
    if late:
        raise QueryError(
            f"the column {late[0]!r} stands after the second treatment {query.second_treatment!r} in the file, so it "
            "is not known when either action is chosen. Leave it out, or put it where it belongs in time."
        )
    chosen = set(columns) if query.covariates is None else {*query.covariates, *asked}
    chosen.discard(str(query.response))
    return (
        [label for label in columns[:first] if label in chosen],
        [label for label in columns[first + 1 : second] if label in chosen],
    )


def _enough_in_each_pair(first: Treatment, second: Treatment) -> None:
    shape = len(first.levels), len(second.levels)
    counts = np.bincount(first.data * shape[1] + second.data, minlength=shape[0] * shape[1]).reshape(shape)
    if counts.min() < FEWEST_IN_COMBINATION:
        one, other = np.unravel_index(int(counts.argmin()), shape)
        raise EstimationRefused(
            f"only {counts.min()} row(s) have {first.name} = {first.levels[one]} and {second.name} = "
            f"{second.levels[other]}; each pair of actions needs at least {FEWEST_IN_COMBINATION}. Add rows, or pool "
            "actions."
        )


def _encoded(rows: pd.DataFrame, columns: list[str], query: CausalQuery, notes: list[str]) -> Covariates:
    roles = (str(query.treatment), str(query.second_treatment), str(query.response))
    copies = {
        label: role
        for label in columns
        for role in roles
        if _plain(rows[label]) and same_information(rows[label], rows[role])
    }
    if copies and query.covariates is not None:
        label, role = next(iter(copies.items()))
        raise EstimationRefused(
            f"the covariate {label!r} carries the same values as {role!r}; adjusting for it leaves nothing to "
            "compare. Leave it out of the covariates."
        )
    if copies:
        said = "; ".join(f"{label} (determines {role})" for label, role in copies.items())
        notes.append(f"columns set aside: {said}")
    kept = [label for label in columns if label not in copies]
    return encode_covariates(rows, kept, notes, named=query.covariates is not None)


def _plain(column: pd.Series) -> bool:
    return not column.map(lambda value: isinstance(value, (list, dict, set, np.ndarray))).any()


def _history(early: Covariates, late: Covariates, first: Treatment) -> Covariates:
    """What is known before the second decision: both sets of columns, the first action, and its products with them."""
    indicators = one_hot(first.data, len(first.levels))
    actions = [f"{first.name} = {level}" for level in first.levels[1:]]
    known = np.column_stack([early.matrix, late.matrix])
    names = [*early.names, *late.names]
    products = (indicators[:, :, None] * known[:, None, :]).reshape(len(known), -1)
    matrix = np.column_stack([known, indicators, products])
    labels = [*names, *actions, *(f"{action} × {name}" for action in actions for name in names)]
    keep = independent_features(matrix)
    return Covariates(matrix[:, keep], [labels[position] for position in keep], [*early.used, first.name, *late.used])


def _stated(query: CausalQuery, early: list[str], late: list[str]) -> list[str]:
    first, second = query.treatment, query.second_treatment
    rule = "among the covariates named" if query.covariates is not None else "every usable column"
    return [
        f"the file's columns stand in the order of time: those left of {first} are known before it, those between "
        f"{first} and {second} before {second}, and {query.response} is settled after both",
        f"adjusted for {', '.join(early) or 'nothing'} at {first}, and for these, {first} and "
        f"{', '.join(late) or 'nothing more'} at {second} ({rule})",
        f"given these, nothing unmeasured drives {first} or {second} and {query.response}",
    ]
