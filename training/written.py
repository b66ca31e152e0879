"""Questions written by hand over the columns of named data sets, as YAML: one entry a data set.

Those under ``training/written_questions`` are for training. They were written by a language model in the manner of different
people, over invented headers, apart from the grammar and from every test set.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from causal_tools.contract import CausalQuery, Condition
from training.grammar.engine import FamilyTask
from training.queries import QueryItem, with_id
from training.topic_library import Level
from training.yaml_files import read_yaml

FOLDER = Path(__file__).parent / "written_questions"


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid")

    task: FamilyTask
    question: str
    treatment: str | None = None
    response: str | None = None
    mediator: str | None = None
    conditions: tuple[Condition, ...] = ()
    nodes: tuple[str, ...] | Literal["all"] | None = None
    names_file: bool = False
    said: dict[str, str] = {}  # by column that is not named literally: the words for it


class _DataSet(BaseModel):
    model_config = ConfigDict(extra="forbid")

    data_set: str
    file: str
    columns: tuple[str, ...]
    levels: dict[str, tuple[Level, ...]]
    questions: tuple[_Question, ...]


def load_written(folder: Path = FOLDER) -> tuple[QueryItem, ...]:
    """Every question of a folder, in the order of its files."""
    return tuple(item for path in sorted(folder.glob("*.yaml")) for item in read_written(path, f"written-{path.stem}"))


def read_written(path: Path, family: str = "written") -> tuple[QueryItem, ...]:
    """Questions written by hand, from YAML: a list of data sets, each with its columns, levels and questions.

    The data set stands for the topic, and ``family`` for the phrasing family.

    Raises:
        ValueError: the file breaks the form; the message names the place.
    """
    try:
        sets = [_DataSet.model_validate(entry) for entry in read_yaml(path)]
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return tuple(_item(question, held, family) for held in sets for question in held.questions)


def _item(asked: _Question, held: _DataSet, family: str) -> QueryItem:
    dataset = held.file if asked.names_file else None
    query: dict[str, Any] | None = None
    if asked.task != "NONE":
        fields = asked.model_dump(exclude={"question", "names_file", "said"}, exclude_none=True)
        query = CausalQuery.model_validate({**fields, "dataset": dataset}).model_dump(mode="json")
    return with_id(
        QueryItem(
            id="new",
            task=asked.task,
            topic=held.data_set,
            family=family,
            question=asked.question,
            dataset=dataset,
            columns=held.columns,
            query=query,
            levels=held.levels,
            said=asked.said,
        )
    )
