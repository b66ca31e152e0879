"""Does the data have every independence that the DAG implies? (the Markov property, tested on data)

Each statement gets a G² or chi-squared test (causal-learn), or a permutation test where cells are sparse. The family is
held by Benjamini-Yekutieli, which allows for dependent tests. NaN is a failed check, never a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from validation.power import POWER, detectable_nats, single_level
from validation.results import CheckResult
from validation.separations import Statement, Statements, choose_statements, implied_independences
from validation.strata import Test, degrees_of_freedom, is_sparse, permutation_p_value, tabulate

__all__ = ["Statement", "check_markov", "implied_independences", "independence_p_value"]

NAMES = {"gsq": "G²", "chisq": "χ²"}
_STREAM = 20241108


def check_markov(
    codes: pd.DataFrame,
    edges: Sequence[tuple[str, str]],
    *,
    false_discovery: float = 0.01,
    seed: int = 0,
    statements: Statements | None = None,
    test: Test = "gsq",
) -> CheckResult:
    """Test the independences that a graph implies on data.

    Args:
        codes: level indices, one column a variable, columns in topological order; unobserved variables too.
        edges: of the graph.
        false_discovery: expected share of false alarms among alarms. Where the graph is true every alarm is false, so that
            this also bounds the probability that a true graph fails.
        seed: of the permutations that stand in where cells are sparse.
        statements: ``every`` d-separation, or a ``basis`` with one statement a missing edge; by default every one, and the
            basis where there are more than 500.
        test: ``gsq`` or ``chisq``, from causal-learn.

    Returns:
        Passed where no independence is rejected and every test gave a number. The table has a line a statement, least
        probable first: the test, its p-value, whether it is rejected, and ``detectable_nats``, the conditional mutual
        information that is found with 80 % power at this number of rows where it is the only violation.

    Raises:
        TooManySeparations: every statement is asked for, and there are more than 500.
        ValueError: a column twice, an edge with an unknown end or against the order, or a rate that is not one of errors.
    """
    if not 0 < false_discovery <= 0.5:
        raise ValueError(f"false_discovery must be above 0 and at most 0.5; given {false_discovery}")
    family, called = choose_statements(list(codes.columns), edges, statements)
    if unfit := _unfit(codes):
        return CheckResult("markov", False, f"{unfit}, so no independence can be tested.")
    if not family:
        return CheckResult(
            "markov", True, "The graph is complete: it implies no independence, so there is nothing to test."
        )
    level = single_level(len(family), false_discovery)
    tests = _Tests(codes.to_numpy(dtype=np.int64), test, level, seed)
    place = {name: index for index, name in enumerate(codes.columns)}
    lines = []
    for statement in family:
        p_value, name, degrees = tests(
            place[statement.first], place[statement.second], [place[name] for name in statement.given]
        )
        lines.append((str(statement), name, p_value, detectable_nats(degrees, len(codes), level)))
    table = pd.DataFrame(lines, columns=["independence", "test", "p_value", "detectable_nats"])
    table["rejected"] = ~_not_rejected(table["p_value"].to_numpy(), false_discovery)
    table = table.sort_values("p_value", kind="stable", na_position="first", ignore_index=True)
    return CheckResult("markov", not table["rejected"].any(), _text(table, called, len(codes), false_discovery), table)


def independence_p_value(
    data: np.ndarray, seed: int = 0, *, test: Test = "gsq", smallest: float = 1 / 500
) -> tuple[float, str]:
    """p-value of "column 0 is independent of column 1 given the rest", and the test that gave it.

    Where one of the two takes one level only in every stratum (a constant, strata of one row, one row in all), no data
    could speak against independence: the p-value is 1, by the test "no variation".

    Args:
        data: (rows, 2 + conditions) level indices.
        seed: of the permutations.
        test: statistic, here and under permutation.
        smallest: p-value that permutations must be able to reach.
    """
    return _Tests(data, test, smallest, seed)(0, 1, list(range(2, data.shape[1])))[:2]


class _Tests:
    """Tests of one data set, with causal-learn's prepared once."""

    def __init__(self, data: np.ndarray, test: Test, smallest: float, seed: int) -> None:
        if test not in NAMES:
            raise ValueError(f"test {test!r} is none of {', '.join(NAMES)}")
        self._data, self._test, self._smallest = data, test, smallest
        self._random = np.random.default_rng([_STREAM, seed])
        self._asymptotic: Any = None

    def __call__(self, first: int, second: int, given: list[int]) -> tuple[float, str, int]:
        """p-value, name of the test, degrees of freedom; arguments are columns."""
        counts = tabulate(self._data[:, first], self._data[:, second], self._data[:, given])
        if not len(counts):
            return 1.0, "no variation", 0
        degrees = degrees_of_freedom(counts)
        if is_sparse(counts):
            return permutation_p_value(counts, self._test, self._smallest, self._random), "permutation", degrees
        if self._asymptotic is None:
            from causallearn.utils.cit import CIT

            self._asymptotic = CIT(self._data, self._test)
        return float(self._asymptotic(first, second, given)), NAMES[self._test], degrees


def _text(table: pd.DataFrame, called: str, rows: int, rate: float) -> str:
    undecided, rejected = int(table["p_value"].isna().sum()), int(table["rejected"].sum())
    text = f"Tested {called} on {rows:,} rows: {rejected} rejected at a false-discovery rate of {rate:g}"
    text += f", {undecided} of them because the test gave no number. " if undecided else ". "
    able = table.loc[np.isfinite(table["detectable_nats"])]
    if len(able):
        worst = able.loc[able["detectable_nats"].idxmax()]
        text += (
            f"A single violation is found with {POWER:.0%} power from {able['detectable_nats'].median():.2g} nats on (median; "
            f"worst {worst['detectable_nats']:.2g}, for {worst['independence']}). "
        )
    if still := len(table) - len(able):
        text += f"{still} cannot be tested, since nothing varies in their strata. "
    return text + f"A true graph fails with probability at most {rate:g}."


def _unfit(codes: pd.DataFrame) -> str:
    """Why the data cannot be tested, or nothing."""
    if codes.empty:
        return "There are no rows"
    for name, column in codes.items():
        numbers = pd.to_numeric(column, errors="coerce")
        if bad := int((~(numbers >= 0) | (numbers % 1 != 0)).sum()):
            return f"{bad} of {len(codes):,} rows of {name!r} hold no level index"
    return ""


def _not_rejected(p_values: np.ndarray, rate: float) -> np.ndarray:
    """Benjamini-Yekutieli at the given rate; NaN counts as rejected."""
    from statsmodels.stats.multitest import multipletests

    known = ~np.isnan(p_values)
    rejected = multipletests(np.where(known, p_values, 1), alpha=rate, method="fdr_by")[0]
    return np.asarray(known & ~rejected)
