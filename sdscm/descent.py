"""Rows going down the graph together: variable by variable, and in blocks where the language model is asked much.

Rows whose contexts begin alike stand in one block, and a block goes all the way down before the next one starts. So the
key-value states of its contexts, which the next variables' contexts continue, are still there when they are wanted, and
no more than a block's are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sdscm.noise import Coupling, choose
from sdscm.scenario import Scenario
from sdscm.tables import ConditionalTables

Progress = Callable[[int, int], None]


class Descent:
    """One pass of units, in one or several worlds, down the graph.

    Args:
        scenario: variables in order τ.
        tables: their laws.
        coupling: how a level follows from law and noise.
        noise: by variable, one line a unit; shared by the worlds. Variables after the last that has noise are not drawn.
        forced: one mapping a world: by variable, (units,) the level it takes there whatever its parents.
        progress: called with values drawn so far and in all.
    """

    def __init__(
        self,
        scenario: Scenario,
        tables: ConditionalTables,
        coupling: Coupling,
        noise: Mapping[str, np.ndarray],
        forced: Sequence[Mapping[str, np.ndarray]],
        progress: Progress | None = None,
    ) -> None:
        units = len(next(iter(noise.values())))
        self._tables, self._coupling, self._noise = tables, coupling, noise
        self._names = [name for name in scenario.names if name in noise]
        self._units = units
        self._rows = units * len(forced)  # a unit has a row in every world; worlds one after another
        self._forced = {
            name: np.concatenate([world.get(name, np.full(units, -1)) for world in forced])
            for name in self._names
            if any(name in world for world in forced)
        }
        self._codes = {name: np.empty(self._rows, dtype=np.int64) for name in self._names}
        self._progress, self._done = progress, 0

    def run(self) -> dict[str, np.ndarray]:
        """By variable, (worlds × units,) level indices."""
        self._descend(0, None, {})
        return self._codes

    def _descend(self, first: int, rows: np.ndarray | None, above: dict[str, np.ndarray]) -> None:
        """Draw the variables from position ``first`` on for some rows (None: all), given those above."""
        codes, count = dict(above), self._rows if rows is None else len(rows)
        for position, name in enumerate(self._names[first:], start=first):
            taken = self._forced.get(name)
            here = taken if taken is None or rows is None else taken[rows]
            if here is not None and (here >= 0).all():
                codes[name] = here
                continue
            keys = self._tables.keys_under(name, codes, count)
            open_keys = keys if here is None else keys[here < 0]
            parts = self._parts(name, open_keys)
            if parts > 1 and count > 1:
                order = np.lexsort([codes[other] for other in reversed(self._names[:position])])
                for part in np.array_split(order, min(parts, count)):
                    self._descend(
                        position, part if rows is None else rows[part], {n: c[part] for n, c in codes.items()}
                    )
                return
            law = self._tables.known_rows(name, open_keys)
            drawn = choose(self._coupling, law, self._noise_of(name, rows, here))
            if here is None:
                codes[name] = drawn
            else:
                codes[name] = here.copy()
                codes[name][here < 0] = drawn
        for name, column in codes.items():
            if rows is None:
                self._codes[name] = column
            else:
                self._codes[name][rows] = column
        self._done += count * len(codes)
        if self._progress is not None:
            self._progress(self._done, self._rows * len(codes))

    def _noise_of(self, name: str, rows: np.ndarray | None, here: np.ndarray | None) -> np.ndarray:
        noise = self._noise[name]
        if rows is None and here is None and self._rows == self._units:
            return noise
        units = np.arange(self._rows) if rows is None else rows
        return noise[(units if here is None else units[here < 0]) % self._units]

    def _parts(self, name: str, keys: np.ndarray) -> int:
        """Into how many blocks the rows should be split before this variable is drawn."""
        missing = self._tables.missing(name, keys)
        if len(missing) <= 1:
            return 1
        return -(-len(missing) // self._tables.contexts_at_once(name, int(missing[0])))
