"""The assistant: reads a question about a data file, runs the causal tool, explains the numbers without inventing any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from causal_tools.columns import resolve_column
from causal_tools.contract import CausalQuery, CausalResult, Scalar
from causal_tools.data import DataTable, read_table
from causal_tools.engine import answer
from causal_tools.errors import NotCausal
from causal_tools.evidence import has_causal_evidence, unknown_identifiers
from causal_tools.parsing import MOST_COLUMNS, Reading, read_question
from causal_tools.prompts import interpret_messages
from causal_tools.question_offer import offering, question_offer
from causal_tools.reading_notes import SURE_OF_ALL, as_asked, without_guesses
from causal_tools.second_reading import share_causal
from causal_tools.wording import WordingCheck, check_wording, is_hopeless

MOST_LEVELS = 30
# how long a wording may be: as many tokens as the summary, and some; both tries together a quarter more
TOKENS_BESIDE = 40
MOST_TOKENS = 240


@dataclass(frozen=True)
class Answer:
    """What the assistant gives back.

    Attributes:
        query: the reading that was run.
        result: of the causal tool.
        explanation: the text to show: the model's where it passed every check, else the template.
        worded_by: ``model`` or ``template``.
        wording: why the model's own wording was or was not shown; None where it was not asked for one.
        reading: with the model's confidence in each slot.
        notes: what was assumed about the file and the question.
        seconds: what took how long: ``reading`` and ``wording`` by the language model, ``tool`` by the causal tool.
    """

    query: CausalQuery
    result: CausalResult
    explanation: str
    worded_by: str
    wording: WordingCheck | None
    reading: Reading
    notes: list[str]
    seconds: dict[str, float] = field(default_factory=dict)

    def record(self, model: str) -> dict[str, Any]:
        """The answer as one JSON object.

        Args:
            model: the language model, described; or that none was used.
        """
        return {
            "query": self.query.model_dump(mode="json", exclude_none=True),
            "result": self.result.model_dump(mode="json"),
            "explanation": self.explanation,
            "worded_by": self.worded_by,
            "wording": None if self.wording is None else asdict(self.wording),
            "seconds": self.seconds,
            "model": model,
            "confidence": self.reading.confidence,
            "notes": self.notes,
        }


class Assistant:
    """Answers causal questions about data files.

    Args:
        model: what :func:`lm.load_language_model` returns.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def parse(
        self,
        question: str,
        columns: Sequence[str],
        dataset: str | None = None,
        levels: Mapping[str, Sequence[Scalar]] | None = None,
    ) -> CausalQuery:
        """Read a question; see :meth:`read` for the confidence in it.

        Raises:
            QueryError: the question is empty, or the file has too few columns.
            NotCausal: the question asks for none of the five tasks.
        """
        return self.read(question, columns, dataset, levels).query

    def read(
        self,
        question: str,
        columns: Sequence[str],
        dataset: str | None = None,
        levels: Mapping[str, Sequence[Scalar]] | None = None,
    ) -> Reading:
        """Read a question, with the model's confidence in each slot.

        Raises:
            QueryError: the question is empty, or the file has too few columns.
            NotCausal: the question asks for none of the five tasks.
            ColumnNotFound: the question names a column that the file lacks, or the model had to guess one.
        """
        columns = list(map(str, columns))
        if (
            question.strip()
            and not has_causal_evidence(question, columns)
            and not self._heard_as_causal(question, columns, levels)
        ):
            raise NotCausal(
                f"the question {question.strip()[:80]!r} names no column and asks for no cause or effect. "
                f"The file has: {', '.join(columns[:12])}{', …' if len(columns) > 12 else ''}. "
                + question_offer(question, columns, levels or {})
            )
        known = [
            *map(str, columns),
            *(str(level) for values in (levels or {}).values() for level in values),
            dataset or "",
        ]
        for name in unknown_identifiers(question, known):
            resolve_column(name, [str(column) for column in columns], dataset or "the data")
        with offering(question, columns, levels):
            reading = without_guesses(read_question(self.model, question, columns, dataset, levels), question, columns)
        return as_asked(reading, question, columns, levels or {})

    def _heard_as_causal(
        self, question: str, columns: Sequence[str], levels: Mapping[str, Sequence[Scalar]] | None
    ) -> bool:
        shown = columns[:MOST_COLUMNS]
        return len(shown) > 1 and share_causal(question, shown, levels, self.model) >= SURE_OF_ALL

    def ask(
        self,
        data: str | Path | DataTable,
        question: str = "",
        *,
        query: CausalQuery | None = None,
        edit: Callable[[Reading], CausalQuery] | None = None,
        seed: int = 0,
        wording: bool = True,
        checks: bool = True,
    ) -> Answer:
        """Parse, run, explain.

        Args:
            data: a file (CSV, TSV, Parquet, Excel), or a table already read.
            question: in words.
            query: what to run, where a person has said it in full; then no question is read.
            edit: sees the reading before anything runs, and returns the query to run.
            seed: of cross-fitting, resampling and generation.
            checks: test the answer too; see :func:`causal_tools.answer`.
            wording: let the model word the explanation too; the template stands in where that fails a check.

        Raises:
            CausalToolsError: the file, the question or the query cannot be used; the message says what would do.
        """
        table = data if isinstance(data, DataTable) else read_table(data)
        columns = [str(name) for name in table.frame.columns]
        begin = perf_counter()
        reading = Reading(query) if query else self.read(question, columns, table.name, known_levels(table))
        read = perf_counter()
        query = query or (edit(reading) if edit else reading.query)
        asked = perf_counter()
        result = answer(query, table, seed=seed, checks=checks)
        told = perf_counter()
        text, check = self.word(question, result, columns, seed) if wording else (result.summary, None)
        shown = check is not None and check.passed
        return Answer(
            query=query,
            result=result,
            explanation=text if shown else result.summary,
            worded_by="model" if shown else "template",
            wording=check,
            reading=reading,
            notes=list(dict.fromkeys([*table.notes, *reading.notes])),
            seconds={"reading": read - begin, "tool": told - asked, "wording": perf_counter() - told},
        )

    def word(
        self, question: str, result: CausalResult, columns: Sequence[str] = (), seed: int = 0
    ) -> tuple[str, WordingCheck]:
        """The model's wording: greedily first, then once sampled; the last one tried with its faults.

        A try ends with the first thing it invents; what it has not used of its tokens goes to the next.

        Args:
            columns: of the data file; those that the result does not name may not appear.
        """
        prompt = self.model.chat_text(interpret_messages(question, result))
        length = min(MOST_TOKENS, TOKENS_BESIDE + self.model.count_tokens(result.summary))
        left = length * 5 // 4
        text, check = "", WordingCheck([], ["an explanation"])
        for temperature in (0.0, 0.6):
            text = self.model.generate(
                [prompt],
                max_new_tokens=min(length, left),
                temperature=temperature,
                seed=seed,
                stop=lambda grown: is_hopeless(grown, result, columns),
            )[0].strip()
            check = check_wording(text, result, columns)
            left -= self.model.count_tokens(text)
            if check.passed or left <= 0:
                break
        return text, check


def _plain(level: Scalar) -> Scalar:
    return int(level) if isinstance(level, float) and level.is_integer() else level


def known_levels(table: DataTable) -> dict[str, list[Scalar]]:
    """Levels of the columns that have few: what a condition on them may be compared with. Whole numbers are such, also where
    a missing value has made the column one of fractions."""
    kinds = {name for name, kind in table.kinds.items() if kind in ("binary", "categorical")}
    found: dict[str, list[Scalar]] = {}
    for name in kinds:
        levels = [_plain(level) for level in table.frame[name].dropna().unique().tolist()]
        if 0 < len(levels) <= MOST_LEVELS:
            found[name] = sorted(levels, key=str)
    return found
