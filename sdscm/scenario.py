"""Scenarios: a DAG over variables whose levels are texts, and the phrasings that turn parents into a context.

Source: Bynum & Cho, arXiv 2411.08019: sequence variables, the order τ, parent-only concatenation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from sdscm.errors import ScenarioError

Role = Literal["exogenous", "covariate", "treatment", "outcome", "mediator", "instrument", "hidden"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_FOLDER = Path(__file__).parent / "scenarios"


class Variable(BaseModel):
    """A sequence variable: its sample space is a finite list of texts.

    ``phrasings`` are stems that a level completes, such as "Her age is"; ``scores`` give the levels numbers for mean
    effects (0, 1, 2, … unless stated).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    role: Role
    levels: tuple[Text, ...] = Field(min_length=2)
    parents: tuple[Name, ...] = ()
    phrasings: tuple[Text, ...] = Field(min_length=1)
    law: Literal["language model", "uniform"] | tuple[float, ...] = "language model"
    scores: tuple[float, ...] | None = None

    @model_validator(mode="after")
    def _levels_are_sound(self) -> Self:
        if len(set(self.levels)) < len(self.levels):
            raise ValueError(f"variable {self.name!r} lists a level twice")
        if len(set(self.parents)) < len(self.parents):
            raise ValueError(f"variable {self.name!r} lists a parent twice")
        if self.scores is not None and len(self.scores) != len(self.levels):
            raise ValueError(f"variable {self.name!r} has {len(self.levels)} levels but {len(self.scores)} scores")
        if isinstance(self.law, tuple):
            if len(self.law) != len(self.levels) or min(self.law) < 0 or not abs(sum(self.law) - 1) <= 1e-9:
                raise ValueError(
                    f"the fixed law of {self.name!r} must give each of its levels a probability, summing to 1"
                )
            if self.parents:
                raise ValueError(f"variable {self.name!r} has a fixed law, so it cannot have parents")
        return self

    def score_of(self) -> np.ndarray:
        """(levels,) the number that stands for each level in a mean."""
        return np.array(self.scores if self.scores is not None else range(len(self.levels)), dtype=float)


class Scenario(BaseModel):
    """Variables in topological order τ. Build one with :func:`load_scenario`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    title: Text
    description: Text
    intro: str = ""
    variables: tuple[Variable, ...] = Field(min_length=2)
    phrasing: int = 0

    @model_validator(mode="after")
    def _order_is_topological(self) -> Self:
        names = [variable.name for variable in self.variables]
        if len(set(names)) < len(names):
            raise ValueError(f"variable names must differ; given {names}")
        seen: set[str] = set()
        for variable in self.variables:
            for parent in variable.parents:
                if parent not in names:
                    raise ValueError(
                        f"variable {variable.name!r} has an unknown parent {parent!r}; known: {', '.join(names)}"
                    )
                if parent not in seen:
                    raise ValueError(
                        f"variable {variable.name!r} stands before its parent {parent!r}: either the graph has a cycle "
                        f"or the order is not topological"
                    )
            seen.add(variable.name)
        return self

    def __getitem__(self, name: str) -> Variable:
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise ScenarioError(f"scenario {self.name!r} has no variable {name!r}; it has: {', '.join(self.names)}")

    @property
    def names(self) -> list[str]:
        return [variable.name for variable in self.variables]

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
        return [(parent, variable.name) for variable in self.variables for parent in variable.parents]

    def descendants(self, names: set[str]) -> set[str]:
        """Variables with a directed path from any of ``names``, these excluded unless reached."""
        reached: set[str] = set()
        for variable in self.variables:
            if any(parent in names or parent in reached for parent in variable.parents):
                reached.add(variable.name)
        return reached

    def stem(self, name: str) -> str:
        """The phrasing of a variable under this scenario's phrasing draw."""
        variable = self[name]
        seed = int.from_bytes(hashlib.sha256(f"{self.name}/{name}/{self.phrasing}".encode()).digest()[:8])
        return variable.phrasings[int(np.random.default_rng(seed).integers(len(variable.phrasings)))]

    def context(self, name: str, parents: Mapping[str, str]) -> str:
        """The text that a variable's level completes: its parents' sentences in order τ, then its own stem."""
        sentences = [f"{self.stem(parent)} {parents[parent]}." for parent in self.names if parent in self[name].parents]
        return " ".join(part for part in [self.intro.strip(), *sentences, self.stem(name)] if part)

    @property
    def digest(self) -> str:
        """First 16 hex digits of the SHA-256 of the whole scenario, phrasing draw included."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def list_scenarios() -> list[str]:
    """Names of the scenarios that come with the project."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def load_scenario(source: str | Path, phrasing: int = 0) -> Scenario:
    """Load a scenario by name, or from a YAML file of one's own.

    Args:
        source: a name of :func:`list_scenarios`, or a path ending in .yaml or .yml.
        phrasing: which draw of phrasings to use; each integer fixes one phrasing a variable.

    Raises:
        ScenarioError: no such scenario, or one that is not sound; the message says what to mend.
    """
    path = Path(source)
    if path.suffix not in (".yaml", ".yml"):
        path = _FOLDER / f"{source}.yaml"
        if str(source) not in list_scenarios():
            raise ScenarioError(
                f"no scenario {str(source)!r}; there are: {', '.join(list_scenarios())}, or give a .yaml file"
            )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ScenarioError(f"no scenario file {path}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path.name} is no YAML: {error}") from None
    if not isinstance(content, dict):
        raise ScenarioError(f"{path.name} must hold a mapping with name, title, description and variables")
    try:
        return Scenario.model_validate({**content, "phrasing": phrasing})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'scenario'}: {e['msg']}" for e in error.errors())
        raise ScenarioError(f"{path.name}: {problems}") from None
