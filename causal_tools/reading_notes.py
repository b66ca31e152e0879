"""What a reading is given before it is run: what its own fields do not hold, and notes for those who asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from causal_tools.contract import Scalar
from causal_tools.contrast_said import contrast_said, level_asked
from causal_tools.covariates_said import covariates_said
from causal_tools.errors import ColumnNotFound
from causal_tools.evidence import left_out, unsupported_roles
from causal_tools.goal_said import lower_is_wanted
from causal_tools.names_said import column_mentions
from causal_tools.parsing import Reading
from causal_tools.question_words import places_of
from causal_tools.reading_evidence import QuestionEvidence

# below the first, a column that no word of the question is like is taken for a guess; below the second, two of them, and so is
# the task where nothing in the question's words asks for causes
SURE, SURE_OF_ALL = 0.6, 0.9


def as_asked(
    reading: Reading, question: str, columns: Sequence[str], levels: Mapping[str, Sequence[Scalar]]
) -> Reading:
    """The reading with what its fields do not hold: which response is better, which levels are compared, what is adjusted for;
    and notes on these, and on what of the question it does not use."""
    reading = with_contrast(with_goal(reading, question, columns), question, levels)
    return _unused_noted(with_covariates(reading, question, columns), question, columns, levels)


def without_guesses(reading: Reading, question: str, columns: Sequence[str]) -> Reading:
    """The reading with a note on every column that the question does not name in words, unless the model had to guess it.

    People often describe a column instead of naming it, so one unnamed column is only noted where the model is sure of it.
    """
    unnamed = unsupported_roles(question, reading.query)
    sure = [(role, _sureness(reading, role, column)) for role, column in unnamed]
    unsure = [role for role, how in sure if how < SURE]
    roles = [how for role, how in sure if role in ("treatment", "response")]
    both = len(roles) == 2 and min(roles) < SURE_OF_ALL
    if unsure or both:
        role = unsure[0] if unsure else "treatment"
        raise ColumnNotFound(
            f"no column seems to be the {role} that the question asks about. The file has: {', '.join(map(str, columns))}. "
            f"Name the column as the file does"
        )
    notes = [f"the question does not name {column!r}; it was read as the {role}" for role, column in unnamed]
    notes += map(_left_out, left_out(question, reading.query, columns))
    return replace(reading, notes=[*reading.notes, *notes])


def with_goal(reading: Reading, question: str, columns: Sequence[str]) -> Reading:
    """The reading of a question for the best action, with whether less of the response is better, and a note on it."""
    query = reading.query
    if query.task != "OPO":
        return reading
    text = " ".join(question.split())
    named = column_mentions(text, columns)
    places = {
        column: [(one.start, one.end) for one in named if one.column == column]
        + places_of(reading.said.get(column, column), text)
        for column in query.columns()
    }
    response = str(query.response)
    own = places.pop(response)
    less = lower_is_wanted(text, response, own, [place for others in places.values() for place in others])
    told = {
        True: f"the question wants less of {response!r}: the action of lowest mean is sought",
        None: f"the question does not say whether more or less of {response!r} is wanted: more is taken to be better",
    }
    notes = [*reading.notes, *([told[less]] if less in told else [])]
    return replace(reading, query=query.model_copy(update={"lower_is_better": bool(less)}), notes=notes)


def with_contrast(reading: Reading, question: str, levels: Mapping[str, Sequence[Scalar]]) -> Reading:
    """The reading of a question for an effect, with the two levels of the treatment that it compares, and a note on them."""
    query = reading.query
    if query.task not in ("ATE", "HTE", "MA"):
        return reading
    own = levels.get(str(query.treatment), ())
    contrast, why = contrast_said(question, own), "as the question says"
    if contrast is None and query.task != "MA":
        contrast, why = level_asked(question, own, str(query.treatment)), "since the question asks about the former"
    if contrast is None:
        return reading
    note = f"{contrast[1]} is compared with {contrast[0]}, {why}"
    return replace(reading, query=query.model_copy(update={"contrast": contrast}), notes=[*reading.notes, note])


def with_covariates(reading: Reading, question: str, columns: Sequence[str]) -> Reading:
    """The reading of a question that says what to adjust for, with these columns where it names all of them, and a note.

    Where it only describes one, the tool chooses by its rule, as where nothing is said.
    """
    query = reading.query
    if query.task == "CGL":
        return reading
    said = covariates_said(" ".join(question.split()), columns)
    covariates = tuple(column for column in said.columns if column not in query.columns())
    notes = [
        f"the question adjusts for {words!r}, which no column is surely meant by; what is adjusted for was chosen by rule"
        for words in said.others
    ]
    before = reading.notes
    if covariates and not said.others:
        query = query.model_copy(update={"covariates": covariates})
        notes = [f"adjusted for {', '.join(covariates)} and nothing else, as the question says"]
        before = [note for note in before if note not in map(_left_out, covariates)]
    return replace(reading, query=query, notes=[*before, *notes])


def _left_out(column: str) -> str:
    return f"the question names {column!r}, which this reading leaves out"


def _unused_noted(
    reading: Reading, question: str, columns: Sequence[str], levels: Mapping[str, Sequence[Scalar]]
) -> Reading:
    """The reading with a note on each number and each level of the file that the question says in vain."""
    query = reading.query
    if query.nodes is not None:
        return reading
    values = [value for condition in query.conditions for value in condition.all_values]
    evidence = QuestionEvidence(" ".join(question.split()), columns, levels)
    unused = evidence.unused(query.columns(), values, reading.said)
    said = [*unused["number_left_out"], *map(repr, unused["level_left_out"])]
    notes = [f"the question says {what}, which this reading does not use" for what in said]
    return replace(reading, notes=[*reading.notes, *notes])


def _sureness(reading: Reading, role: str, column: str) -> float:
    """How sure the model is of a column in its role, or the second readers, whichever is surer."""
    slot = role
    if role == "condition":
        slot = (
            f"where {list(dict.fromkeys(condition.column for condition in reading.query.conditions)).index(column) + 1}"
        )
    return max(reading.confidence.get(slot, 0.0), reading.heard.get(slot, 0.0))
