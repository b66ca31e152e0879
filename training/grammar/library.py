"""The phrasing families, read from one YAML file a task.

Which side of the split a family is on, a digest of its id decides: neither side is easier by design, and a new family moves
no other.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, get_args

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from training.grammar.engine import Family, FamilyTask, Split, TemplateError, parse
from training.yaml_files import read_yaml

FOLDER = Path(__file__).parent / "families"
SLOTS: dict[FamilyTask, frozenset[str]] = {
    "CGL": frozenset({"nodes"}),
    "ATE": frozenset({"treatment", "response", "doing", "happening"}),
    "HTE": frozenset({"treatment", "response", "doing", "happening", "group", "when", "one", "facts"}),
    "MA": frozenset({"treatment", "response", "mediator", "doing", "happening", "between"}),
    "OPO": frozenset({"treatment", "response", "happening", "group", "when", "one", "facts"}),
    "NONE": frozenset({"a", "b"}),
}
HELD_OUT_OF_256 = 51
EVERYWHERE = frozenset({"in_file", "file", "unit", "units", "topic"})


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z0-9]+)+$")]
    template: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


def split_of(family: str) -> Split:
    """The side of a family: about one in five is held out."""
    return "held_out" if hashlib.sha256(family.encode()).digest()[0] < HELD_OUT_OF_256 else "train"


def read_families(task: FamilyTask, folder: Path = FOLDER) -> tuple[Family, ...]:
    """The families of one task.

    Raises:
        TemplateError: the file breaks the form, an id stands twice or is another task's, a template cannot be read, or it
            names a slot that the task does not have.
    """
    path = folder / f"{task.lower()}.yaml"
    try:
        entries = [_Entry.model_validate(entry) for entry in read_yaml(path)]
    except (ValidationError, yaml.YAMLError, TypeError) as error:
        raise TemplateError(f"{path.name}: {error}") from None
    found: dict[str, Family] = {}
    for entry in entries:
        if not entry.id.startswith(f"{task.lower()}-") or entry.id in found:
            raise TemplateError(f"{path.name}: id {entry.id!r} stands twice, or does not begin with {task.lower()}-")
        family = Family(entry.id, task, split_of(entry.id), entry.template)
        parse(family.template)
        if strange := family.slots - SLOTS[task] - EVERYWHERE:
            raise TemplateError(f"{path.name}: {entry.id} has slot {sorted(strange)[0]!r}, which {task} does not have")
        found[entry.id] = family
    return tuple(found.values())


FAMILIES: dict[FamilyTask, tuple[Family, ...]] = {task: read_families(task) for task in get_args(FamilyTask)}
