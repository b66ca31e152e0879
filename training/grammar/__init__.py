"""Phrasing families: the ways in which a structured query is put into words."""

from training.grammar.ate import ATE_FAMILIES
from training.grammar.cgl import CGL_FAMILIES
from training.grammar.engine import Draws, Family, FamilyTask, Split, TemplateError, expand, fill, readings
from training.grammar.hte import HTE_FAMILIES
from training.grammar.ma import MA_FAMILIES
from training.grammar.none import NONE_FAMILIES
from training.grammar.opo import OPO_FAMILIES

FAMILIES: dict[FamilyTask, tuple[Family, ...]] = {
    "CGL": CGL_FAMILIES,
    "ATE": ATE_FAMILIES,
    "HTE": HTE_FAMILIES,
    "MA": MA_FAMILIES,
    "OPO": OPO_FAMILIES,
    "NONE": NONE_FAMILIES,
}


def families(task: FamilyTask, split: Split) -> tuple[Family, ...]:
    """The phrasing families of a task on one side of the split."""
    return tuple(family for family in FAMILIES[task] if family.split == split)


__all__ = [
    "FAMILIES", "Draws", "Family", "FamilyTask", "Split", "TemplateError", "expand", "families", "fill", "readings",
]  # fmt: skip
