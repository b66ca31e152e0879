"""A question that would be understood, in a file's own columns, for those whose own was refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from causal_tools.columns import name_parts
from causal_tools.contract import Scalar
from causal_tools.errors import ColumnNotFound, NotCausal
from causal_tools.names_said import column_mentions
from causal_tools.repeated_units import NUMBER_WORDS, UNIT_WORDS

NO_ROLE = UNIT_WORDS | NUMBER_WORDS | {"date", "time", "name", "row", "index"}


@contextmanager
def offering(question: str, columns: Sequence[str], levels: Mapping[str, Sequence[Scalar]] | None) -> Iterator[None]:
    """A refusal within ends with a sentence that says how to ask."""
    try:
        yield
    except (NotCausal, ColumnNotFound) as error:
        offer = question_offer(question, columns, levels or {})
        raise type(error)(f"{str(error).rstrip('.')}. {offer}" if offer else str(error)) from error


def question_offer(question: str, columns: Sequence[str], levels: Mapping[str, Sequence[Scalar]]) -> str:
    """How to ask for an effect: of columns that the question names where it does, else of two that could be meant.

    >>> question_offer("pain?", ["id", "drug", "pain"], {"drug": ["no", "yes"]})
    'Say, for example: "What is the effect of drug on pain?"'
    """
    able = [name for name in columns if name.strip() and not set(name_parts(name)) & NO_ROLE] or list(columns)
    mentions = column_mentions(" ".join(question.split()), columns)
    named = [name for name in dict.fromkeys(mention.column for mention in mentions) if name in able]
    choices = [name for name in able if len(levels.get(name, ())) == 2] + [name for name in able if name in levels]
    amounts = [name for name in able if name not in levels]
    if len(named) > 1:
        treatment, response = named[:2]
    elif named and named[0] in amounts:
        response = named[0]
        treatment = next((name for name in [*choices, *able] if name != response), "")
    else:
        treatment = next(iter([*named, *choices, *able]), "")
        response = next((name for name in [*amounts[::-1], *able] if name != treatment), "")
    if not treatment or not response:
        return ""
    return f'Say, for example: "What is the effect of {treatment} on {response}?"'
