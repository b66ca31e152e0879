"""Checks of SD-SCM data beyond independences: what may differ between worlds, and overlap of the arms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sdscm.benchmark import DO
from sdscm.scenario import Scenario
from validation.results import CheckResult

CLOSE = 1e-12  # two floats this close, absolutely or relatively, are one outcome


def check_consistency(frame: pd.DataFrame, treatment: str, outcome: str) -> CheckResult:
    """Under its factual treatment every unit must have its factual outcome (consistency).

    Args:
        frame: factual columns, and one ``<outcome>__do_<level>`` a level of the treatment; outcomes are texts or numbers.
            A missing one is equal to nothing. Nor may a treatment be missing.
        treatment: variable that is intervened on.
        outcome: variable with a column a world.
    """
    if frame.empty:
        return CheckResult("consistency", False, "there are no units, so consistency cannot be told.")
    if unknown := int(frame[treatment].isna().sum()):  # a group of its own that no grouping shows
        text = f"{unknown} of {len(frame):,} units have no level of {treatment!r}, so consistency cannot be told."
        return CheckResult("consistency", False, text)
    lines = []
    for level, part in frame.groupby(frame[treatment].astype(str), observed=True):
        column = f"{outcome}{DO}{level}"
        if column not in frame:
            return CheckResult(
                "consistency", False, f"the data hold no column {column!r}, so consistency cannot be told."
            )
        lines.append((str(level), len(part), int(_differ(part[column], part[outcome]).sum())))
    table = pd.DataFrame(lines, columns=[treatment, "units", "inconsistent"])
    broken = int(table["inconsistent"].sum())
    return CheckResult(
        "consistency",
        broken == 0,
        f"{broken} of {len(frame):,} units differ from themselves under their own treatment.",
        table,
    )


def check_worlds(scenario: Scenario, factual: pd.DataFrame, other: pd.DataFrame, do: Mapping[str, str]) -> CheckResult:
    """Between the factual world and another of the same units, only what descends from the intervention may change.

    Also, what is intervened on must have the level it is set to, and a unit that had those levels must not change at all.

    Args:
        scenario: whose graph the data follow.
        factual: one column a variable, one row a unit.
        other: the same units, in the same rows, had ``do`` been so.
        do: level set, by variable.
    """
    if len(factual) != len(other) or factual.empty:
        text = f"{len(factual):,} units in one world and {len(other):,} in the other: the worlds cannot be compared."
        return CheckResult("worlds", False, text)
    descendants = scenario.descendants(set(do)) - set(do)
    already = np.ones(len(factual), dtype=bool)
    for name, level in do.items():
        already &= (factual[name].astype(str) == level).to_numpy()
    lines = []
    for name in scenario.names:
        changed = _differ(factual[name], other[name])
        if name in do:
            kind, broken = "set", (other[name].astype(str) != do[name]).to_numpy()
        elif name in descendants:
            kind, broken = "descendant", changed & already
        else:
            kind, broken = "not a descendant", changed
        lines.append((name, kind, int(changed.sum()), int(broken.sum())))
    table = pd.DataFrame(lines, columns=["variable", "kind", "changed", "wrong"])
    wrong = int(table["wrong"].sum())
    where = ", ".join(table.loc[table["wrong"] > 0, "variable"])
    setting = ", ".join(f"{name} = {level}" for name, level in do.items())
    text = f"{len(factual):,} units in the world of {setting}: {wrong} values are wrong"
    text += f", in {where}." if wrong else "."
    return CheckResult("worlds", wrong == 0, text, table)


def check_positivity(
    tables: pd.DataFrame, treatment: str, least: float, drawn: Mapping[str, float] | None = None
) -> CheckResult:
    """Every treatment level must have at least the given probability in every context that occurs.

    Args:
        tables: conditional tables (variable, context, level, probability).
        treatment: variable that is intervened on.
        least: smallest probability allowed.
        drawn: probabilities of a treatment that is drawn at random by a law of its own, and so in no table.
    """
    part = tables[tables["variable"] == treatment]
    if drawn:
        part = pd.DataFrame({"context": "", "level": list(drawn), "probability": list(drawn.values())})
    if part.empty:
        return CheckResult("positivity", False, f"the tables hold no law of {treatment!r}, so overlap cannot be told.")
    table = part.sort_values("probability")[["context", "level", "probability"]].reset_index(drop=True)
    low = table[~(table["probability"] >= least)]
    smallest, contexts = table["probability"].iloc[0], part["context"].nunique()
    text = f"smallest probability of a {treatment} level over {contexts} contexts: {smallest:.4f} (at least {least:g} is asked)."
    return CheckResult("positivity", low.empty, text, table.head(10))


def _differ(first: pd.Series, second: pd.Series) -> np.ndarray:
    """(rows,) whether two columns, numbers or texts, differ row by row; a missing value is equal to nothing."""
    if pd.api.types.is_numeric_dtype(first) and pd.api.types.is_numeric_dtype(second):
        return ~np.isclose(first.to_numpy(dtype=float), second.to_numpy(dtype=float), rtol=CLOSE, atol=CLOSE)
    missing = first.isna().to_numpy() | second.isna().to_numpy()
    return missing | (first.astype(str).to_numpy() != second.astype(str).to_numpy())
