"""The sequence-driven structural causal model: sampling, intervening, and counterfactuals from stored noise.

Source: Bynum & Cho, arXiv 2411.08019. Unlike the authors' code, noise is stored, so that a unit stays itself across worlds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from sdscm.conditioning import draw_given, keep_given
from sdscm.descent import Descent, Progress
from sdscm.errors import ScenarioError
from sdscm.exact import ExactLaws
from sdscm.interventions import Do, read_do, read_given
from sdscm.memo import ScoreMemo
from sdscm.noise import Coupling, Rows, choose, draw_noise, posterior_noise, row_ids, uniforms
from sdscm.scenario import Scenario
from sdscm.scores import Scorer
from sdscm.tables import ConditionalTables, Rule


@dataclass(frozen=True)
class Sample:
    """Rows drawn from an SD-SCM.

    Attributes:
        frame: one column a variable, in order τ, levels as text (ordered categoricals in the scenario's level order);
            its index is the rows' numbers.
        noise: per variable, (rows, levels) standard Gumbel or (rows, 1) uniform noise by the coupling; with it the same units
            can be asked "what if".
        do: what was intervened on.
        manifest: what the rows were made from; enough to make them again.
    """

    frame: pd.DataFrame
    noise: dict[str, np.ndarray]
    do: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)


class SequenceSCM:
    """A DAG, an order and a language model, used as a structural causal model.

    Args:
        scenario: variables, order, phrasings and knobs.
        model: what :func:`lm.load_language_model` returns, or anything with its ``score``.
        rule: scoring rule, ``sum`` by the definition.
        temperature: divides the scores; above 1 flattens every conditional law.
        coupling: how one unit's worlds share noise: ``gumbel`` (Gumbel-max) or ``inverse_cdf`` (over the order of the levels).
        memo: scores known already, and where to keep new ones (see :class:`sdscm.memo.ScoreMemo`).
    """

    def __init__(
        self,
        scenario: Scenario,
        model: Scorer,
        rule: Rule = "sum",
        temperature: float = 1.0,
        coupling: Coupling = "gumbel",
        memo: ScoreMemo | None = None,
    ) -> None:
        if coupling not in get_args(Coupling):
            raise ScenarioError(f"coupling {coupling!r} is none of {', '.join(get_args(Coupling))}")
        self.scenario = scenario
        self.coupling = coupling
        self.tables = ConditionalTables(scenario, model, rule, temperature, memo)
        self._model = model

    def sample(
        self,
        rows: Rows,
        seed: int,
        do: Do | None = None,
        *,
        given: Mapping[str, str] | None = None,
        by: Literal["rejection", "table"] = "rejection",
        progress: Progress | None = None,
    ) -> Sample:
        """Draw rows from the observational law, under an intervention, or where something holds.

        The same seed gives the same noise with and without ``do``, so the arms are counterfactuals of each other. Row i
        depends neither on how many rows are drawn nor on which.

        Args:
            rows: how many, at least 1, or the numbers of the rows wanted.
            seed: any non-negative integer.
            do: by variable, the level it is set to, or the law it is drawn from (a stochastic intervention).
            given: levels that must hold, in the world of ``do``.
            by: how to condition: ``rejection`` takes the first rows of the stream where it holds (the index tells which);
                ``table`` draws from the exact conditional law, where the tables are small, and the noise given the row.
            progress: called with values drawn so far and in all.

        Raises:
            ScenarioError: no rows, ``do`` or ``given`` do not fit, or what is given (almost) never holds.
            TooLarge: by table, where the joint law is too large.
        """
        if by not in ("rejection", "table"):
            raise ScenarioError(f"by {by!r} is none of rejection, table")
        if not given:
            return self.worlds(rows, seed, [do], progress=progress)[0]
        held = read_given(self.scenario, given, do)  # before any row is looked at
        if not isinstance(rows, (int, np.integer)):
            raise ScenarioError("rows by number cannot be conditioned; give a count")
        if by == "table":
            frame = draw_given(self.exact(), held, do, uniforms(seed, ["given"], _ids(rows), 1)[:, 0])
            drawn = self.abduct(frame, seed, do)
        else:
            ids = keep_given(lambda part: self._levels(part, seed, do, list(held)), self.scenario, held, int(rows))
            drawn = self.sample(ids, seed, do, progress=progress)
        return Sample(
            drawn.frame, drawn.noise, drawn.do, {**drawn.manifest, "seed": seed, "given": dict(given), "by": by}
        )

    def worlds(
        self, rows: Rows, seed: int, do: Sequence[Do | None], *, progress: Progress | None = None
    ) -> list[Sample]:
        """The same units in several worlds at once, which costs the language model less than one after another.

        Args:
            rows: how many, or the numbers of the rows wanted.
            seed: of the noise, which the worlds share.
            do: one intervention a world; None is the world as it is.
            progress: called with values drawn so far and in all.
        """
        ids = _ids(rows)
        noise = {v.name: draw_noise(self.coupling, seed, v.name, ids, len(v.levels)) for v in self.scenario.variables}
        forced = [self._forced(one, noise) for one in do]
        frames = self._push(noise, forced, ids, progress)
        return [
            Sample(frame, noise, dict(one or {}), self.manifest(rows=_told(ids), seed=seed, do=dict(one or {})))
            for frame, one in zip(frames, do, strict=True)
        ]

    def counterfactual(self, factual: Sample, do: Do) -> Sample:
        """The same units had ``do`` been so: non-descendants keep their values, descendants keep their noise.

        Raises:
            ScenarioError: ``do`` does not fit, or the sample is not of this scenario.
        """
        own = self.manifest()
        del own["language_model_digest"]  # may have become known since
        if differing := [key for key in own if factual.manifest.get(key) != own[key]]:
            raise ScenarioError(
                f"the factual sample is not one of this model: it has {differing[0]} {factual.manifest.get(differing[0])!r}, "
                f"the model {own[differing[0]]!r}"
            )
        both = {**factual.do, **do}
        changed = set(do) | self.scenario.descendants(set(do))
        forced = self._forced(both, factual.noise)
        codes = self._codes(factual.frame)
        forced |= {name: codes[name] for name in self.scenario.names if name not in changed}
        (frame,) = self._push(factual.noise, [forced], factual.frame.index.to_numpy(), None)
        return Sample(frame, factual.noise, both, {**factual.manifest, "do": both})

    def abduct(self, frame: pd.DataFrame, seed: int, do: Do | None = None) -> Sample:
        """Noise for rows that were observed without it, drawn from its law given the rows (abduction).

        Args:
            frame: one column a variable, levels as text.
            seed: of the draw; another seed is another draw from the same law.
            do: the intervention under which the rows were observed. A pinned level tells nothing of its variable's noise, a level
                drawn from a stated law does.

        Raises:
            ScenarioError: a column or level that the scenario does not have, or a row of probability zero.

        Source: Pearl (2009), theorem 7.1.7; Oberst & Sontag (2019) for Gumbel-max.
        """
        codes, laws = self._codes(frame), read_do(self.scenario, do or {})
        noise = {}
        with self.tables.scores.session():
            for variable in self.scenario.variables:
                name, levels = variable.name, len(variable.levels)
                if name in laws:
                    law = _log_law(laws[name], len(frame))
                else:
                    law = self.tables.rows(
                        name, np.column_stack([*(codes[p] for p in variable.parents), codes[name]])[:, :-1]
                    )
                impossible = np.isneginf(law[np.arange(len(frame)), codes[name]])
                if impossible.any():
                    raise ScenarioError(
                        f"row {int(np.flatnonzero(impossible)[0])} cannot be: its level of {name!r} has no probability"
                    )
                numbers = uniforms(seed, ["posterior", name], len(frame), levels)
                try:
                    noise[name] = posterior_noise(self.coupling, law, codes[name], numbers)
                except ValueError as error:
                    raise ScenarioError(f"variable {name!r}: {error}") from None
        kept = self._framed([codes[name] for name in self.scenario.names], frame.index.to_numpy())
        return Sample(
            kept, noise, dict(do or {}), self.manifest(rows=len(frame), abduction_seed=seed, do=dict(do or {}))
        )

    def exact(self, limit: int = 2_000_000, most_contexts: int = 20_000) -> ExactLaws:
        """Laws with no sampling error.

        Args:
            limit: most cells of the complete tables, and of what a query multiplies out.
            most_contexts: most contexts that the complete tables may have.

        Raises:
            TooLarge: the complete tables have more cells or contexts.
        """
        self.tables.require_contexts(most_contexts)
        return ExactLaws(self.scenario, self.tables, limit, self.coupling)

    def manifest(self, **more: Any) -> dict[str, Any]:
        """What rows of this model are made from."""
        return {
            "scenario": self.scenario.name,
            "scenario_digest": self.scenario.digest,
            "phrasing": self.scenario.phrasing,
            "knobs": self.scenario.knobs.model_dump(),
            "language_model": getattr(self._model, "name", type(self._model).__name__),
            "language_model_digest": getattr(self._model, "__dict__", {}).get("digest"),  # where it has been worked out
            "rule": self.tables.rule,
            "temperature": self.tables.temperature,
            "coupling": self.coupling,
            **more,
        }

    def _levels(self, ids: np.ndarray, seed: int, do: Do | None, names: Sequence[str]) -> dict[str, np.ndarray]:
        """By variable asked for, (rows,) level indices; what comes after the last of them is not drawn."""
        last = max(self.scenario.names.index(name) for name in names)
        upper = self.scenario.variables[: last + 1]
        noise = {v.name: draw_noise(self.coupling, seed, v.name, ids, len(v.levels)) for v in upper}
        laws = {name: law for name, law in (do or {}).items() if name in noise}
        with self.tables.scores.session():
            codes = Descent(self.scenario, self.tables, self.coupling, noise, [self._forced(laws, noise)]).run()
        return {name: codes[name] for name in names}

    def _forced(self, do: Do | None, noise: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """By target of an intervention, (rows,) the level it takes; a stochastic one draws it with the target's own noise."""
        forced = {}
        for name, law in read_do(self.scenario, do or {}).items():
            forced[name] = choose(self.coupling, _log_law(law, len(noise[name])), noise[name])
        return forced

    def _push(
        self,
        noise: dict[str, np.ndarray],
        forced: Sequence[Mapping[str, np.ndarray]],
        ids: np.ndarray,
        progress: Progress | None,
    ) -> list[pd.DataFrame]:
        with self.tables.scores.session():
            codes = Descent(self.scenario, self.tables, self.coupling, noise, forced, progress).run()
        ends = len(ids) * np.arange(1, len(forced))
        parts = [np.split(codes[name], ends) for name in self.scenario.names]
        return [self._framed([part[world] for part in parts], ids) for world in range(len(forced))]

    def _framed(self, codes: Sequence[np.ndarray], ids: np.ndarray) -> pd.DataFrame:
        columns = {
            v.name: pd.Categorical.from_codes(column, categories=pd.Index(v.levels), ordered=True)
            for v, column in zip(self.scenario.variables, codes, strict=True)
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(len(ids)) if _counted(ids) else pd.Index(ids))

    def _codes(self, frame: pd.DataFrame) -> dict[str, np.ndarray]:
        """By variable, (rows,) level indices of a frame of texts."""
        if absent := [name for name in self.scenario.names if name not in frame.columns]:
            raise ScenarioError(f"the rows lack the column {absent[0]!r} of scenario {self.scenario.name!r}")
        if not len(frame):
            raise ScenarioError("there is no row")
        found = {}
        for variable in self.scenario.variables:
            codes = pd.Index(variable.levels).get_indexer(pd.Index(frame[variable.name].astype(object)))
            if (codes < 0).any():
                strange = frame[variable.name].iloc[int(np.argmax(codes < 0))]
                raise ScenarioError(
                    f"variable {variable.name!r} has no level {str(strange)!r}; it has: {', '.join(variable.levels)}"
                )
            found[variable.name] = codes.astype(np.int64)
        return found


def _counted(ids: np.ndarray) -> bool:
    return np.array_equal(ids, np.arange(len(ids)))


def _told(ids: np.ndarray) -> int | list[int]:
    """Rows as a manifest tells them: their count, or their numbers."""
    return len(ids) if _counted(ids) else ids.tolist()


def _log_law(law: np.ndarray, rows: int) -> np.ndarray:
    """(rows, levels) one law, in nats, for every row."""
    with np.errstate(divide="ignore"):
        return np.tile(np.log(law), (rows, 1))


def _ids(rows: Rows) -> np.ndarray:
    try:
        return row_ids(rows)
    except ValueError as error:
        raise ScenarioError(str(error)) from None
