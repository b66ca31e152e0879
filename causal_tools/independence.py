"""Conditional independence tests for graph learning: which fits the columns, each result kept, each failure counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from causal_tools.errors import EstimationRefused
from causal_tools.graph_measure import CovarianceMeasure
from causal_tools.treatment import codes_of, is_numeric, ordered_levels

TestName = Literal["fisherz", "gsq", "kci", "measure"]
TEST_NAMES: dict[TestName, str] = {
    "fisherz": "Fisher-z tests",
    "gsq": "G-squared tests",
    "kci": "kernel (KCI) tests",
    "measure": "generalised covariance measure tests",
}
REGISTERED = "causalsmith_test"
MOST_CATEGORIES = 20
FEWEST_AMOUNTS = 5


@dataclass(frozen=True)
class NodeTable:
    """Columns of a graph as numbers.

    Attributes:
        matrix: (rows, nodes), codes for categories.
        categorical: (nodes,) whether the numbers are codes.
    """

    names: list[str]
    matrix: np.ndarray
    categorical: list[bool]

    def only(self, positions: Sequence[int]) -> NodeTable:
        """The same rows of some nodes."""
        return NodeTable(
            [self.names[position] for position in positions],
            self.matrix[:, positions],
            [self.categorical[position] for position in positions],
        )

    def rows(self, positions: np.ndarray) -> NodeTable:
        """Some rows of the same nodes."""
        return NodeTable(self.names, self.matrix[positions], self.categorical)


def node_table(rows: pd.DataFrame) -> NodeTable:
    """Texts, truth values and numbers of fewer than five values are categories; other numbers are amounts.

    Raises:
        EstimationRefused: a text column has too many levels to be a category.
    """
    columns, categorical = [], []
    for label in rows.columns:
        column = rows[label]
        if pd.api.types.is_datetime64_any_dtype(column):
            column = (column - column.min()).dt.total_seconds() / 86_400
        category = not is_numeric(column) or column.nunique() < FEWEST_AMOUNTS
        if category and column.nunique() > MOST_CATEGORIES:
            raise EstimationRefused(
                f"the node {label!r} has {column.nunique()} different texts; independence cannot be tested with "
                f"more than {MOST_CATEGORIES}. Group its levels, or leave it out of the nodes."
            )
        categorical.append(category)
        columns.append(
            codes_of(column, ordered_levels(column)).astype(float) if category else column.to_numpy(dtype=float)
        )
    return NodeTable([str(label) for label in rows.columns], np.column_stack(columns), categorical)


class IndependenceTest:
    """One test on one table: each question is computed once, and a test that fails decides nothing.

    Attributes:
        calls: how many tests were computed.
        failed: (first, second) positions of pairs, each with the number of its tests that could not be computed.
        answered: pairs with at least one test that could.
    """

    def __init__(self, table: NodeTable, name: TestName, most_given: int | None = None) -> None:
        """
        Args:
            most_given: at most so many columns are conditioned on; a question with more is not asked, and separates nothing.
        """
        self.table = table
        self.name = name
        self.most_given = most_given
        self.calls = 0
        self.failed: dict[tuple[int, int], int] = {}
        self.answered: set[tuple[int, int]] = set()
        self._known: dict[tuple[int, int, tuple[int, ...]], float] = {}
        self._compute = _computation(table, name)

    def p_value(self, first: int, second: int, given: Sequence[int]) -> float:
        """The p-value of independence given other columns; 0, so that no edge goes, where there is none."""
        if self.most_given is not None and len(given) > self.most_given:
            return 0.0
        pair = (min(first, second), max(first, second))
        key = (*pair, tuple(sorted(given)))
        if key not in self._known:
            self._known[key] = self._computed(*key)
        return self._known[key]

    def _computed(self, first: int, second: int, given: tuple[int, ...]) -> float:
        self.calls += 1
        try:
            with np.errstate(all="ignore"):
                p_value = float(self._compute(first, second, given))
        except (ValueError, ArithmeticError, np.linalg.LinAlgError):
            p_value = float("nan")
        if not np.isfinite(p_value):
            self.failed[first, second] = self.failed.get((first, second), 0) + 1
            return 0.0
        self.answered.add((first, second))
        return p_value


def _computation(table: NodeTable, name: TestName) -> Callable[[int, int, tuple[int, ...]], float]:
    if name == "measure":
        return CovarianceMeasure(table.matrix, table.categorical).p_value
    from causallearn.utils.cit import CIT

    matrix = table.matrix
    if name == "kci":
        # kernels of unit width want columns of unit spread
        matrix = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    with np.errstate(all="ignore"):
        tests = CIT(matrix, name)
    return lambda first, second, given: float(tests(first, second, given))


def register_test() -> str:
    """Make a test object usable by causal-learn's searches; returns the name, to be passed with ``tester=``."""
    from causallearn.utils.cit import CIT_Base, register_ci_test

    class Passed(CIT_Base):  # type: ignore[misc, unused-ignore]
        def __init__(self, data: np.ndarray, tester: IndependenceTest, **kwargs: Any) -> None:
            super().__init__(data, **kwargs)
            self.method = REGISTERED
            self.tester = tester

        def __deepcopy__(self, memo: dict[int, Any]) -> Passed:
            """The searches copy their graph, and with it the test; what it knows is to be shared."""
            return self

        def __call__(self, X: int, Y: int, condition_set: Any = None) -> float:
            given = () if condition_set is None else tuple(int(column) for column in condition_set)
            return self.tester.p_value(int(X), int(Y), given)

    register_ci_test(REGISTERED, Passed)
    return REGISTERED
