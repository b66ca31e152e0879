"""Every size in the pipeline, in one place: a profile is a YAML file read into this schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from assets.errors import SettingsError
from sdscm import list_scenarios
from sdscm.benchmark import OutcomeKind
from sdscm.knobs import Knobs
from sdscm.noise import Coupling
from training.recipe import SecondReaderRecipe, SftRecipe

Schema = TypeVar("Schema", bound=BaseModel)
Variant = Literal["retrieve", "interpret", "mixed"]
LanguageModelName = Literal["smollm2-135m", "tiny"]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]  # below 0, or no number, it would hold no cap


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class QuerySizes(_Settings):
    """Synthetic questions: how many a task, and how many topics are kept for testing.

    Topics of held-out questions are never in training; with ``unseen_families`` their phrasing families are not either.
    With ``written``, the questions written by hand are in training too; and of each causal task, ``reworded_per_task``
    generated ones are put into other words by the profile's writer.
    """

    train_per_task: int = Field(gt=0)
    held_out_per_task: int = Field(gt=0)
    held_out_topics: float = Field(default=0.25, gt=0, lt=1)
    unseen_families: bool = True
    written: bool = True
    reworded_per_task: int = Field(default=0, ge=0)
    annotation_tasks: int = Field(gt=0)

    @property
    def unseen(self) -> tuple[str, ...]:
        """What a held-out question must not share with any training question."""
        return ("topic", "family", "question") if self.unseen_families else ("topic", "question")


class InterpretationSizes(_Settings):
    """Result-and-explanation pairs: how many a task, over simulated files of how many rows."""

    pairs_per_task: int = Field(gt=0)
    rows: int = Field(default=1000, ge=200)


class AuditSizes(_Settings):
    """The audit of encoded effects: phrasings, how many of them with other sample spaces, and data sets a phrasing."""

    phrasings: int = Field(default=20, ge=2)
    variant_phrasings: int = Field(default=5, ge=0)
    seeds: int = Field(default=5, ge=2)
    rows: int = Field(default=1000, ge=2)


class SdScmSizes(_Settings):
    """SD-SCM data sets: which scenarios and language models, how large, and how turned (see ``sdscm.knobs``)."""

    scenarios: tuple[str, ...] = Field(min_length=1)
    language_models: tuple[LanguageModelName, ...] = Field(min_length=1)
    rows: int = Field(gt=0)
    phrasing: int = 0
    rule: Literal["sum", "mean", "pmi"] = "sum"
    temperature: float = Field(default=1.0, ge=1e-6, allow_inf_nan=False)
    false_discovery: float = Field(default=0.01, gt=0, le=0.5)
    least_treatment_probability: float = Field(default=0.01, ge=0, lt=0.5)
    coupling: Coupling = "gumbel"
    outcome: OutcomeKind = "level"
    knobs: Knobs = Knobs()
    audit: AuditSizes = AuditSizes()

    @field_validator("scenarios")
    @classmethod
    def _are_there(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if strange := [name for name in names if name not in list_scenarios()]:
            raise ValueError(f"no scenario {strange[0]!r}; there are: {', '.join(list_scenarios())}")
        return names


class EvaluationSizes(_Settings):
    """Of each causal task, how many held-out questions are also answered on simulated files, and how many results explained.

    ``untuned_per_task`` is how many questions of each task the untuned model reads where it is only shown, not to be beaten
    (None: all); it is sure of nothing, so a search takes it ten times as long.
    """

    untuned_per_task: int | None = Field(default=None, gt=0)
    answers_per_task: int = Field(default=30, ge=0)
    explanations_per_task: int = Field(default=10, ge=0)
    rows: int = Field(default=1000, ge=200)


class EndpointSettings(_Settings):
    """A hosted model: an exact snapshot, what may be spent on it, and how it may be asked (see ``lm.api.ChatEndpoint``).

    Prices are looked up by the model's name, unless ``dollars_per_million`` (prompt, completion) states them.
    """

    model: str = "gpt-4-turbo-2024-04-09"
    base_url: str | None = None
    key_variable: str = "OPENAI_API_KEY"
    dollars_per_million: tuple[Price, Price] | None = None
    spend_cap: float = Field(default=1.0, ge=0)
    timeout: float = Field(default=60.0, gt=0)
    tries: int = Field(default=4, gt=0)
    first_wait: float = Field(default=1.0, ge=0)
    calls_per_minute: int | None = Field(default=None, gt=0)
    at_once: int = Field(default=4, gt=0)


class Recipes(_Settings):
    """How each variant of the assistant is tuned: reading questions, explaining results, or both; and how the second reader
    beside them is tuned further (None: it stays as it ships)."""

    retrieve: SftRecipe
    interpret: SftRecipe
    mixed: SftRecipe
    second_reader: SecondReaderRecipe | None = None

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.retrieve.explanations != 0 or self.interpret.explanations != 1:
            raise ValueError("a retrieve recipe has explanations: 0, an interpret recipe has explanations: 1")
        return self

    def of(self, variant: str) -> SftRecipe:
        """The recipe of a variant by name."""
        return SftRecipe.model_validate(getattr(self, variant))


class Profile(_Settings):
    """Sizes and settings of one way to run the pipeline."""

    name: str
    purpose: str
    seed: int = Field(default=0, ge=0)
    queries: QuerySizes
    interpretation: InterpretationSizes
    training: Recipes
    variants: tuple[Variant, ...] = ("mixed",)
    sdscm: SdScmSizes
    baseline: EndpointSettings = EndpointSettings()
    margins: Path | None = None  # of the gate: another file than validation/margins.yaml, for one that measures less
    writer: EndpointSettings = EndpointSettings()
    judge: EndpointSettings | None = None
    evaluation: EvaluationSizes = EvaluationSizes()

    @field_validator("variants")
    @classmethod
    def _has_the_assistant(cls, names: tuple[Variant, ...]) -> tuple[Variant, ...]:
        if "mixed" not in names:
            raise ValueError("'mixed' must be among them: it is the one that is registered")
        return names

    @property
    def base(self) -> str:
        """The language model that the assistant is tuned from."""
        return self.training.mixed.base


def read_profile(path: Path) -> Profile:
    """Read a profile.

    A relative path of margins is meant from the profile's own folder.

    Raises:
        SettingsError: the file, or that of the margins, is missing or does not fit the schema; the message names the field.
    """
    if not path.exists():
        others = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml")))
        raise SettingsError(f"no profile {path.stem!r} in {path.parent}; there are: {others}")
    profile = read_yaml(path, Profile, "profile", name=path.stem)
    if profile.margins is None:
        return profile
    from validation.gates import read_margins

    margins = path.absolute().parent / profile.margins.expanduser()
    try:
        read_margins(margins)
    except (OSError, ValueError) as error:  # now, and not when a night comes to its gate
        raise SettingsError(f"profile {path.name}: margins: {error}") from None
    return profile.model_copy(update={"margins": margins})


def read_yaml(path: Path, schema: type[Schema], what: str, **given: Any) -> Schema:
    """Read a YAML file of fields into its schema; an empty one has none.

    Args:
        what: the file is, for messages.
        given: fields that the file need not have.

    Raises:
        SettingsError: it is no YAML, no fields, or does not fit the schema; the message names the place.
    """
    try:
        text = path.read_text(encoding="utf-8")
        fields = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{what} {path.name} is no YAML: {error}") from None
    if not isinstance(fields, dict | None):
        raise SettingsError(f"{what} {path.name} holds no fields, such as `name: value`, but {type(fields).__name__}")
    if twice := _said_twice(text):
        raise SettingsError(f"{what} {path.name} says {twice} twice in one place; which of them counts?")
    try:
        return schema.model_validate({**given, **(fields or {})})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"{what} {path.name}: {problems}") from None


def _said_twice(text: str) -> str | None:
    """A key that stands twice in one mapping of a YAML text, with its line: the reader takes the last without a word."""
    nodes, seen = [yaml.compose(text, Loader=yaml.SafeLoader)], set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            keys = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in keys:
                    return f"{key.value!r} (line {key.start_mark.line + 1})"
                keys.add(str(key.value))
                nodes.append(value)
        elif isinstance(node, yaml.SequenceNode):
            nodes += node.value
    return None
