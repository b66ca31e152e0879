"""What the options of a command mean, in the words of a scenario: knobs, levels, laws."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdscm import Scenario
    from sdscm.variable import Variable


def turned(scenario: "Scenario", knobs: dict[str, float | None]) -> "Scenario":
    """The scenario with the knobs that are given, and its own where none is."""
    given = {name: value for name, value in knobs.items() if value is not None}
    return scenario.turned(**{**scenario.knobs.model_dump(), **given}) if given else scenario


def pairs(texts: list[str], option: str) -> dict[str, str]:
    """What follows NAME= by name; each name once."""
    from sdscm import ScenarioError

    found: dict[str, str] = {}
    for name, level in (_pair(text, option) for text in texts):
        if name in found:
            raise ScenarioError(f"{option} names {name!r} twice, with {found[name]!r} and {level!r}; give it once")
        found[name] = level
    return found


def _pair(text: str, option: str) -> tuple[str, str]:
    from sdscm import ScenarioError

    name, separator, level = text.partition("=")
    if not separator or not name.strip() or not level.strip():
        raise ScenarioError(f"{option} takes NAME=LEVEL; given {text!r}")
    return name.strip(), level.strip()


def level_or_law(variable: "Variable", text: str) -> str | dict[str, float]:
    """A level, or shares of levels: ``no:0.3|yes:0.7``. What is exactly one of the variable's levels is that level."""
    from sdscm import ScenarioError

    if text in variable.levels:
        return text
    law: dict[str, float] = {}
    for part in text.split("|"):
        level, separator, share = (each.strip() for each in part.rpartition(":"))
        try:
            number = float(share)
        except ValueError:
            return text
        if not separator:
            return text
        if level in law:
            raise ScenarioError(f"--do gives {level!r} of {variable.name!r} the shares {law[level]:g} and {number:g}")
        law[level] = number
    return law


def require_levels(scenario: "Scenario", do: dict[str, Any], given: dict[str, str]) -> None:
    """Refuse what does not fit before a language model is loaded."""
    from sdscm.interventions import read_given

    read_given(scenario, given, do)
