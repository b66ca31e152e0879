"""Rows for which something holds: by rejection, or from the exact conditional law."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from sdscm.errors import ScenarioError
from sdscm.exact import ExactLaws
from sdscm.interventions import Do
from sdscm.scenario import Scenario

LEAST_SHARE = 1e-4  # of rows for which what is given holds; below it, rejection gives up
_FIRST_BATCH, _MOST_BATCH = 256, 2**18  # rows looked at together


def keep_given(
    draw: Callable[[np.ndarray], Mapping[str, np.ndarray]], scenario: Scenario, held: Mapping[str, int], rows: int
) -> np.ndarray:
    """Numbers of the first rows of a stream for which the given levels hold.

    Args:
        draw: level indices by variable, of rows by number.
        scenario: whose levels.
        held: level index by variable.
        rows: how many to find.

    Raises:
        ScenarioError: too few among the rows looked at.
    """
    kept: list[np.ndarray] = []
    seen, found = 0, 0
    while found < rows:
        share = found / seen if found else 1.0
        size = int(max(_FIRST_BATCH, min(1.2 * (rows - found) / share, _MOST_BATCH)))
        batch = np.arange(seen, seen + size)
        codes = draw(batch)
        holds = np.all([codes[name] == code for name, code in held.items()], axis=0)
        kept.append(batch[holds])
        seen, found = seen + len(batch), found + int(holds.sum())
        if seen > 10 / LEAST_SHARE and found / seen < LEAST_SHARE:
            given = ", ".join(f"{name} = {scenario[name].levels[code]}" for name, code in held.items())
            raise ScenarioError(
                f"{given} held for {found} of {seen:,} rows: too rare to be sampled by rejection; condition by the table "
                "instead (by='table', or --by table)"
            )
    return np.concatenate(kept)[:rows]


def draw_given(laws: ExactLaws, held: Mapping[str, int], do: Do | None, numbers: np.ndarray) -> pd.DataFrame:
    """Rows from the exact law of all variables given some.

    Args:
        laws: exact laws of the model.
        held: level index by variable.
        do: the intervention in whose world it is held.
        numbers: (rows,) uniform in (0, 1), one a row.

    Raises:
        ScenarioError: what is given cannot be.
        TooLarge: the joint law is too large.
    """
    scenario = laws.scenario
    joint = laws.joint(do)
    place = tuple(held.get(name, slice(None)) for name in scenario.names)
    allowed = np.zeros_like(joint)
    allowed[place] = joint[place]
    total = allowed.sum()
    if not total > 0:
        given = ", ".join(f"{name} = {scenario[name].levels[code]}" for name, code in held.items())
        raise ScenarioError(f"{given} has probability zero, so nothing can be drawn given it")
    possible = np.flatnonzero(allowed)
    cell = possible[np.searchsorted(np.cumsum(allowed.ravel()[possible]) / total, numbers).clip(0, len(possible) - 1)]
    codes = np.unravel_index(cell, joint.shape)
    return pd.DataFrame(
        {v.name: np.array(v.levels, dtype=object)[column] for v, column in zip(scenario.variables, codes, strict=True)}
    )
