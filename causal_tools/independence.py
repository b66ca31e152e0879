"""One conditional independence test on one table: each question computed once, each failure counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from causal_tools.covariance_measure import CovarianceMeasure
from causal_tools.graph_rows import NodeTable

TestName = Literal["fisherz", "gsq", "kci", "measure"]
TEST_NAMES: dict[TestName, str] = {
    "fisherz": "Fisher-z tests",
    "gsq": "G-squared tests",
    "kci": "kernel (KCI) tests",
    "measure": "generalised covariance measure tests",
}
REGISTERED = "causalsmith_test"
# about what one test takes: at least, and a row (KCI's by the cube of the rows, at its most rows). Reckoned and not measured
# while it runs, so that the answer is the same on every machine.
OVERHEAD = 3e-4
SECONDS_A_ROW: dict[TestName, float] = {"fisherz": 0.0, "gsq": 3e-8, "kci": 3e-4, "measure": 4.5e-7}
SECONDS_A_ROW_WITH_CATEGORIES = 7e-7


class IndependenceTest:
    """One test on one table: each question is computed once, and a test that fails decides nothing.

    Attributes:
        calls: how many tests were computed.
        failed: (first, second) positions of pairs, each with the number of its tests that could not be computed.
        answered: pairs with at least one test that could.
        seconds: about what one test takes.
        most_given: at most so many columns are conditioned on; a question with more is not asked, and separates nothing.
    """

    def __init__(self, table: NodeTable, name: TestName, most_given: int | None = None) -> None:
        self.table = table
        self.name = name
        self.most_given = most_given
        self.calls = 0
        self.failed: dict[tuple[int, int], int] = {}
        self.answered: set[tuple[int, int]] = set()
        slow = name == "measure" and any(table.categorical)
        each = SECONDS_A_ROW_WITH_CATEGORIES if slow else SECONDS_A_ROW[name]
        self.seconds = OVERHEAD + len(table.matrix) * each
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
