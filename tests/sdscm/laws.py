"""Scorers with known laws, and small scenarios, for tests of the model around the language model."""

from __future__ import annotations

import hashlib

import numpy as np

from sdscm import Scenario


class HashScorer:
    """Log-probabilities that depend on context and level alone, by a hash: a fixed but arbitrary language model."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def score(self, contexts, levels, rule="sum", *, baseline=""):
        self.asked += contexts
        rows = [np.array([self.logit(c, level) for level in row]) for c, row in zip(contexts, levels, strict=True)]
        if rule == "pmi":
            return [
                row - [self.logit(baseline, level) for level in names] for row, names in zip(rows, levels, strict=True)
            ]
        return rows

    @staticmethod
    def logit(context: str, level: str) -> float:
        number = int.from_bytes(hashlib.sha256(f"{context}|{level}".encode()).digest()[:4])
        return -4 * number / 2**32


class TableScorer:
    """Probabilities given by hand: for each context (a piece of it suffices), one number a level."""

    def __init__(self, table: dict[str, list[float]]) -> None:
        self.table = table

    def score(self, contexts, levels, rule="sum", *, baseline=""):
        found = []
        for context in contexts:
            (law,) = [law for piece, law in self.table.items() if context.endswith(piece)]
            found.append(np.log(law))
        return found


def variable(name: str, parents: tuple[str, ...] = (), levels=("no", "yes"), role="covariate", **more) -> dict:
    return {
        "name": name,
        "role": role,
        "levels": list(levels),
        "parents": list(parents),
        "phrasings": [f"{name.upper()}:"],
        **more,
    }


def scenario(*variables: dict, **more) -> Scenario:
    content = {"name": "made", "title": "Made", "description": "For a test.", "variables": list(variables), **more}
    return Scenario.model_validate(content)


def confounder() -> Scenario:
    """z → t, z → y, t → y, all with levels no and yes."""
    return scenario(variable("z"), variable("t", ("z",), role="treatment"), variable("y", ("z", "t"), role="outcome"))


# P(z = yes) = .4; P(t = yes | z) = .2, .7; P(y = yes | z, t) below. Contexts by phrasing: "Z: no. T:" and so on.
CONFOUNDER = TableScorer(
    {
        "Z: no. T: no. Y:": [0.9, 0.1],
        "Z: no. T: yes. Y:": [0.7, 0.3],
        "Z: yes. T: no. Y:": [0.6, 0.4],
        "Z: yes. T: yes. Y:": [0.2, 0.8],
        "Z: no. T:": [0.8, 0.2],
        "Z: yes. T:": [0.3, 0.7],
        "Z:": [0.6, 0.4],
    }
)
