"""Scenarios: a DAG over variables whose levels are texts, and the phrasings that turn parents into a context.

Source: Bynum & Cho, arXiv 2411.08019: sequence variables, the order τ, parent-only concatenation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sdscm.errors import ScenarioError
from sdscm.faults import Place, told
from sdscm.knobs import Knobs, drop_hidden_cause, fit_knobs
from sdscm.library import find_scenario, list_scenarios, read_scenario
from sdscm.variable import Name, Role, Text, Variable

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Knobs", "Role", "Scenario", "Variable", "list_scenarios", "load_scenario"]


class Scenario(BaseModel):
    """Variables in topological order τ. Build one with :func:`load_scenario`.

    Attributes:
        name: as the file is called.
        title: one line for people.
        description: the structure, and what a naive comparison gets wrong.
        intro: text before every context.
        order: τ, a permutation of the variables' names; the variables are kept in it. Filled in, as listed, where not given.
        variables: in order τ.
        phrasing: which draw of phrasings; each integer fixes one phrasing a variable.
        knobs: how far the laws are turned away from what the language model says; see :meth:`turned`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    title: Text
    description: Text
    intro: str = ""
    order: tuple[Name, ...] | None = None
    variables: tuple[Variable, ...] = Field(min_length=2)
    phrasing: int = 0
    knobs: Knobs = Knobs()

    @model_validator(mode="after")
    def _order_is_of_the_variables(self) -> Self:
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"variable names must differ; given {self.names}")
        order = self.names if self.order is None else self.order
        if sorted(order) != sorted(self.names):
            raise ValueError(
                f"order must list each variable once; given {', '.join(order) or 'none'}; "
                f"the variables are {', '.join(self.names)}"
            )
        self._keep(tuple(self[name] for name in order))
        return self

    @model_validator(mode="after")
    def _order_is_topological(self) -> Self:
        for child in self.variables:
            if unknown := [parent for parent in child.parents if parent not in self.names]:
                raise ValueError(
                    f"variable {child.name!r} has an unknown parent {unknown[0]!r}; known: {', '.join(self.names)}"
                )
        backwards = [(a, b) for a, b in self.edges() if self.names.index(a) >= self.names.index(b)]
        if backwards:
            import networkx as nx

            try:
                cycle = [a for a, _ in nx.find_cycle(self.to_networkx())]
            except nx.NetworkXNoCycle:
                parent, child_name = backwards[0]
                raise ValueError(
                    f"variable {child_name!r} stands before its parent {parent!r}: the order is not topological; "
                    f"put {parent!r} first"
                ) from None
            raise ValueError(f"the parents form a cycle: {' → '.join([*cycle, cycle[0]])}; remove one of its edges")
        return self

    @model_validator(mode="after")
    def _tilts_come_from_silent_parents(self) -> Self:
        for variable in self.variables:
            if loud := [parent for parent in variable.tilts if not self[parent].silent]:
                raise ValueError(
                    f"variable {variable.name!r} is tilted by {loud[0]!r}, which is not silent; "
                    f"a parent that the text mentions acts through the language model"
                )
        return self

    @model_validator(mode="after")
    def _knobs_fit(self) -> Self:
        if self.knobs != Knobs():
            self._keep(fit_knobs(self.knobs, self.variables, self.only("treatment"), self.only("outcome")))
        return self

    def _keep(self, variables: tuple[Variable, ...]) -> None:
        # The model is frozen once it is made; this is still part of the making.
        object.__setattr__(self, "variables", variables)
        object.__setattr__(self, "order", tuple(self.names))

    def __getitem__(self, name: str) -> Variable:
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise ScenarioError(f"scenario {self.name!r} has no variable {name!r}; it has: {', '.join(self.names)}")

    @property
    def names(self) -> list[str]:
        """All variables, in order τ."""
        return [variable.name for variable in self.variables]

    @property
    def observed(self) -> list[str]:
        """The variables that an analyst sees: those of another role than hidden, in order τ."""
        return [variable.name for variable in self.variables if variable.role != "hidden"]

    @property
    def phrasings_count(self) -> int:
        """How many combinations of one phrasing a variable there are."""
        return prod(max(1, len(variable.phrasings)) for variable in self.variables)

    def only(self, role: Role) -> Variable:
        """The one variable of a role.

        Raises:
            ScenarioError: there is none, or more than one.
        """
        found = [variable for variable in self.variables if variable.role == role]
        if len(found) != 1:
            raise ScenarioError(
                f"scenario {self.name!r} has {len(found)} variables of role {role!r}; name the one meant"
            )
        return found[0]

    def edges(self) -> list[tuple[str, str]]:
        """(parent, child) pairs, children in order τ."""
        return [(parent, variable.name) for variable in self.variables for parent in variable.parents]

    def to_networkx(self) -> nx.DiGraph:
        """The graph, nodes in order τ with attributes ``role`` and ``levels`` (tuple of texts)."""
        import networkx as nx

        graph: nx.DiGraph = nx.DiGraph(name=self.name)
        for variable in self.variables:
            graph.add_node(variable.name, role=variable.role, levels=variable.levels)
        graph.add_edges_from(self.edges())
        return graph

    def descendants(self, names: set[str]) -> set[str]:
        """Variables with a directed path from any of ``names``, these excluded unless reached."""
        reached: set[str] = set()
        for variable in self.variables:
            if any(parent in names or parent in reached for parent in variable.parents):
                reached.add(variable.name)
        return reached

    def stem(self, name: str) -> str:
        """The phrasing of a variable under this scenario's phrasing draw; empty for a silent one without phrasings."""
        phrasings = self[name].phrasings
        return phrasings[_drawn(self.name, name, self.phrasing, len(phrasings))] if phrasings else ""

    def context(self, name: str, parents: Mapping[str, str]) -> str:
        """The text that a variable's level completes: its parents' sentences in order τ, then its own stem.

        Silent parents have no sentence, and need not be in ``parents``.
        """
        spoken = [parent for parent in self.names if parent in self[name].parents and not self[parent].silent]
        sentences = [f"{self.stem(parent)} {parents[parent]}." for parent in spoken]
        return " ".join(part for part in [self.intro.strip(), *sentences, self.stem(name)] if part)

    def with_levels(self, name: str, levels: Sequence[str]) -> Scenario:
        """The scenario with another sample space of the same meaning for one variable.

        Args:
            name: the variable.
            levels: as many texts as it has levels, in their order; scores and law stay, its alternatives are dropped.

        Raises:
            ScenarioError: no such variable, or the texts do not fit.
        """
        variable = self[name]
        if isinstance(levels, str) or len(levels) != len(variable.levels):
            raise ScenarioError(
                f"variable {name!r} has the levels {list(variable.levels)}; give a list of {len(variable.levels)} texts, "
                f"one for each in that order; given {levels!r}"
            )
        return self._changed(name, levels=levels, alternatives=())

    def without_level(self, name: str, level: str) -> Scenario:
        """The scenario with one level of a variable left out of its sample space.

        The other levels keep their scores; a fixed law is renormalised; the level's place in each alternative goes too, and
        alternatives that differed in that place alone become one.

        Raises:
            ScenarioError: no such variable or level, only one level or no probability would be left.
        """
        variable = self[name]
        if level not in variable.levels:
            raise ScenarioError(f"variable {name!r} has no level {level!r}; it has: {', '.join(variable.levels)}")
        if len(variable.levels) <= 2:
            raise ScenarioError(f"variable {name!r} has two levels; a variable needs two, so neither can be left out")
        kept = [i for i, text in enumerate(variable.levels) if text != level]
        law: Any = variable.law
        if isinstance(law, tuple):
            mass = sum(law[i] for i in kept)
            if not mass > 0:
                raise ScenarioError(f"level {level!r} of {name!r} has all the probability; without it no law is left")
            law = [law[i] / mass for i in kept]
        scores = variable.score_of()[kept].tolist()
        levels, *alternatives = dict.fromkeys(
            tuple(texts[i] for i in kept) for texts in (variable.levels, *variable.alternatives)
        )
        return self._changed(
            name,
            levels=levels,
            alternatives=alternatives,
            law=law,
            scores=None if scores == list(range(len(kept))) and variable.scores is None else scores,
        )

    def turned(self, **knobs: float) -> Scenario:
        """The scenario with these :class:`Knobs` and no others: a knob not named here is back at its default.

        ``hidden_confounding`` other than 0 adds a silent variable ``hidden_cause``, first in order τ, as a parent of the
        treatment and the outcome, with that tilt on both. The other knobs are carried, and applied by the tables.

        Raises:
            ScenarioError: an unknown knob or a value out of range; not one treatment and one outcome; ``effect`` or
                ``heterogeneity`` where the treatment is not a parent of the outcome; ``hidden_confounding`` where either
                has a uniform or fixed law.
        """
        variables = drop_hidden_cause(self.variables) if self.knobs.hidden_confounding != 0 else self.variables
        content = {**self.model_dump(), "order": None, "variables": variables, "knobs": knobs}
        return _checked(content, f"scenario {self.name!r}")

    @property
    def digest(self) -> str:
        """First 16 hex digits of the SHA-256 of the whole scenario, phrasing draw and knobs included."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def _changed(self, name: str, **fields: object) -> Scenario:
        content = self.model_dump()
        content["variables"] = [{**v, **fields} if v["name"] == name else v for v in content["variables"]]
        return _checked(content, f"scenario {self.name!r}")


def load_scenario(source: str | Path, phrasing: int | None = None) -> Scenario:
    """Load a scenario by name, or from a YAML file of one's own.

    Args:
        source: a name of :func:`list_scenarios`, or a path ending in .yaml or .yml.
        phrasing: which draw of phrasings to use; the file's own, else 0, by default.

    Raises:
        ScenarioError: no such scenario, or one that is not sound; the message names the file and the field.
    """
    path = find_scenario(source)
    content = read_scenario(path)
    return _checked(content if phrasing is None else {**content, "phrasing": phrasing}, path.name)


def _checked(content: Mapping[str, Any], source: str) -> Scenario:
    try:
        return Scenario.model_validate(content)
    except ValidationError as error:
        raise ScenarioError(f"{source}: {told(error.errors(), _fields)}") from None


def _fields(place: Place) -> Iterable[str]:
    schema = Variable if place[0] == "variables" else Knobs if len(place) > 1 else Scenario
    return schema.model_fields


@lru_cache(maxsize=4096)
def _drawn(scenario: str, variable: str, phrasing: int, count: int) -> int:
    seed = int.from_bytes(hashlib.sha256(f"{scenario}/{variable}/{phrasing}".encode()).digest()[:8])
    return int(np.random.default_rng(seed).integers(count))
