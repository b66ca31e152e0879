"""What a tuning run depends on, beside its examples."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SftRecipe(BaseModel):
    """Sizes and rates of supervised fine-tuning with LoRA.

    With ``start: shipped`` the adapter that comes with the project is tuned further; it must be of the same base and rank.
    ``share_of_start`` of the weights it began with go into the result, the rest being those it ended with: what is new is
    learned with less of the old forgotten (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
    ``explanations`` is the share of packs that explain results; the others read questions. ``batch_size`` and
    ``micro_batch`` count packs (:mod:`training.packing`), each of up to ``pack`` examples that share a beginning; 1 packs
    nothing. A file's questions are used up to ``repeats`` times, each time over another header
    (:mod:`training.restyling`). The adapter sits on the topmost ``layers`` (None: all), and nothing flows back below them.
    ``evaluations`` is how often development questions (each so-manieth) are read on the way; training stops after
    ``patience`` of them in a row without a new best.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str = "smollm2-135m"
    start: Literal["base", "shipped"] = "base"
    share_of_start: float = Field(default=0.0, ge=0, lt=1)
    explanations: float = Field(default=0.0, ge=0, le=1)
    steps: int = Field(gt=0)
    batch_size: int = Field(default=8, gt=0)
    micro_batch: int = Field(default=2, gt=0)  # in memory at once; gradients add up to the batch
    pack: int = Field(default=1, gt=0)
    repeats: int = Field(default=4, gt=0)
    learning_rate: float = Field(default=1e-3, gt=0)
    warmup_share: float = Field(default=0.05, ge=0, lt=1)
    rank: int = Field(default=16, gt=0)
    alpha: int = Field(default=32, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    layers: int | None = Field(default=None, gt=0)
    most_tokens: int = Field(default=768, gt=0)
    checkpoints: int = Field(default=4, gt=0)
    evaluations: int = Field(default=0, ge=0)
    patience: int = Field(default=3, gt=0)
    every_development_question: int = Field(default=2, gt=0)
    autocast: bool = True
    seed: int = 0


class SecondReaderRecipe(BaseModel):
    """Sizes and rates of tuning a second reader (:mod:`training.second_reader`), by the bundled encoder ``encoder``.

    Each question worded by hand is read ``repeats`` times, from the second time on over another header
    (:mod:`training.restyling`; from the first time on by a reader that goes on from an earlier one); each generated one once.
    ``batch_tokens`` is what a batch may hold, padding included; training ends after ``most_steps`` of them. In the last
    ``cut_share`` of the steps the difference to the bundled encoder is cut down to ``rank`` ``cuts`` times. ``compiled`` has the
    layers of a language model translated first, which needs a C++ compiler and some minutes, and pays in long runs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoder: Literal["sentences", "language model"] = "sentences"
    repeats: int = Field(default=6, gt=0)
    batch_tokens: int = Field(default=2600, ge=512)
    most_steps: int | None = Field(default=None, gt=0)
    learning_rate: float = Field(default=3e-4, gt=0)
    head_learning_rate: float = Field(default=2e-3, gt=0)
    warmup_steps: int = Field(default=100, gt=0)
    rank: int = Field(default=24, gt=0)
    cut_share: float = Field(default=0.3, gt=0, lt=1)
    cuts: int = Field(default=10, gt=0)
    checkpoints: int = Field(default=6, gt=0)
    compiled: bool = False
    seed: int = 0

    @model_validator(mode="after")
    def _compiles(self) -> SecondReaderRecipe:
        if self.compiled and self.encoder != "language model":
            raise ValueError("compiled: only the layers of the language model are")
        return self


class ListwiseRecipe(BaseModel):
    """Sizes and rates of tuning the shipped adapter as the judge of readings (:mod:`training.listwise_training`).

    A row holds up to ``pack`` questions about a file, and up to ``most_tokens`` unless one question needs more; a step takes
    ``rows_of_process`` rows in each process. Log-probabilities count ``sharpness`` times in the choice, what speaks for a
    reading before ``hearing`` times, and the right readings' tokens ``imitation`` times beside it. ``share_of_start`` is that
    of :class:`SftRecipe`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str = "smollm2-135m"
    pack: int = Field(default=6, gt=0)
    most_tokens: int = Field(default=1400, gt=0)
    rows_of_process: int = Field(default=1, gt=0)
    learning_rate: float = Field(default=4e-4, gt=0)
    sharpness: float = Field(default=0.5, gt=0)
    hearing: float = Field(default=0.5, ge=0)
    imitation: float = Field(default=0.5, ge=0)
    share_of_start: float = Field(default=0.0, ge=0, lt=1)
    checkpoints: int = Field(default=6, gt=0)
    autocast: bool = True
    seed: int = 0
