"""What a pointer reads with: the bundled sentence encoder, or the bundled language model with its upper layers unmasked.

A language model sees from each token only what stands before it. In the upper layers of :class:`UnmaskedDecoder` every token sees
the whole row, so that a text is read in the light of its items; the lower ones stay as they were trained.

Source: Dukić and Šnajder (2024), "Looking Right is Sometimes Right", for taking the mask off the upper layers of a decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import torch
from torch import nn

from lm.bundled import bundled_directory
from lm.load import with_adapter
from lm.sentences import encoder_folder

EncoderKind = Literal["sentences", "language model"]
DECODER_LAYERS = 24  # of 30: the last ones are about the next token
MASKED_LAYERS = 10


@dataclass(frozen=True)
class RowTokens:
    """How a text and its items become tokens.

    Attributes:
        tokenizer: of the encoder.
        start: before the text.
        separator: after the text and after each item.
        lead: what stands before an item or an option, as within a sentence.
    """

    tokenizer: Any
    start: int
    separator: int
    lead: str = ""

    def ids(self, texts: list[str], most: int) -> list[list[int]]:
        """At most so many tokens of each text."""
        if not texts:
            return []
        plain = {"add_special_tokens": False, "truncation": True, "return_attention_mask": False}
        return [
            list(ids)
            for ids in self.tokenizer([self.lead + text for text in texts], max_length=most, **plain)["input_ids"]
        ]


class UnmaskedDecoder(nn.Module):
    """The lower layers of a decoder as they are, and further ones in which all tokens of a row see each other.

    Args:
        model: of ``transformers``, Llama-like, without its head.
        layers: how many are kept.
        masked: how many of them see only what stands before.
    """

    def __init__(self, model: Any, layers: int = DECODER_LAYERS, masked: int = MASKED_LAYERS) -> None:
        super().__init__()
        model.layers = model.layers[:layers]
        self.model, self.masked, self.config = model, masked, model.config

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> Any:
        """``last_hidden_state`` (rows, tokens, width), after the norm; padding stands at the end of a row."""
        hidden = self.model.embed_tokens(input_ids)
        tokens = input_ids.shape[1]
        places = torch.arange(tokens)[None]
        turns = self.model.rotary_emb(hidden, places)
        seen = attention_mask[:, None, None, :].bool().expand(-1, 1, tokens, tokens)
        before = seen & torch.ones(tokens, tokens, dtype=torch.bool).tril()
        masks = [
            torch.zeros(one.shape, dtype=hidden.dtype).masked_fill(~one, torch.finfo(hidden.dtype).min)
            for one in (before, seen)
        ]
        for number, layer in enumerate(self.model.layers):
            hidden = layer(
                hidden, attention_mask=masks[number >= self.masked], position_ids=places, position_embeddings=turns
            )
        return SimpleNamespace(last_hidden_state=self.model.norm(hidden))


def bundled_encoder(kind: EncoderKind, adapter: Path | None = None) -> nn.Module:
    """The encoder as it comes, in float32; a language model with the LoRA adapter of a folder merged into it, if one is given.

    Raises:
        ModelNotFound: its package is not installed.
    """
    from transformers import AutoModel, AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    if kind == "language model":
        whole: Any = AutoModelForCausalLM.from_pretrained(
            bundled_directory(), dtype=torch.float32, attn_implementation="eager"
        )
        return UnmaskedDecoder((with_adapter(whole, adapter) if adapter else whole).model)
    level = logging.get_verbosity()
    logging.set_verbosity_error()  # the pooler of the sentence encoder is left out, and that would be reported
    try:
        encoder: nn.Module = AutoModel.from_pretrained(encoder_folder(), add_pooling_layer=False)
        return encoder
    finally:
        logging.set_verbosity(level)


def row_tokens(kind: EncoderKind) -> RowTokens:
    """How rows for the encoder are made."""
    from transformers import AutoTokenizer

    if kind == "sentences":
        tokenizer = AutoTokenizer.from_pretrained(encoder_folder())
        return RowTokens(tokenizer, tokenizer.cls_token_id, tokenizer.sep_token_id)
    tokenizer = AutoTokenizer.from_pretrained(bundled_directory())
    (line,) = tokenizer("\n", add_special_tokens=False)["input_ids"]
    return RowTokens(tokenizer, tokenizer.bos_token_id, line, " ")
