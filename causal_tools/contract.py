"""The query contract: what may be asked of the causal tools, and what every answer carries.

Source: LLM4Causal (arXiv 2312.17122), the structured query of its first step. Beyond the paper: optional covariates,
several conditions, and operators other than equality.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Task = Literal["CGL", "ATE", "HTE", "MA", "OPO"]
Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in"]
Scalar = float | int | bool | str

TASKS: dict[Task, str] = {
    "CGL": "causal graph learning",
    "ATE": "average treatment effect",
    "HTE": "heterogeneous treatment effect",
    "MA": "mediation analysis",
    "OPO": "off-policy optimisation",
}
REQUIRED: dict[Task, tuple[str, ...]] = {
    "CGL": (),
    "ATE": ("treatment", "response"),
    "HTE": ("treatment", "response", "conditions"),
    "MA": ("treatment", "response", "mediator"),
    "OPO": ("treatment", "response"),
}
ALLOWED: dict[Task, tuple[str, ...]] = {
    "CGL": ("nodes",),
    "ATE": ("treatment", "response", "covariates", "contrast"),
    "HTE": ("treatment", "response", "conditions", "covariates", "contrast"),
    "MA": ("treatment", "response", "mediator", "covariates", "contrast"),
    "OPO": ("treatment", "second_treatment", "response", "conditions", "covariates", "lower_is_better"),
}


class Condition(BaseModel):
    """One restriction on a column, such as ``age >= 50`` or ``region = north``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str = Field(min_length=1)
    operator: Operator = "="
    value: Scalar | tuple[Scalar, ...]

    @model_validator(mode="after")
    def _a_list_goes_with_in(self) -> Self:
        if (self.operator == "in") != isinstance(self.value, tuple):
            raise ValueError(
                f"operator {self.operator!r} does not fit value {self.value!r}: 'in' takes a list, others one value"
            )
        return self

    @property
    def all_values(self) -> tuple[Scalar, ...]:
        """Its value, or its several values."""
        return self.value if isinstance(self.value, tuple) else (self.value,)

    def __str__(self) -> str:
        value = "{" + ", ".join(map(str, self.value)) + "}" if isinstance(self.value, tuple) else self.value
        return f"{self.column} {self.operator} {value}"


class CausalQuery(BaseModel):
    """A causal question in a form that a tool can run; columns are named as in the data file.

    ``contrast`` are the two levels (or amounts) of the treatment to compare, from and to; ``covariates`` are the columns
    to adjust for. Where either is left out, the tool chooses by a stated rule and says what it chose.
    ``second_treatment`` is the column of a second decision, in a file with one row a unit whose columns stand in the
    order of time. ``lower_is_better`` asks for the action of lowest mean response, in place of the highest.

    Raises:
        pydantic.ValidationError: a field the task needs is missing, one that it does not take is set, or one column
            holds two roles.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: Task
    dataset: str | None = None
    nodes: tuple[str, ...] | Literal["all"] | None = None
    treatment: str | None = None
    second_treatment: str | None = None
    response: str | None = None
    mediator: str | None = None
    conditions: tuple[Condition, ...] = ()
    covariates: tuple[str, ...] | None = None
    contrast: tuple[Scalar, Scalar] | None = None
    lower_is_better: bool = Field(default=False, exclude_if=lambda held: not held)  # written where it is so

    @property
    def sense(self) -> int:
        """1 where a larger response is better, −1 where a smaller one is."""
        return -1 if self.lower_is_better else 1

    @property
    def goal(self) -> str:
        """Which mean response is best: the ``highest``, or the ``lowest``."""
        return "lowest" if self.lower_is_better else "highest"

    @model_validator(mode="before")
    @classmethod
    def _all_nodes_unless_named(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("task") == "CGL" and data.get("nodes") is None:
            return {**data, "nodes": "all"}
        return data

    @model_validator(mode="after")
    def _fields_fit_the_task(self) -> Self:
        missing = [name for name in REQUIRED[self.task] if not getattr(self, name)]
        if missing:
            raise ValueError(f"task {self.task} ({TASKS[self.task]}) needs {', '.join(missing)}")
        fields = [name for name in type(self).model_fields if name not in ("task", "dataset")]
        surplus = [name for name in fields if getattr(self, name) and name not in ALLOWED[self.task]]
        if surplus:
            raise ValueError(f"task {self.task} ({TASKS[self.task]}) takes no {', '.join(surplus)}")
        named = (self.treatment, self.second_treatment, self.response, self.mediator, *(self.covariates or ()))
        roles = [name for name in named if name]
        twice = sorted({name for name in roles if roles.count(name) > 1})
        if twice:
            raise ValueError(
                f"column {twice[0]!r} holds two roles; treatments, response, mediator and covariates must differ"
            )
        if self.contrast is not None and self.contrast[0] == self.contrast[1]:
            raise ValueError(f"contrast must be two different levels of the treatment; given {list(self.contrast)}")
        if isinstance(self.nodes, tuple) and (len(self.nodes) < 2 or len(set(self.nodes)) < len(self.nodes)):
            raise ValueError(f"nodes must be at least two different columns, or 'all'; given {list(self.nodes)}")
        return self

    def columns(self) -> list[str]:
        """Every column that the query names, each once, in order of role."""
        named = [
            *(self.nodes if isinstance(self.nodes, tuple) else ()),
            self.treatment,
            self.second_treatment,
            self.response,
            self.mediator,
            *(condition.column for condition in self.conditions),
            *(self.covariates or ()),
        ]
        return list(dict.fromkeys(name for name in named if name))


class CausalResult(BaseModel):
    """What every tool returns.

    ``estimate`` is in units of the response (CGL: the number of edges); ``interval`` is the 95 % confidence interval,
    or None where the method has none. ``summary`` states every number, the method that really ran and the data set.
    """

    model_config = ConfigDict(extra="forbid")

    task: Task
    query: CausalQuery
    method: str
    estimate: float
    interval: tuple[float, float] | None = None
    n_rows: int
    assumptions: list[str] = []
    diagnostics: dict[str, Any] = {}
    warnings: list[str] = []
    summary: str = ""


class Edge(BaseModel):
    """One edge of a learned graph; ``mark`` is '-->' (directed) or '---' (orientation not identified)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    target: str
    mark: Literal["-->", "---", "<->", "o->", "o-o"] = "-->"
    weight: float | None = None

    def __str__(self) -> str:
        return f"{self.source} {self.mark} {self.target}"


class GraphResult(CausalResult):
    """CGL: the edges of the learned graph, as many as were found."""

    task: Literal["CGL"] = "CGL"
    edges: list[Edge]


class EffectResult(CausalResult):
    """ATE and HTE: the effect of the treatment contrast on the response."""

    task: Literal["ATE", "HTE"]
    contrast: tuple[Scalar, Scalar]  # (from, to) levels compared; (0, 1) reads "per unit" for a continuous treatment


class MediationResult(CausalResult):
    """MA: natural direct and indirect effects; ``estimate`` is the total effect."""

    task: Literal["MA"] = "MA"
    contrast: tuple[Scalar, Scalar]
    direct: float
    indirect: float
    total: float
    direct_interval: tuple[float, float] | None = None
    indirect_interval: tuple[float, float] | None = None


class PolicyResult(CausalResult):
    """OPO: the action to take for the asked unit; ``estimate`` is that action's mean response there.

    With two stages, ``action`` is the first action and ``values`` are those of each first action followed by the learned second
    rule; where the question is about what is known before the second decision, both are of the second action, and
    ``second_action`` is set.
    """

    task: Literal["OPO"] = "OPO"
    action: Scalar
    values: dict[str, float]  # each action's estimated mean response for the asked unit
    second_action: Scalar | None = None
    regime: str | None = None  # two stages: what to do first, and how the second action is chosen
