"""Files whose true effects follow from the equations that made them: thirty plain and thirty hard ones for ATE, HTE, MA and OPO.

An answer counts as right within the tolerances of LLM4Causal (arXiv 2312.17122): 0.5 of an average effect and of each effect of a
mediation, 1 of a conditional effect, the same action. Where the response is a probability these would forgive anything, so
there it is 0.08.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from causal_tools.contract import CausalQuery, CausalResult, MediationResult, PolicyResult

from .simulators import logistic

ROWS = 5000
DRAWS = 1_000_000
DISTRACTORS = 20
GAP = 0.3
WORDS = ("none", "low dose", "high dose")
Task = Literal["ATE", "HTE", "MA", "OPO"]
Curve = Callable[[np.ndarray], np.ndarray]
CURVES: tuple[Curve, ...] = (np.sin, np.tanh, np.square, lambda x: np.maximum(x, 0) * 1.5, lambda x: np.abs(x) - 0.8)


@dataclass(frozen=True)
class TaskFile:
    """A file, the question to ask of it, and what the answer should be.

    Attributes:
        truth: by field of the result; an action for OPO.
        tolerance: of each number.
    """

    name: str
    frame: pd.DataFrame = field(repr=False)
    query: CausalQuery
    truth: dict[str, Any]
    tolerance: float = 0.0

    def right(self, result: CausalResult) -> bool:
        """Whether every field of the truth is met."""
        if isinstance(result, PolicyResult):
            return str(result.action) == str(self.truth["action"])
        return all(abs(getattr(result, name) - value) < self.tolerance for name, value in self.truth.items())

    def covered(self, result: CausalResult) -> list[bool]:
        """For each number of the truth that has an interval, whether it lies inside."""
        ends: dict[str, Any] = {"estimate": result.interval, "total": result.interval}
        if isinstance(result, MediationResult):
            ends |= {"direct": result.direct_interval, "indirect": result.indirect_interval}
        if isinstance(result, PolicyResult):
            ends = result.diagnostics["action_intervals"]
            return [ends[name][0] <= value <= ends[name][1] for name, value in self.truth["values"].items()]
        return [ends[name][0] <= value <= ends[name][1] for name, value in self.truth.items()]


@dataclass(frozen=True)
class World:
    """Three amounts and a group, how the treatment follows from them, and what the response has besides it."""

    generator: np.random.Generator
    hard: bool
    pushes: np.ndarray
    pulls: np.ndarray
    curves: tuple[Curve, ...]

    @classmethod
    def drawn(cls, seed: int, hard: bool) -> World:
        generator = np.random.default_rng(seed)
        chosen = generator.permutation(len(CURVES))[:3]
        return cls(
            generator,
            hard,
            generator.uniform(0.4, 0.9, 3) * generator.choice([-1, 1], 3),
            generator.uniform(0.5, 1.5, 3) * generator.choice([-1, 1], 3),
            tuple(CURVES[place] for place in chosen),
        )

    def covariates(self, rows: int) -> dict[str, np.ndarray]:
        x = self.generator.normal(size=(3, rows))
        if self.hard:
            x[1] = 0.5 * x[0] + 0.75**0.5 * x[1]
        return {"age": x[0], "weight": x[1], "income": x[2], "site": self.generator.integers(0, 3, rows)}

    def push(self, known: dict[str, np.ndarray]) -> np.ndarray:
        """(rows,) towards treatment."""
        return self.mixed(known, self.pushes) + 0.3 * (known["site"] == 1)

    def pull(self, known: dict[str, np.ndarray]) -> np.ndarray:
        """(rows,) of the response, whatever the treatment."""
        return self.mixed(known, self.pulls) + 0.7 * (known["site"] == 1) - 0.4 * (known["site"] == 2)

    def mixed(self, known: dict[str, np.ndarray], weights: np.ndarray) -> np.ndarray:
        amounts = [known[name] for name in ("age", "weight", "income")]
        if not self.hard:
            return np.asarray(sum(weight * amount for weight, amount in zip(weights, amounts, strict=True)))
        bent = [curve(amount) for curve, amount in zip(self.curves, amounts, strict=True)]
        total = sum(weight * amount for weight, amount in zip(weights, bent, strict=True))
        return np.asarray(total + 0.5 * amounts[0] * amounts[2])

    def treated(self, known: dict[str, np.ndarray]) -> np.ndarray:
        push = self.push(known)
        return self.generator.binomial(1, logistic((push - push.mean()) / max(1.0, push.std()) * 1.1))

    def three_ways(self, known: dict[str, np.ndarray]) -> np.ndarray:
        push = self.push(known)
        push = (push - push.mean()) / max(1.0, push.std())
        odds = np.column_stack([np.zeros(len(push)), 0.9 * push, -0.7 * push]) + self.generator.gumbel(
            size=(len(push), 3)
        )
        return np.argmax(odds, axis=1)

    def noise(self, rows: int) -> np.ndarray:
        return self.generator.normal(size=rows) if not self.hard else self.generator.laplace(size=rows) / 2**0.5

    def finished(self, columns: dict[str, Any]) -> pd.DataFrame:
        """The table; hard ones with distractors and shuffled columns."""
        frame = pd.DataFrame(columns)
        frame["site"] = np.array(["north", "south", "west"])[frame["site"]]
        if not self.hard:
            return frame
        rows = len(frame)
        others = {
            f"extra_{place}": self.generator.choice(["red", "green", "blue"], rows)
            if place % 4 == 0
            else self.generator.normal(size=rows) * 10 ** self.generator.uniform(-1, 2)
            for place in range(DISTRACTORS)
        }
        wide = pd.concat([frame, pd.DataFrame(others)], axis=1)
        return wide[list(self.generator.permutation(wide.columns))]


def effect_file(task: Task, seed: int, *, hard: bool, rows: int = ROWS) -> TaskFile:
    """ATE or HTE. By the seed: two levels, two words, an amount, or (hard) three levels and a contrast."""
    world = World.drawn(seed, hard)
    generator = world.generator
    base, along = float(generator.uniform(-2, 2)), float(generator.uniform(0.5, 1.5) * generator.choice([-1, 1]))
    bend = float(generator.uniform(-0.5, 0.5)) if hard else 0.0
    varies = hard or task == "HTE"
    kind = ("binary", "words", "amount", "levels" if hard else "binary")[seed % 4]

    def effect(known: dict[str, np.ndarray]) -> np.ndarray:
        age = known["age"]
        return base + (along * age + bend * (age**2 - 1) if varies else 0.0 * age)

    known = world.covariates(rows)
    if kind == "amount":
        treatment: np.ndarray = world.push(known) + world.noise(rows)
        lift = effect(known) * treatment
    elif kind == "levels":
        treatment = world.three_ways(known)
        lift = np.choose(treatment, [np.zeros(rows), 0.5 * effect(known) + 1, effect(known)])
    else:
        treatment = world.treated(known)
        lift = effect(known) * treatment
    response = lift + world.pull(known) + world.noise(rows)
    words = {"words": np.array(["control", "drug"]), "levels": np.array(WORDS)}.get(kind)
    written = treatment if words is None else words[treatment]
    frame = world.finished({**known, "therapy": written, "recovery": response})
    fields: dict[str, Any] = {"task": task, "treatment": "therapy", "response": "recovery"}
    if kind == "levels":
        fields["contrast"] = ("none", "high dose")
    if task == "ATE":
        # age has mean 0 and variance 1; where the effect of an amount varies, least squares weighs units alike here, as age moves
        # the treatment's mean and not its spread
        return TaskFile(f"{kind}, seed {seed}", frame, CausalQuery.model_validate(fields), {"estimate": base}, 0.5)
    if seed % 3 == 2:
        fields["conditions"] = [{"column": "site", "operator": "in", "value": ("north", "west")}]
        truth = base
    elif seed % 3 == 1:
        edge = float(np.round(generator.uniform(-0.5, 0.5), 1))
        fields["conditions"] = [{"column": "age", "operator": ">=", "value": edge}]
        tail = generator.normal(size=DRAWS)
        truth = float(np.mean(effect({"age": tail[tail >= edge]})))
    else:
        value = float(np.round(generator.uniform(-1.2, 1.2), 1))
        fields["conditions"] = [{"column": "age", "operator": "=", "value": value}]
        truth = float(effect({"age": np.array([value])})[0])
    return TaskFile(f"{kind}, seed {seed}", frame, CausalQuery.model_validate(fields), {"estimate": truth}, 1.0)


def mediation_file(seed: int, *, hard: bool, rows: int = ROWS) -> TaskFile:
    """MA. By the seed: amounts, a mediator of two values, a response of two values; hard ones with interaction."""
    world = World.drawn(seed, hard=False)  # the regressions of mediation are linear in what is adjusted for, and say so
    generator = world.generator
    onto, through, beside = (float(generator.uniform(0.5, 1.5) * generator.choice([-1, 1])) for _ in range(3))
    together = float(generator.uniform(-0.8, 0.8)) if hard else 0.0
    kind = ("amounts", "mediator of two values", "response of two values", "amounts")[seed % 4]

    def mediator(known: dict[str, np.ndarray], treated: Any, chance: np.ndarray) -> np.ndarray:
        mean = onto * treated + 0.5 * known["age"] + 0.3 * known["weight"]
        if kind == "mediator of two values":
            return (np.log(chance / (1 - chance)) < mean).astype(float)
        return np.asarray(mean + chance)

    def mean_response(known: dict[str, np.ndarray], treated: Any, between: np.ndarray) -> np.ndarray:
        line = beside * treated + (through + together * treated) * between + 0.6 * known["age"] - 0.4 * known["income"]
        return logistic(line / 2) if kind == "response of two values" else line

    def draw(count: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        known = world.covariates(count)
        uniform = kind == "mediator of two values"
        return known, generator.uniform(1e-12, 1, count) if uniform else generator.normal(size=count)

    known, chance = draw(rows)
    treated = world.treated(known)
    between = mediator(known, treated, chance)
    mean = mean_response(known, treated, between)
    binary = kind == "response of two values"
    response = generator.binomial(1, mean) if binary else mean + generator.normal(size=rows)
    many, same = draw(DRAWS)
    before, after = (mediator(many, level, same) for level in (0, 1))
    untouched, only_treated, both = (
        float(np.mean(mean_response(many, level, kept))) for level, kept in ((0, before), (1, before), (1, after))
    )
    truth = {"direct": only_treated - untouched, "indirect": both - only_treated, "total": both - untouched}
    extra = World(generator, hard, world.pushes, world.pulls, world.curves)
    frame = extra.finished({**known, "therapy": treated, "hormone": between, "recovery": response})
    query = CausalQuery(task="MA", treatment="therapy", response="recovery", mediator="hormone")
    return TaskFile(f"{kind}, seed {seed}", frame, query, truth, 0.08 if binary else 0.5)


def policy_file(seed: int, *, hard: bool, rows: int = 2000) -> TaskFile:
    """OPO with one decision among two (plain) or three actions; the best leads by at least 0.3 for the units asked about."""
    world = World.drawn(seed, hard)
    generator = world.generator
    actions = 3 if hard else 2
    while True:
        levels, slopes = generator.uniform(-1, 1, actions), generator.uniform(-1.5, 1.5, actions)
        value = float(np.round(generator.uniform(-1.2, 1.2), 1)) if seed % 2 else None
        heights = levels + slopes * (value or 0.0)
        if np.diff(np.sort(heights))[-1] >= GAP:
            break
    known = world.covariates(rows)
    taken = world.three_ways(known) if hard else world.treated(known)
    lift = np.choose(taken, [levels[code] + slopes[code] * known["age"] for code in range(actions)])
    reward = lift + world.pull(known) + world.noise(rows)
    names = np.array(["wait", "walk", "run"])[:actions]
    frame = world.finished({**known, "act": names[taken], "reward": reward})
    fields: dict[str, Any] = {"task": "OPO", "treatment": "act", "response": "reward"}
    if value is not None:
        fields["conditions"] = [{"column": "age", "operator": "=", "value": value}]
    offset = _mean_pull(world, value)
    truth = {
        "action": names[int(np.argmax(heights))],
        "values": {str(name): float(height + offset) for name, height in zip(names, heights, strict=True)},
    }
    return TaskFile(f"{actions} actions, seed {seed}", frame, CausalQuery.model_validate(fields), truth)


def _mean_pull(world: World, age: float | None) -> float:
    """What the response has besides the action, on average over everyone or at an age."""
    beside = World(np.random.default_rng(0), world.hard, world.pushes, world.pulls, world.curves)
    known = beside.covariates(DRAWS)
    if age is not None:
        shift = age - known["age"]
        known = {**known, "age": np.full(DRAWS, age)}
        if world.hard:
            known["weight"] = known["weight"] + 0.5 * shift
    return float(np.mean(beside.pull(known)))


def task_file(task: Task, seed: int, *, hard: bool, rows: int | None = None) -> TaskFile:
    """One file of a task."""
    sized: dict[str, Any] = {} if rows is None else {"rows": rows}
    if task == "MA":
        return mediation_file(seed, hard=hard, **sized)
    if task == "OPO":
        return policy_file(seed, hard=hard, **sized)
    return effect_file(task, seed, hard=hard, **sized)
