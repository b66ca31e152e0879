"""What a person at the page does, step by step: open a file, have a question read, have the form answered.

Each step takes a session and gives a new one, so that nothing of one person is seen by another.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd

from causal_tools.assistant import Answer, Assistant, known_levels
from causal_tools.contract import CausalQuery, Scalar
from causal_tools.data import DataTable, read_table
from causal_tools.errors import CausalToolsError, DataFileError, QueryError
from causal_tools.parsing import Reading
from causal_tools.treatment import native
from lm.errors import LanguageModelError
from orchestration.readings import reading_line
from orchestration.web_form import Form, query_of
from orchestration.web_model import SharedModel

log = logging.getLogger("causalsmith.web")
MOST_MEGABYTES = 50
MOST_LEVELS_KEPT = 5000
NO_MODEL = "none was used"


@dataclass(frozen=True)
class Session:
    """What one person has open.

    Attributes:
        table: the data file, or None.
        opened: names this opening of the file, so that what was read for another is told from it.
        levels: of columns whose values keep a type of their own.
        question: the question that was read, or empty.
        reading: how it was read, or None.
        reader: the model that read it, described, or empty.
    """

    table: DataTable | None = None
    opened: str = ""
    levels: dict[str, list[Scalar]] = field(default_factory=dict)
    question: str = ""
    reading: Reading | None = None
    reader: str = ""

    @property
    def columns(self) -> list[str]:
        return [str(name) for name in self.table.frame.columns] if self.table is not None else []


class Trouble(Exception):
    """What is shown to the person in place of what they asked for."""


@contextmanager
def in_words() -> Iterator[None]:
    """A fault that a person can mend is told as it is; any other with an apology, and logged.

    Raises:
        Trouble: with the words to show.
    """
    try:
        yield
    except (CausalToolsError, LanguageModelError) as error:
        raise Trouble(str(error)) from error
    except MemoryError as error:
        log.exception("out of memory")
        raise Trouble("this needs more memory than there is; try fewer rows, or a smaller file") from error
    except Exception as error:
        log.exception("an unexpected fault")
        raise Trouble(f"sorry, that went wrong in a way nobody foresaw ({type(error).__name__}: {error})") from error


def open_file(path: str | None) -> Session:
    """Read an uploaded file; nothing of an earlier file is kept."""
    if path is None:
        return Session()
    size = Path(path).stat().st_size if Path(path).exists() else 0
    if size > MOST_MEGABYTES * 2**20:
        raise DataFileError(f"{Path(path).name} has {size / 2**20:.0f} MB; this page takes at most {MOST_MEGABYTES} MB")
    table = read_table(path)
    return Session(table, uuid4().hex, {**_texts(table.frame), **known_levels(table)})


def current(opened: Session, heard: Session | None) -> Session:
    """The session with its reading, where that is of the file that is open now: a reading may end after another upload."""
    return heard if heard is not None and heard.opened == opened.opened else opened


def read(session: Session, question: str, model: SharedModel) -> Session:
    """Have the model read a question."""
    table = _table(session)
    if not question.strip():
        raise QueryError('there is no question yet. Ask, for example: "What is the effect of drug on pain?"')
    with model.lock:
        model.look_again()
        reading = Assistant(model).read(question, session.columns, table.name, known_levels(table))
        return replace(session, question=question.strip(), reading=reading, reader=model.describe())


def query_asked(session: Session, form: Form, question: str = "") -> CausalQuery:
    """The query that the form says.

    Raises:
        CausalToolsError: no file is open, or the form says no query.
    """
    table = _table(session)
    read_query = session.reading.query if session.reading is not None else None
    try:
        return query_of(form, session.columns, session.levels, table.name, read_query)
    except QueryError as error:
        if question.strip() and session.reading is None:
            raise QueryError(
                f"{error}. The question has not been read: press Read first, or fill in the form"
            ) from error
        raise


def answer(session: Session, query: CausalQuery) -> Answer:
    """Run the tool on the query, and on nothing else; the template explains."""
    given = Assistant(None).ask(_table(session), query=query, wording=False)
    if session.reading is None or session.reading.query != query:
        return given
    return replace(given, reading=session.reading, notes=list(dict.fromkeys([*given.notes, *session.reading.notes])))


def word(session: Session, given: Answer, model: SharedModel) -> Answer:
    """The answer with the model's explanation where that passes every check."""
    as_read = session.reading is not None and session.reading.query == given.query
    asked = session.question if as_read else reading_line(given.query)
    with model.lock:  # or another person's reading could change the model half-way
        text, check = Assistant(model).word(asked, given.result, session.columns)
    if not check.passed:
        return replace(given, wording=check)
    return replace(given, wording=check, explanation=text, worded_by="model")


def remark(session: Session, question: str) -> str:
    """A warning where the question that stands on the page is not the one that the form was filled from."""
    question = question.strip()
    if not question or question == session.question:
        return ""
    return "the question above has not been read as it stands; this answers what the form says"


def treatment_levels(session: Session, treatment: str) -> list[str]:
    """The levels to compare, where the treatment has few."""
    if session.table is None or treatment not in session.columns:
        return []
    column = session.table.frame[treatment]
    if session.table.kinds.get(treatment) == "discrete":
        return [str(native(value)) for value in sorted(column.dropna().unique())]
    return [str(level) for level in known_levels(session.table).get(treatment, [])]


def _table(session: Session) -> DataTable:
    if session.table is None:
        raise DataFileError("no data file is open. Upload one first: CSV, TSV, Parquet or Excel, with a header line")
    return session.table


def _texts(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Values of the columns of text, which may look like numbers and are none."""
    found = {}
    for name in frame.columns:
        if pd.api.types.is_string_dtype(frame[name]):
            values = frame[name].dropna().unique().tolist()
            if len(values) <= MOST_LEVELS_KEPT:
                found[str(name)] = values
    return found
