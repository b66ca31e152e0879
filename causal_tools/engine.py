"""One door to the five tools: a query and a table in, a result with its evidence out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from causal_tools.columns import resolve_query
from causal_tools.contract import CausalQuery, CausalResult, Task
from causal_tools.data import DataTable, tidy
from causal_tools.effects import average_effect, subgroup_effect
from causal_tools.errors import EstimationRefused, QueryError
from causal_tools.graph import learn_graph
from causal_tools.mediation import mediate
from causal_tools.policy import best_action
from causal_tools.repeated_units import said_of_repeats
from causal_tools.summary import summarise

TOOLS: dict[Task, Callable[[CausalQuery, pd.DataFrame, int, bool], CausalResult]] = {
    "CGL": learn_graph,
    "ATE": average_effect,
    "HTE": subgroup_effect,
    "MA": mediate,
    "OPO": best_action,
}


def answer(
    query: CausalQuery,
    frame: pd.DataFrame | DataTable,
    *,
    seed: int = 0,
    dataset: str | None = None,
    checks: bool = True,
) -> CausalResult:
    """Run the tool that the query asks for; the same seed gives the same answer.

    Args:
        query: what is asked; columns may differ from the file's in case and separators, or be abbreviated or misspelt where only
            one column fits, which is then said.
        frame: the data, or a table from :func:`causal_tools.data.read_table`.
        seed: of every random draw.
        dataset: the data's name in the answer; by default the query's, else the file's.
        checks: also do what tests the answer and does not change it (refutations, a causal forest beside, effects by group,
            resampled graphs, learned policies); without them an answer takes about half the time.

    Raises:
        CausalToolsError: the data or the query cannot support an answer; the message says what to mend.
    """
    if seed < 0:
        raise QueryError(f"the seed must be a whole number from 0 on; given {seed}")
    table = frame if isinstance(frame, DataTable) else _table(frame, dataset or query.dataset or "the data")
    name = dataset or query.dataset or table.name
    read: list[str] = []
    resolved = resolve_query(query, table.frame, name, read).model_copy(update={"dataset": name})
    try:
        result = TOOLS[query.task](resolved, table.frame, seed, checks)
    except np.linalg.LinAlgError as error:
        raise EstimationRefused(
            f"the columns of {name} cannot be told apart numerically ({error}). Name fewer covariates, and "
            "leave out columns that follow from others."
        ) from error
    measured = (resolved.treatment, resolved.second_treatment, resolved.response, resolved.mediator)
    result.warnings = [*table.notes, *read, *said_of_repeats(table.frame, measured), *result.warnings]
    result.summary = summarise(result)
    return result


def _table(frame: pd.DataFrame, name: str) -> DataTable:
    notes: list[str] = []
    return DataTable(tidy(frame, name, notes), name, notes)
