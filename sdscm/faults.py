"""What is wrong with the content of a scenario, in words for who wrote the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

MOST_FAULTS = 10  # told of one file

Place = tuple[int | str, ...]


def told(errors: list[Any], fields: Callable[[Place], Iterable[str]]) -> str:
    """The faults that pydantic found, one after another.

    That a list is too short goes unsaid where one of its items was refused: such items are not counted, so it need not be.

    Args:
        errors: as ``ValidationError.errors()`` gives them.
        fields: known at the place of one that is not.
    """
    places = [tuple(error["loc"]) for error in errors]
    causes = [
        error
        for error, place in zip(errors, places, strict=True)
        if error["type"] != "too_short" or not any(place == other[: len(place)] != other for other in places)
    ]
    more = [f"and {len(causes) - MOST_FAULTS:,} more"] if len(causes) > MOST_FAULTS else []
    return "; ".join([_fault(error, fields) for error in causes[:MOST_FAULTS]] + more)


def _fault(error: Any, fields: Callable[[Place], Iterable[str]]) -> str:
    place, given = tuple(error["loc"]), error["input"]
    said = f"{'.'.join(map(str, place)) or 'scenario'}: {_message(error)}"
    if isinstance(given, str | bool | int | float):
        said += f"; given {given!r}"
    elif given is None or isinstance(given, date):
        said += f"; given {'nothing' if given is None else given}"
    if error["type"] == "extra_forbidden":
        said += f"; known: {', '.join(fields(place))}"
    elif error["type"] == "string_type" and (given is None or isinstance(given, bool | int | float | date)):
        said += ", which YAML does not read as a text: put it in quotes"
    return said


def _message(error: Any) -> str:
    if error["type"] == "tuple_type":
        return "Input should be a list"
    if error["type"] == "too_short":
        sizes = error["ctx"]
        return f"List should have at least {sizes['min_length']} items; it has {sizes['actual_length']}"
    return str(error["msg"]).removeprefix("Value error, ")
