"""Checks of SD-SCM data beyond independences: consistency of the worlds, and overlap of the arms."""

from __future__ import annotations

import pandas as pd

from sdscm.benchmark import DO
from validation.results import CheckResult


def check_consistency(frame: pd.DataFrame, treatment: str, outcome: str) -> CheckResult:
    """Under its factual treatment every unit must have its factual outcome (consistency)."""
    factual = frame[outcome].astype(str)
    lines = []
    for level, part in frame.groupby(frame[treatment].astype(str)):
        under = part[f"{outcome}{DO}{level}"].astype(str)
        lines.append((str(level), len(part), int((under != factual[part.index]).sum())))
    table = pd.DataFrame(lines, columns=[treatment, "units", "inconsistent"])
    broken = int(table["inconsistent"].sum())
    return CheckResult(
        "consistency",
        broken == 0,
        f"{broken} of {len(frame):,} units differ from themselves under their own treatment.",
        table,
    )


def check_positivity(tables: pd.DataFrame, treatment: str, least: float) -> CheckResult:
    """Every treatment level must have at least the given probability in every context that occurs.

    Args:
        tables: conditional tables (variable, context, level, probability).
        treatment: variable that is intervened on.
        least: smallest probability allowed.
    """
    part = tables[tables["variable"] == treatment]
    if part.empty:
        return CheckResult("positivity", False, f"the tables hold no law of {treatment!r}, so overlap cannot be told.")
    table = part.sort_values("probability")[["context", "level", "probability"]].reset_index(drop=True)
    low = table[table["probability"] < least]
    smallest, contexts = table["probability"].iloc[0], part["context"].nunique()
    text = f"smallest probability of a {treatment} level over {contexts} contexts: {smallest:.4f} (at least {least:g} is asked)."
    return CheckResult("positivity", low.empty, text, table.head(10))
