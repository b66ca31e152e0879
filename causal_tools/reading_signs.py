"""What speaks against the parts of a reading, as signs, and what these cost: by the question's words, and by the readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from causal_tools.contract import Condition, Scalar
from causal_tools.draft import Draft
from causal_tools.likely_words import LikelyWords
from causal_tools.prompts import ALL_COLUMNS
from causal_tools.reading_evidence import MOST_LEFT_OUT, Encoder, QuestionEvidence
from causal_tools.reading_weights import Weights
from causal_tools.second_reading import CONDITION, NODE, SecondReading

Signs = dict[str, float]


class WayToSay(NamedTuple):
    """Words of the question for a column, none where it comes by its name; what speaks against them, and its cost in nats."""

    words: str
    signs: Signs
    cost: float


class ReadingSigns:
    """What speaks against the parts of readings of one question about one file.

    Without readers (``second``) only the question's words say anything.
    """

    def __init__(
        self,
        question: str,
        columns: Sequence[str],
        levels: Mapping[str, Sequence[Scalar]] | None,
        encoder: Encoder | None,
        second: SecondReading | None,
        weights: Weights,
    ) -> None:
        self.evidence = QuestionEvidence(question, columns, levels, encoder)
        self.likely = LikelyWords(question, columns, self.evidence, second, weights)
        self._second, self._weights = second, weights
        self._ways: dict[tuple[str, str], list[WayToSay]] = {}

    def cost(self, signs: Mapping[str, float]) -> float:
        """Nats."""
        return sum(getattr(self._weights, name) * sign for name, sign in signs.items())

    def of_task(self, task: str) -> Signs:
        """Against the task."""
        return {"second_task": self._second.against_task(task)} if self._second else {}

    def of_no_task(self) -> Signs:
        """Against a reading of no causal task, more than :meth:`of_task` says."""
        return {"not_causal": 1.0, **self.evidence.left_out((), (), {})}

    def ways_to_say(self, slot: str, column: str) -> list[WayToSay]:
        """The ways to write a column (or :data:`ALL_COLUMNS`) into a slot, ``node 1``, ``where 2`` or a role."""
        if (slot, column) not in self._ways:
            unnamed = column not in self.evidence.named and column != ALL_COLUMNS
            ways: list[tuple[str, Signs]] = [("", {"unnamed": float(unnamed)})]
            for words, spelt, meant in self.likely.of.get(column, ()):
                ways.append((words, {"unlike": spelt, "unlike_in_meaning": meant}))
            self._ways[slot, column] = [self._way(slot, column, *way) for way in ways]
        return self._ways[slot, column]

    def _way(self, slot: str, column: str, words: str, signs: Signs) -> WayToSay:
        signs["role_denied"] = float(self.evidence.denies_role(slot, column, words or None))
        if self._second:
            signs |= self._second.signs_in(slot, column, words or None)
        return WayToSay(words, signs, self.cost(signs))

    def of_words(self, words: str, column: str, draft: Draft) -> Signs:
        """Against taking these words for a column beside those that a draft has taken for others."""
        if not words and column not in self.evidence.named:
            return {}
        return {"overlapping": float(self.evidence.overlaps(words or None, draft.said, draft.used, column))}

    def share_in(self, slot: str, column: str) -> dict[str, float]:
        """By slot, how likely the readers find the column there."""
        return {slot: self._second.share_in(slot, column)} if self._second else {}

    def of_conditions(self, conditions: Sequence[Condition], words: str | None) -> Signs:
        """Against a condition, or the two ends of a range, on a column that these words were taken for."""
        first = conditions[0]
        signs = self._second.signs_of(conditions) if self._second else {}
        if len(conditions) == 1:
            signs |= self.evidence.against_operator(first)
        if first.operator in ("=", "in"):
            signs |= self.evidence.against_value(first.column, first.all_values, words)
        return signs

    def of_whole(self, draft: Draft) -> Signs:
        """Against what a whole reading leaves out."""
        conditions = draft.fields.get("conditions", ())
        values: list[Scalar] = [value for condition in conditions for value in condition.all_values]
        signs = self.evidence.left_out(draft.used, values, draft.said)
        signs["overlapping"] = self.evidence.values_shared(conditions)
        if draft.fields.get("nodes") == "all":
            signs |= {"left_out": 0.0, "all_despite_names": min(float(len(self.evidence.named)), MOST_LEFT_OUT)}
        elif draft.task == "CGL":
            signs["list_misfit"] = self.evidence.list_misfits(draft.fields.get("nodes", ()), draft.said)
        if self._second:
            signs |= self._second.signs_of_whole(draft.fields, draft.said)
        return signs

    def of_nodes_passed(self, passed: Sequence[str]) -> Signs:
        """Against leaving these columns out of a graph."""
        return {"second_node": self._second.against_leaving(NODE, passed)} if self._second else {}

    def of_conditions_passed(self, passed: Sequence[str], conditions: Sequence[Condition], column: str) -> Signs:
        """Against having no condition on these columns, but on others and on ``column``, whose value is not known yet."""
        if self._second is None:
            return {}
        excused = self._second.values_said.excused(conditions, column)
        missed = [name for name in passed if name not in excused]
        return {"second_condition": self._second.against_leaving(CONDITION, missed)}
