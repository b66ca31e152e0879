"""From a query and a table to arrays: which rows, which comparison, which adjustment, and what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from causal_tools.contract import CausalQuery
from causal_tools.covariates import Covariates, encode_covariates, same_information
from causal_tools.errors import EstimationRefused, QueryError
from causal_tools.treatment import (
    Response,
    Treatment,
    levels_meant,
    native,
    rare_levels,
    read_response,
    read_treatment,
)

FEWEST_ROWS = 30
MOST_ROWS = 200_000  # more are drawn from: the interval is narrow by then, and an answer would take minutes
MOST_NAMED = 30


@dataclass(frozen=True)
class Prepared:
    """What an estimator needs: ``rows`` are the usable rows of the file, in its order."""

    rows: pd.DataFrame
    treatment: Treatment
    response: Response
    covariates: Covariates
    mediator: Response | None = None
    assumptions: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.rows)


def prepare(query: CausalQuery, frame: pd.DataFrame, *, as_actions: bool = False) -> Prepared:
    """Usable rows, treatment, response, mediator and covariates of a query whose columns are resolved.

    Rows without treatment, response, mediator or a conditioned column are dropped; gaps in covariates are filled with
    an indicator. With no covariates named, every other usable column is adjusted for.

    Raises:
        EstimationRefused: too few rows, nothing varies, or the treatment is the response.
        QueryError: a column cannot play its role.
    """
    if query.treatment is None or query.response is None:
        raise QueryError(f"task {query.task} needs a treatment and a response.")
    notes: list[str] = []
    needed = [
        query.treatment,
        query.response,
        *([query.mediator] if query.mediator else []),
        *(condition.column for condition in query.conditions),
    ]
    for label in dict.fromkeys(needed):
        if not _comparable(frame[label]):
            raise QueryError(f"the column {label!r} holds lists or objects. Give one value a row.")
    rows = _complete(frame, list(dict.fromkeys(needed)), notes)
    _enough(rows, needed, frame)
    rows = _drawn(rows, notes)
    rows = _without_rare_levels(rows, query, notes, as_actions)
    _refuse_blank_arm(frame[query.treatment])
    treatment = read_treatment(rows[query.treatment], notes, as_actions=as_actions, contrast=query.contrast)
    response = read_response(rows[query.response], "response", notes)
    mediator = read_response(rows[query.mediator], "mediator", notes) if query.mediator else None
    _distinct_roles(rows, query)
    if treatment.discrete:
        _enough_in_each_level(treatment)
    covariates, assumptions = _adjustment(rows, query, notes)
    return Prepared(rows, treatment, response, covariates, mediator, assumptions, notes)


def _complete(frame: pd.DataFrame, needed: list[str], notes: list[str]) -> pd.DataFrame:
    gaps = frame[needed].isna()
    for label in needed:
        if gaps[label].any():
            notes.append(f"{int(gaps[label].sum())} row(s) without a value of {label!r} were left out")
    return frame[~gaps.any(axis=1)].reset_index(drop=True)


def _refuse_blank_arm(treatment: pd.Series) -> None:
    """Stop where a treatment is ticked or blank: a blank may be an arm, or a value that nobody knows."""
    blank, levels = int(treatment.isna().sum()), treatment.dropna().unique()
    if blank and len(levels) == 1:
        raise EstimationRefused(
            f"the treatment {treatment.name!r} is {native(levels[0])!r} or blank, in {blank} row(s). If these were not treated, "
            "write so there: a blank is taken as not known."
        )


def _drawn(rows: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """At most so many rows as an answer can wait for, in their order; always the same ones."""
    if len(rows) <= MOST_ROWS:
        return rows
    notes.append(f"{MOST_ROWS} of the {len(rows)} usable rows, drawn at random, were used")
    chosen = np.sort(np.random.default_rng(MOST_ROWS).permutation(len(rows))[:MOST_ROWS])
    return rows.iloc[chosen].reset_index(drop=True)


def _enough(rows: pd.DataFrame, needed: list[str], frame: pd.DataFrame) -> None:
    if len(rows) < FEWEST_ROWS:
        columns = ", ".join(dict.fromkeys(needed))
        raise EstimationRefused(
            f"only {len(rows)} of {len(frame)} row(s) have values of {columns}; an honest interval "
            f"needs at least {FEWEST_ROWS}. Add rows, or fill in the missing values."
        )


def _without_rare_levels(rows: pd.DataFrame, query: CausalQuery, notes: list[str], as_actions: bool) -> pd.DataFrame:
    treatment = str(query.treatment)
    rare = rare_levels(rows[treatment], as_actions=as_actions or query.contrast is not None)
    if rare and query.contrast is not None:
        levels = [native(level) for level in rows[treatment].unique()]
        asked = [level for one in query.contrast for level in levels_meant(one, levels)]
        rare = [level for level in rare if level not in asked]  # refused where they are too rare, not left out
    if not rare or len(rare) == rows[treatment].nunique():
        return rows
    keep = ~rows[treatment].map(native).isin(rare)
    notes.append(
        f"{int((~keep).sum())} row(s) under rare levels of {treatment!r} were left out: "
        f"{', '.join(map(str, rare[:10]))}"
    )
    kept = rows[keep].reset_index(drop=True)
    _enough(kept, [treatment], rows)
    return kept


def _enough_in_each_level(treatment: Treatment) -> None:
    counts = np.bincount(treatment.data, minlength=len(treatment.levels))
    if counts.min() < 5:
        fewest = treatment.levels[int(np.argmin(counts))]
        raise EstimationRefused(
            f"only {counts.min()} row(s) have {treatment.name} = {fewest}; a comparison needs at least "
            "5. Add rows under that level, or pool it with another."
        )


def _distinct_roles(rows: pd.DataFrame, query: CausalQuery) -> None:
    pairs = [("treatment", query.treatment, "response", query.response)]
    if query.mediator:
        pairs += [
            ("treatment", query.treatment, "mediator", query.mediator),
            ("mediator", query.mediator, "response", query.response),
        ]
    for role, label, other_role, other in pairs:
        if same_information(rows[label], rows[other]):
            raise EstimationRefused(
                f"the {role} {label!r} and the {other_role} {other!r} carry the same values under two "
                f"names, so no effect between them can be learned. Choose another {other_role}."
            )


def _adjustment(rows: pd.DataFrame, query: CausalQuery, notes: list[str]) -> tuple[Covariates, list[str]]:
    taken = {query.treatment, query.response, query.mediator}
    conditioned = [condition.column for condition in query.conditions if condition.column not in taken]
    if query.covariates is not None:
        # an effect given a column is confounded like any other, so that column is adjusted for too
        columns = list(dict.fromkeys([*query.covariates, *conditioned]))
    else:
        columns = [str(label) for label in rows.columns if label not in taken]
    copies = {}
    for label in columns:
        for role in ("treatment", "response"):
            original = getattr(query, role)
            if label not in copies and _comparable(rows[label]) and same_information(rows[label], rows[original]):
                copies[label] = original
    if copies and query.covariates is not None:
        label, original = next(iter(copies.items()))
        raise EstimationRefused(
            f"the covariate {label!r} carries the same values as {original!r}; adjusting for it leaves "
            "nothing to compare. Leave it out of the covariates."
        )
    if copies:
        notes.append(
            "columns set aside: " + "; ".join(f"{label} (determines {original})" for label, original in copies.items())
        )
    columns = [label for label in columns if label not in copies]
    covariates = encode_covariates(rows, columns, notes, named=query.covariates is not None)
    return covariates, _stated(covariates.used, query)


def _comparable(column: pd.Series) -> bool:
    if not pd.api.types.is_object_dtype(column):
        return True
    return not column.map(lambda value: isinstance(value, (list, dict, set, np.ndarray))).any()


def _stated(used: list[str], query: CausalQuery) -> list[str]:
    if not used:
        return [f"nothing is adjusted for: {query.treatment} is taken to be as good as randomised"]
    listed = named(used)
    chosen = "as asked" if query.covariates is not None else "every other usable column of the file"
    return [
        f"adjusted for {listed} ({chosen}); all are assumed to be settled before {query.treatment}",
        f"given these, nothing unmeasured drives both {query.treatment} and {query.response}",
    ]


def named(columns: Sequence[str]) -> str:
    """Columns by name, as many as a sentence bears."""
    more = f" and {len(columns) - MOST_NAMED} more" if len(columns) > MOST_NAMED else ""
    return ", ".join(columns[:MOST_NAMED]) + more
