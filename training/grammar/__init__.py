"""Phrasing families: the ways in which a structured query is put into words."""

from training.grammar.engine import Draws, Family, FamilyTask, Split, TemplateError, expand, fill, readings
from training.grammar.library import FAMILIES


def families(task: FamilyTask, split: Split) -> tuple[Family, ...]:
    """The phrasing families of a task on one side of the split."""
    return tuple(family for family in FAMILIES[task] if family.split == split)


__all__ = [
    "FAMILIES", "Draws", "Family", "FamilyTask", "Split", "TemplateError", "expand", "families", "fill", "readings",
]  # fmt: skip
