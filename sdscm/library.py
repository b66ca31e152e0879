"""Scenario files: those that come with the project, and how a file is read before it is held against the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sdscm.errors import ScenarioError

_FOLDER = Path(__file__).parent / "scenarios"
_LARGEST = 2_000_000  # bytes; the largest bundled scenario has under 10,000


def list_scenarios() -> list[str]:
    """Names of the scenarios that come with the project."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def find_scenario(source: str | Path) -> Path:
    """The file of a scenario.

    Args:
        source: a name of :func:`list_scenarios`, or a path ending in .yaml or .yml.

    Raises:
        ScenarioError: no scenario has that name.
    """
    path = Path(source)
    if path.suffix.lower() in (".yaml", ".yml"):
        return path
    if str(source) not in list_scenarios():
        raise ScenarioError(
            f"no scenario {str(source)!r}; there are: {', '.join(list_scenarios())}, or give a .yaml file"
        )
    return _FOLDER / f"{source}.yaml"


def read_scenario(path: Path) -> dict[str, Any]:
    """The content of a scenario file, not yet held against the schema.

    Raises:
        ScenarioError: the file is missing, a folder, too large, not UTF-8, no YAML, no mapping, or gives a key twice.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise ScenarioError(f"no scenario file {path}") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise ScenarioError(f"no scenario can be read from {str(path)!r}: {error}; give a .yaml file") from None
    if len(raw) > _LARGEST:
        raise ScenarioError(f"{path.name} has more than {_LARGEST / 1e6:.0f} MB; a scenario has some kilobytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path.name} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    try:
        content = yaml.load(text, _StrictLoader)  # noqa: S506  (a SafeLoader underneath)
    except RecursionError:
        raise ScenarioError(f"{path.name} is nested too deeply for a scenario") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: what looks like a date and is none
        raise ScenarioError(f"{path.name} is no YAML: {error}") from None
    if not isinstance(content, dict):
        given = "nothing" if content is None else f"a {type(content).__name__}"
        raise ScenarioError(
            f"{path.name} must hold a mapping with name, title, description and variables; it holds {given}"
        )
    return content


class _StrictLoader(yaml.SafeLoader):
    """The safe loader, which takes the last of two equal keys, made to refuse them."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {key.value!r} is given twice", problem_mark=key.start_mark
                    )
                seen.add(key.value)
        return node
