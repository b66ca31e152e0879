"""Does the data have every independence that the DAG implies? (the local Markov property, tested on data and on tables)

A missing edge i → j says that j is independent of i given j's parents. Each such statement gets a G² test (causal-learn);
the family is held by Benjamini-Yekutieli, which allows for dependent tests. NaN is a failed check, never a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from validation.results import CheckResult

SMALLEST_EXPECTED = 5.0  # average expected count a cell below which the chi-squared law of G² is not to be trusted
PERMUTATIONS = 499
_STREAM = 20241108


@dataclass(frozen=True)
class Statement:
    """``first`` is independent of ``second`` given ``given``, if the graph is right."""

    first: str
    second: str
    given: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.first} ⫫ {self.second}" + (f" | {', '.join(self.given)}" if self.given else "")


def implied_independences(order: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[Statement]:
    """One statement a missing edge: the later variable against the earlier one, given the later one's parents.

    Together they imply every d-separation of the graph (the ordered local Markov property).
    """
    statements = []
    for place, later in enumerate(order):
        parents = tuple(source for source, target in edges if target == later)
        statements += [Statement(later, earlier, parents) for earlier in order[:place] if earlier not in parents]
    return statements


def check_markov(
    codes: pd.DataFrame, edges: Sequence[tuple[str, str]], *, false_discovery: float = 0.01, seed: int = 0
) -> CheckResult:
    """Test every implied independence on data.

    Args:
        codes: level indices, one column a variable, columns in topological order.
        edges: of the graph.
        false_discovery: expected share of false alarms among alarms; a true graph fails with at most this probability.
        seed: of the permutations that stand in where cells are sparse.

    Returns:
        Passed where no independence is rejected and none is undecidable; the table has a line a statement.
    """
    statements = implied_independences(list(codes.columns), edges)
    data = codes.to_numpy(dtype=int)
    place = {name: index for index, name in enumerate(codes.columns)}
    lines = []
    for number, statement in enumerate(statements):
        columns = [place[statement.first], place[statement.second], *(place[name] for name in statement.given)]
        p_value, test = independence_p_value(data[:, columns], seed=seed + number)
        lines.append((str(statement), test, p_value))
    table = pd.DataFrame(lines, columns=["independence", "test", "p_value"])
    if table.empty:
        return CheckResult(
            "markov", True, "The graph is complete: it implies no independence, so there is nothing to test.", table
        )
    table["rejected"] = ~_not_rejected(table["p_value"].to_numpy(), false_discovery)
    undecided = int(table["p_value"].isna().sum())
    rejected = int(table["rejected"].sum())
    text = (
        f"{len(table)} independences implied by the graph, {len(codes):,} rows: {rejected} rejected at a false-discovery rate of "
        f"{false_discovery:g}" + (f", {undecided} of them because the test gave no number" if undecided else "") + "."
    )
    return CheckResult("markov", rejected == 0, text, table)


def independence_p_value(data: np.ndarray, seed: int = 0) -> tuple[float, str]:
    """p-value of "column 0 is independent of column 1 given the rest", and the test that gave it.

    G² where cells are full enough on average, else a permutation of column 0 within the strata of the rest.

    Args:
        data: (rows, 2 + conditions) level indices.
        seed: of the permutations.
    """
    strata = (
        np.unique(data[:, 2:], axis=0, return_inverse=True)[1].reshape(-1)
        if data.shape[1] > 2
        else np.zeros(len(data), int)
    )
    cells = len(np.unique(data[:, 0])) * len(np.unique(data[:, 1])) * (strata.max() + 1)
    if len(data) / cells >= SMALLEST_EXPECTED:
        from causallearn.utils.cit import CIT

        return float(CIT(data, "gsq")(0, 1, list(range(2, data.shape[1])))), "G²"
    return _permutation_p_value(data[:, 0], data[:, 1], strata, np.random.default_rng([_STREAM, seed])), "permutation"


def _permutation_p_value(
    first: np.ndarray, second: np.ndarray, strata: np.ndarray, random: np.random.Generator
) -> float:
    order = np.argsort(strata, kind="stable")
    first, second, strata = first[order], second[order], strata[order]
    statistic = _g_squared_of(second, strata)
    observed = statistic(first)
    exceed = sum(
        statistic(first[np.lexsort((random.random(len(first)), strata))]) >= observed - 1e-9
        for _ in range(PERMUTATIONS)
    )
    return (1 + exceed) / (1 + PERMUTATIONS)


def _g_squared_of(second: np.ndarray, strata: np.ndarray) -> Callable[[np.ndarray], float]:
    """G² over strata as a function of the first column, up to terms that permuting it within strata does not change."""
    cells = np.unique(np.column_stack([strata, second]), axis=0, return_inverse=True)[1].reshape(-1)

    def statistic(first: np.ndarray) -> float:
        counts = np.bincount(cells * (first.max() + 1) + first).astype(float)
        counts = counts[counts > 0]
        return float(2 * (counts * np.log(counts)).sum())

    return statistic


def _not_rejected(p_values: np.ndarray, rate: float) -> np.ndarray:
    """Benjamini-Yekutieli at the given rate; NaN counts as rejected."""
    from statsmodels.stats.multitest import multipletests

    known = ~np.isnan(p_values)
    kept = np.zeros(len(p_values), dtype=bool)
    if known.any():
        kept[known] = ~multipletests(p_values[known], alpha=rate, method="fdr_by")[0]
    return kept
