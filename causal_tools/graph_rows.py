"""The columns and rows that a graph is learned from as numbers, or a sentence saying why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pandas as pd

from causal_tools.contract import CausalQuery
from causal_tools.covariates import independent_features
from causal_tools.data import describe_columns
from causal_tools.errors import EstimationRefused
from causal_tools.treatment import codes_of, is_numeric, ordered_levels

FEWEST_ROWS = 50
ROWS_A_NODE = 5
MOST_NODES = 60
MOST_ROWS = 50_000
MOST_CATEGORIES = 20
FEWEST_AMOUNTS = 5
UNUSABLE = {
    "identifier": "one value a row",
    "text": "free text",
    "constant": "constant",
    "empty": "empty",
    "unsupported": "holds lists or objects",
}


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


def usable_rows(query: CausalQuery, frame: pd.DataFrame, seed: int, notes: list[str]) -> pd.DataFrame:
    """Columns in alphabetical order and complete rows in an order of their own, so that the file's order has no say.

    Columns that cannot be nodes are set aside where all columns were asked for, and refused where they were named.

    Raises:
        EstimationRefused: too few rows or nodes, too many nodes, or nodes that are unusable or determine each other.
    """
    everything = not isinstance(query.nodes, tuple)
    names = sorted(str(label) for label in frame.columns) if everything else sorted(query.nodes or ())
    kinds = describe_columns(frame[names])
    unusable = {name: UNUSABLE[kinds[name]] for name in names if kinds[name] in UNUSABLE}
    if unusable and not everything:
        said = "; ".join(f"{name!r} cannot be a node: {reason}" for name, reason in unusable.items())
        raise EstimationRefused(f"the column {said}. Leave {'it' if len(unusable) == 1 else 'them'} out of the nodes.")
    if unusable:
        notes.append("columns set aside: " + "; ".join(f"{name} ({reason})" for name, reason in unusable.items()))
    names = [name for name in names if name not in unusable]
    if not 2 <= len(names) <= MOST_NODES:
        raise EstimationRefused(
            f"{len(names)} column(s) can be nodes; a graph is learned from 2 to {MOST_NODES}. "
            + ("Add columns that vary." if len(names) < 2 else "Name the nodes that matter.")
        )
    rows = _finite(frame[names]).dropna().reset_index(drop=True)
    if len(rows) < len(frame):
        notes.append(f"{len(frame) - len(rows)} of {len(frame)} row(s) lack a value of some node and were left out")
    needed = max(FEWEST_ROWS, ROWS_A_NODE * len(names))
    if len(rows) < needed:
        raise EstimationRefused(
            f"{len(rows)} complete row(s) for {len(names)} nodes are too few to learn a graph; at least "
            f"{needed} are needed. Add rows, or name fewer nodes."
        )
    rows = _in_own_order(rows)
    if len(rows) > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(seed).permutation(len(rows))[:MOST_ROWS])
        notes.append(f"the graph was learned from a random sample of {MOST_ROWS} of the {len(rows)} complete rows")
        rows = rows.iloc[chosen].reset_index(drop=True)
    return _without_determined(rows, everything, notes)


def _finite(frame: pd.DataFrame) -> pd.DataFrame:
    """Infinite numbers are missing ones."""
    return frame.replace([np.inf, -np.inf], np.nan)


def _in_own_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows by a digest of their values: equal rows side by side, and the file's order forgotten."""
    digests = pd.util.hash_pandas_object(rows, index=False).to_numpy()
    return rows.iloc[np.argsort(digests, kind="stable")].reset_index(drop=True)


def _without_determined(rows: pd.DataFrame, everything: bool, notes: list[str]) -> pd.DataFrame:
    """Set aside, or refuse, columns that are constant, repeat another or are an exact sum of others."""
    reasons = {str(label): "constant" for label in rows.columns if rows[label].nunique() < 2}
    kept: list[str] = []
    said_by: dict[bytes, str] = {}
    for label in map(str, rows.columns):
        if label in reasons:
            continue
        meanings = _meanings(rows[label])
        twin = next((said_by[meaning] for meaning in meanings if meaning in said_by), None)
        if twin:
            reasons[label] = f"says the same as {twin}"
        else:
            kept.append(label)
            said_by |= dict.fromkeys(meanings, label)
    numeric = [label for label in kept if is_numeric(rows[label])]
    if numeric:
        alone = {numeric[position] for position in independent_features(rows[numeric].to_numpy(dtype=float))}
        reasons |= {label: "an exact sum of others" for label in numeric if label not in alone}
    if reasons and not everything:
        said = "; ".join(f"{label} ({reason})" for label, reason in reasons.items())
        raise EstimationRefused(
            f"these nodes are constant or follow exactly from the others: {said}. Leave them out of the nodes."
        )
    if reasons:
        notes.append("columns set aside: " + "; ".join(f"{label} ({reason})" for label, reason in reasons.items()))
        rows = rows.drop(columns=list(reasons))
    if rows.shape[1] < 2:
        raise EstimationRefused("fewer than two columns vary on their own, so there is no graph to learn. Add columns.")
    return rows


def _meanings(column: pd.Series) -> list[bytes]:
    """Digests that a column shares with one that says the same: other names for its levels, or numbers in its order."""
    codes, levels = pd.factorize(column)
    meanings = []
    if len(levels) <= max(MOST_CATEGORIES, len(column) // 5):
        meanings.append(sha256(codes.astype(np.int64).tobytes()).digest())
    if is_numeric(column):
        ranks = np.unique(column.to_numpy(dtype=float), return_inverse=True)[1].astype(np.int64)
        meanings += [sha256(b"ranks" + some.tobytes()).digest() for some in (ranks, ranks.max() - ranks)]
    return meanings
