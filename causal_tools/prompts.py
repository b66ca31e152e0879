"""What the language model reads and writes: one form, used in training and in answering alike.

A reading is one line of words such as ``subgroup: the new drug = dose on fev1 where age is over 60.`` Every piece of it is a
value and the word that closes it; values are chosen from closed lists (:mod:`causal_tools.reading_form`). A column that the
question does not name literally comes after the question's own words for it, so that a small model first finds who is meant
and then what it is called. A name follows a space, as it does in the list of columns, so that it has the same tokens in both
places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from causal_tools.contract import CausalQuery, CausalResult, Operator, Scalar
from causal_tools.question_words import level_hints

NOT_CAUSAL = "NONE"
TASK_WORDS = {  # plain words for the model's reading: a small model knows them, and not the abbreviations
    "CGL": "graph",
    "ATE": "effect",
    "HTE": "subgroup",
    "MA": "mediation",
    "OPO": "action",
    NOT_CAUSAL: "none",
}
OPERATOR_WORDS: dict[Operator, str] = {  # each begins with another token, so that the first one decides
    "=": "exactly",
    ">": "over",
    ">=": "from",
    "<": "under",
    "<=": "to",
    "!=": "not",
    "in": "among",
}
ALL_COLUMNS = "all columns"
QUESTION, LEVELS = "\nQuestion: ", "\nLevels: "
END, WHERE, THROUGH, AND, OR, IS, NEXT, MEANS = ".", " where", " through", " and", " or", " is", ",", " ="
ROLE_LINK = {"CGL": ",", "ATE": " on", "HTE": " on", "MA": " on", "OPO": " for"}


class Piece(NamedTuple):
    """One value of a reading: the field that it fills, how it is written, and what closes it."""

    field: str
    text: str
    closing: str


def parse_messages(
    question: str, columns: Sequence[str], levels: Mapping[str, Sequence[Scalar]] | None = None
) -> list[dict[str, str]]:
    """The conversation that asks for the reading of a question, over the columns of its data file.

    The question comes after the columns, which questions about one file share, and before those levels of the columns that it
    speaks of, where ``levels`` are known.
    """
    hints = level_hints(question, levels or {}, columns)
    said = f"{LEVELS}{'; '.join(f'{column} is {level}' for column, level in hints)}" if hints else ""
    return [
        {"role": "system", "content": "Read the causal question."},
        {"role": "user", "content": f"Columns: {', '.join(columns)}{QUESTION}{' '.join(question.split())}{said}"},
    ]


def pieces_of(query: CausalQuery | None, said: Mapping[str, str] | None = None) -> list[Piece]:
    """A query as the pieces of its reading, in the order in which they are written; None is a question of no causal task.

    A condition is written as ``where``, ``is`` and its ``value`` (several for ``in``).

    Args:
        said: by column, the question's words for it, where these are not its name.
    """
    if query is None:
        return [Piece("task", TASK_WORDS[NOT_CAUSAL], END)]
    task = Piece("task", TASK_WORDS[query.task], ":")

    def named(column: str | None) -> str:
        words = (said or {}).get(column or "")
        return f" {words}{MEANS} {column}" if words else f" {column}"

    if query.task == "CGL":
        nodes = [ALL_COLUMNS] if isinstance(query.nodes, str) else list(query.nodes or [])
        return [task, *(Piece("node", named(name), NEXT) for name in nodes[:-1]), Piece("node", named(nodes[-1]), END)]
    goes_on = THROUGH if query.mediator else WHERE if query.conditions else END
    pieces = [
        task,
        Piece("treatment", named(query.treatment), ROLE_LINK[query.task]),
        Piece("response", named(query.response), goes_on),
    ]
    if query.mediator:
        pieces.append(Piece("mediator", named(query.mediator), END))
    for number, condition in enumerate(query.conditions, start=1):
        *first, last = condition.all_values
        after = AND if number < len(query.conditions) else END
        pieces += [
            Piece("where", named(condition.column), IS),
            Piece("is", f" {OPERATOR_WORDS[condition.operator]}", ""),
            *(Piece("value", f" {value}", OR) for value in first),
            Piece("value", f" {last}", after),
        ]
    return pieces


def reading_text(query: CausalQuery | None, said: Mapping[str, str] | None = None) -> str:
    """The reading that a model is trained to write, such as ``effect: the new drug = dose on fev1.``"""
    return "".join(piece.text + piece.closing for piece in pieces_of(query, said))


def interpret_messages(question: str, result: CausalResult) -> list[dict[str, str]]:
    """The conversation that asks for an explanation of a result in a few plain sentences."""
    return [
        {
            "role": "system",
            "content": "Explain the result of a causal analysis in at most four plain sentences. Use its numbers only.",
        },
        {"role": "user", "content": f"Question: {' '.join(question.split())}\nResult: {result.summary}"},
    ]
