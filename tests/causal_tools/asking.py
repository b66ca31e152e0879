"""Short forms for the tests: a question in one line."""

from __future__ import annotations

from typing import Any

import pandas as pd

from causal_tools.contract import CausalQuery, CausalResult
from causal_tools.engine import answer


def ask(
    frame: pd.DataFrame,
    task: str,
    treatment: str = "t",
    response: str = "y",
    *,
    seed: int = 0,
    checks: bool = False,
    **fields: Any,
) -> Any:
    """The answer to a query given by its fields, without what tests it unless asked; typed loosely, as results differ by task."""
    query = CausalQuery.model_validate({"task": task, "treatment": treatment, "response": response, **fields})
    result: CausalResult = answer(query, frame, seed=seed, dataset="trial.csv", checks=checks)
    return result


def where(column: str, value: object, operator: str = "=") -> list[dict[str, object]]:
    """One condition."""
    return [{"column": column, "operator": operator, "value": value}]


def inside(value: float, interval: tuple[float, float] | None) -> bool:
    """Whether the interval covers the value."""
    return interval is not None and interval[0] <= value <= interval[1]
