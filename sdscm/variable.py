"""Sequence variables: a name, the texts that are its sample space, and where its law comes from.

Source: Bynum & Cho, arXiv 2411.08019, sequence variables; silent causes and their tilts are this project's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Role = Literal["exogenous", "covariate", "treatment", "outcome", "mediator", "instrument", "hidden"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Variable(BaseModel):
    """A sequence variable: its sample space is a finite list of texts.

    Attributes:
        name: lower case, digits and underscores.
        role: part played in the causal question.
        levels: the sample space, from low to high where there is such an order; a treatment's control level first.
        parents: direct causes, by name.
        phrasings: stems that a level completes, such as "Her age is"; one is drawn for each phrasing of the scenario.
        law: ``language model``: P(level | parents) is asked of it; ``uniform``; or one fixed probability a level. The
            latter two are laws of a variable without parents.
        scores: the number that each level stands for in a mean; 0, 1, 2, … unless stated.
        alternatives: other sample spaces of the same meaning, level by level: [false, true] for [no, yes].
        silent: a cause that no text mentions. It has no parents, a uniform or fixed law and the role ``hidden``; only
            tilts carry its influence.
        tilts: strength in nats, by silent parent u: log P(level | parents, u) gets + tilt · c(u) · c(level) before it is
            normalised, c being :meth:`centred_scores`. A silent parent without a tilt has no influence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    role: Role
    levels: tuple[Text, ...] = Field(min_length=2)
    parents: tuple[Name, ...] = ()
    phrasings: tuple[Text, ...] = ()
    law: Literal["language model", "uniform"] | tuple[float, ...] = "language model"
    scores: tuple[Number, ...] | None = None
    alternatives: tuple[tuple[Text, ...], ...] = ()
    silent: bool = False
    tilts: dict[Name, Number] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _lists_are_sound(self) -> Self:
        for what, given in (("level", self.levels), ("parent", self.parents), ("phrasing", self.phrasings)):
            if twice := _repeated(given):
                raise ValueError(f"variable {self.name!r} lists a {what} twice: {twice!r}")
        if not self.phrasings and not self.silent:
            raise ValueError(
                f'variable {self.name!r} has no phrasings; give at least one stem that a level completes, such as "It is"'
            )
        if self.scores is not None and len(self.scores) != len(self.levels):
            raise ValueError(f"variable {self.name!r} has {len(self.levels)} levels but {len(self.scores)} scores")
        for texts in self.alternatives:
            if len(texts) != len(self.levels):
                raise ValueError(
                    f"an alternative of variable {self.name!r} must have a text for each of its {len(self.levels)} "
                    f"levels, in their order; given {list(texts)}"
                )
            if twice := _repeated(texts):
                raise ValueError(f"an alternative of variable {self.name!r} lists a level twice: {twice!r}")
        if _repeated([self.levels, *self.alternatives]):
            raise ValueError(f"variable {self.name!r} lists the same sample space twice among levels and alternatives")
        return self

    @property
    def own_law(self) -> dict[str, float] | None:
        """Probability by level of a law that is no language model's; None of one that is."""
        if self.law == "language model":
            return None
        shares = [1 / len(self.levels)] * len(self.levels) if self.law == "uniform" else self.law
        return dict(zip(self.levels, shares, strict=True))

    @model_validator(mode="after")
    def _law_fits(self) -> Self:
        if isinstance(self.law, tuple) and (
            len(self.law) != len(self.levels) or min(self.law) < 0 or not abs(sum(self.law) - 1) <= 1e-9
        ):
            raise ValueError(
                f"the fixed law of {self.name!r} must give each of its levels a probability, summing to 1; "
                f"given {list(self.law)} for {len(self.levels)} levels"
            )
        if self.law != "language model" and self.parents:
            kind = "a uniform law" if self.law == "uniform" else "a fixed law"
            raise ValueError(
                f"variable {self.name!r} has {kind}, so it cannot have parents; drop them ({', '.join(self.parents)}), "
                f"or leave its law to the language model"
            )
        if unknown := [name for name in self.tilts if name not in self.parents]:
            raise ValueError(f"variable {self.name!r} is tilted by {unknown[0]!r}, which is none of its parents")
        return self

    @model_validator(mode="after")
    def _silence_is_kept(self) -> Self:
        if self.silent and (self.law == "language model" or self.parents or self.role != "hidden"):
            raise ValueError(
                f"variable {self.name!r} is silent, so it needs a uniform or fixed law, no parents and the role 'hidden'; "
                f"given law {self.law!r}, {len(self.parents)} parents and role {self.role!r}"
            )
        return self

    def __hash__(self) -> int:  # the generated one fails on the dictionary of tilts
        return hash(self.model_dump_json())

    def score_of(self) -> np.ndarray:
        """(levels,) the number that stands for each level in a mean."""
        return np.array(self.scores if self.scores is not None else range(len(self.levels)), dtype=float)

    def centred_scores(self) -> np.ndarray:
        """(levels,) the scores mapped linearly onto [−1, 1]: the lowest to −1, the highest to 1; zeros where all are equal."""
        halves = self.score_of() / 2  # halved, so that no difference overflows
        middle, reach = halves.max() / 2 + halves.min() / 2, halves.max() / 2 - halves.min() / 2
        return np.zeros(len(halves)) if reach == 0 else np.clip((halves - middle) / reach, -1, 1)


def _repeated(items: Sequence[object]) -> object:
    return next((item for i, item in enumerate(items) if item in items[:i]), None)
