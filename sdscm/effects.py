"""Effects of a treatment on an outcome, from the laws of one world or of two on the same noise.

Levels are given by their texts. A contrast is (from, to) levels of the treatment, its first and last by default. Effects
are differences of mean outcome scores; probabilities of causation are probabilities.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from sdscm.errors import ScenarioError
from sdscm.interventions import Do, Given, level_index, read_do, read_given
from sdscm.scenario import Scenario
from sdscm.twin import Network, World

Contrast = tuple[str, str]  # (from, to) levels of a treatment


class Effects(ABC):
    """What :class:`sdscm.exact.ExactLaws` says of effects. ``ate``, ``cate``, ``cde`` and ``ett`` do not depend on how
    noise is coupled between worlds; the others do, unless said otherwise."""

    scenario: Scenario

    @abstractmethod
    def mean(self, name: str, do: Do | None = None, given: Given | None = None) -> float:
        """E[score of name | do, given]."""

    @abstractmethod
    def network(self, *worlds: Do | World) -> Network:
        """One world, or two on the same noise."""

    def ate(self, treatment: str, outcome: str, contrast: Contrast | None = None) -> float:
        """Average effect: E[outcome | do(treatment = to)] − E[outcome | do(treatment = from)]."""
        return self.cate(treatment, outcome, {}, contrast)

    def cate(self, treatment: str, outcome: str, given: Given, contrast: Contrast | None = None) -> float:
        """Average effect in a subgroup: :meth:`ate` among those for whom ``given`` holds.

        Raises:
            ScenarioError: ``given`` names the treatment or something it moves.
        """
        low, high = self._contrast(treatment, outcome, contrast)
        self._refuse_consequences(treatment, given)
        return self.mean(outcome, {treatment: high}, given) - self.mean(outcome, {treatment: low}, given)

    def cde(self, treatment: str, outcome: str, hold: Given, contrast: Contrast | None = None) -> float:
        """Controlled direct effect: the effect while others are held, E[Y | do(to, hold)] − E[Y | do(from, hold)].

        Args:
            treatment: the variable intervened on.
            outcome: the variable whose mean is compared.
            hold: levels to pin in both arms, by variable.
            contrast: (from, to) levels.

        Raises:
            ScenarioError: ``hold`` is empty, or names the treatment or the outcome.

        Source: Pearl (2001), "Direct and indirect effects".
        """
        low, high = self._contrast(treatment, outcome, contrast)
        if not read_given(self.scenario, hold) or {treatment, outcome} & set(hold):
            raise ScenarioError(f"cde holds other variables than {treatment!r} and {outcome!r}; given hold={hold!r}")
        return self.mean(outcome, {treatment: high, **hold}) - self.mean(outcome, {treatment: low, **hold})

    def ett(self, treatment: str, outcome: str, contrast: Contrast | None = None) -> float:
        """Effect on the treated: E[Y_to − Y_from | treatment = to]. By consistency Y_to is what those units show."""
        low, high = self._contrast(treatment, outcome, contrast)
        treated = {(treatment, 0): level_index(self.scenario, treatment, high)}
        without = self.network({}, {treatment: low}).law([(outcome, 1)], treated)
        return self.mean(outcome, given={treatment: high}) - self._score(outcome, without)

    def total(self, treatment: str, outcome: str, contrast: Contrast | None = None) -> float:
        """Total effect, the same as :meth:`ate`; for (from, to) it is nde(from, to) − nie(to, from), as Pearl (2001) shows."""
        return self.ate(treatment, outcome, contrast)

    def nde(
        self,
        treatment: str,
        outcome: str,
        mediators: str | Sequence[str] | None = None,
        contrast: Contrast | None = None,
    ) -> float:
        """Natural direct effect: E[Y_{to, M_from} − Y_from], each unit's mediators as they would be under ``from``.

        Exact whatever the graph, as the coupling of noise is known: a descendant of the treatment that is no mediator may
        move both a mediator and the outcome. Where none does, the effect does not depend on the coupling.

        Args:
            treatment: the variable intervened on.
            outcome: the variable whose mean is compared.
            mediators: one or more; by default those of role ``mediator``.
            contrast: (from, to) levels.

        Raises:
            ScenarioError: there are no mediators, or one is not a descendant of the treatment, or is the outcome.

        Source: Pearl (2001), "Direct and indirect effects".
        """
        low, high = self._contrast(treatment, outcome, contrast)
        return self._nested(treatment, outcome, mediators, high, low) - self.mean(outcome, {treatment: low})

    def nie(
        self,
        treatment: str,
        outcome: str,
        mediators: str | Sequence[str] | None = None,
        contrast: Contrast | None = None,
    ) -> float:
        """Natural indirect effect: E[Y_{from, M_to} − Y_from]; arguments and errors as of :meth:`nde`.

        With the contrast reversed it is E[Y_{to, M_from} − Y_to], so that total = nde − nie reversed; total = nde + nie
        only without interaction.
        """
        low, high = self._contrast(treatment, outcome, contrast)
        return self._nested(treatment, outcome, mediators, low, high) - self.mean(outcome, {treatment: low})

    def pn(
        self,
        treatment: str,
        outcome: str,
        event: str | Sequence[str] | None = None,
        contrast: Contrast | None = None,
    ) -> float:
        """Probability of necessity: P(Y_from not in event | treatment = to, Y in event).

        Args:
            treatment: the variable intervened on.
            outcome: the variable whose levels make the event.
            event: level or levels of the outcome, not all; its last level by default.
            contrast: (from, to) levels.

        Source: Tian & Pearl (2000), "Probabilities of causation: bounds and identification".
        """
        low, high = self._contrast(treatment, outcome, contrast)
        return self._flip(treatment, outcome, self._event(outcome, event), seen=high, done=low)

    def ps(
        self,
        treatment: str,
        outcome: str,
        event: str | Sequence[str] | None = None,
        contrast: Contrast | None = None,
    ) -> float:
        """Probability of sufficiency: P(Y_to in event | treatment = from, Y not in event); arguments as of :meth:`pn`."""
        low, high = self._contrast(treatment, outcome, contrast)
        return self._flip(treatment, outcome, ~self._event(outcome, event), seen=low, done=high)

    def pns(
        self,
        treatment: str,
        outcome: str,
        event: str | Sequence[str] | None = None,
        contrast: Contrast | None = None,
    ) -> float:
        """Probability of both: P(Y_to in event, Y_from not in event); arguments as of :meth:`pn`."""
        low, high = self._contrast(treatment, outcome, contrast)
        inside = self._event(outcome, event)
        law = self.network({treatment: low}, {treatment: high}).law([(outcome, 0), (outcome, 1)])
        return float(law[~inside][:, inside].sum())

    def _contrast(self, treatment: str, outcome: str, contrast: Contrast | None) -> Contrast:
        levels = self.scenario[treatment].levels
        self.scenario[outcome]
        if treatment == outcome:
            raise ScenarioError(f"treatment and outcome are both {treatment!r}; name two variables")
        if contrast is None:
            return levels[0], levels[-1]
        if isinstance(contrast, str) or len(contrast) != 2:
            raise ScenarioError(f"contrast must be two levels of {treatment!r}, (from, to); given {contrast!r}")
        for level in contrast:
            level_index(self.scenario, treatment, level)
        return contrast

    def _refuse_consequences(self, treatment: str, given: Given) -> None:
        moved = self.scenario.descendants({treatment}) | {treatment}
        for name in read_given(self.scenario, given):
            if name in moved:
                why = "is the treatment" if name == treatment else f"is moved by {treatment!r}"
                raise ScenarioError(
                    f"a subgroup must be fixed before the treatment, but {name!r} {why}: under either arm other units "
                    f"would have this level. Choose among what {treatment!r} does not move, or ask counterfactual_law"
                )

    def _nested(
        self, treatment: str, outcome: str, mediators: str | Sequence[str] | None, own: str, theirs: str
    ) -> float:
        """E[Y_{own, M_theirs}]: treatment at one level, mediators as they would be under another."""
        copied = self._mediators(treatment, outcome, mediators)
        worlds = {treatment: theirs}, World(read_do(self.scenario, {treatment: own}), copied)
        return self._score(outcome, self.network(*worlds).law([(outcome, 1)]))

    def _mediators(self, treatment: str, outcome: str, mediators: str | Sequence[str] | None) -> frozenset[str]:
        if mediators is None:
            mediators = [v.name for v in self.scenario.variables if v.role == "mediator"]
        names = [mediators] if isinstance(mediators, str) else list(mediators)
        if not names:
            raise ScenarioError(
                f"scenario {self.scenario.name!r} has no variable of role 'mediator'; name the mediators"
            )
        between = self.scenario.descendants({treatment}) - {outcome}
        for name in names:
            self.scenario[name]
            if name not in between:
                raise ScenarioError(
                    f"{name!r} cannot mediate between {treatment!r} and {outcome!r}; "
                    f"moved by {treatment!r} are: {', '.join(n for n in self.scenario.names if n in between) or 'none'}"
                )
        return frozenset(names)

    def _event(self, outcome: str, event: str | Sequence[str] | None) -> np.ndarray:
        """(levels,) whether a level of the outcome is in the event."""
        levels = self.scenario[outcome].levels
        chosen = [levels[-1]] if event is None else [event] if isinstance(event, str) else list(event)
        inside = np.zeros(len(levels), dtype=bool)
        inside[[level_index(self.scenario, outcome, level) for level in chosen]] = True
        if inside.all() or not inside.any():
            raise ScenarioError(f"an event must be some but not all levels of {outcome!r}; given {chosen}")
        return inside

    def _flip(self, treatment: str, outcome: str, event: np.ndarray, seen: str, done: str) -> float:
        """P(Y_done not in event | treatment = seen, Y in event)."""
        law = self.network({}, {treatment: done}).law(
            [(outcome, 0), (outcome, 1)], {(treatment, 0): level_index(self.scenario, treatment, seen)}
        )
        shown = law[event].sum()
        if not shown > 0:
            levels = [level for level, inside in zip(self.scenario[outcome].levels, event, strict=True) if inside]
            raise ScenarioError(
                f"the evidence {treatment}={seen!r}, {outcome} in {levels} has probability zero, "
                f"so nothing can be said given it"
            )
        return float(law[event][:, ~event].sum() / shown)

    def _score(self, outcome: str, law: np.ndarray) -> float:
        return float(law @ self.scenario[outcome].score_of())
