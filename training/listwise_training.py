"""Tuning the language model as the judge of proposed readings: LoRA, and the loss of a whole list (:mod:`training.listwise`).

Questions about one file stand in one row as a tree of tokens: the list of columns once, then each question once, then what its
readings do not share. Beside the choice of the right reading, its tokens are imitated, so that what the model could do before
is kept. Several processes share a run where ``torchrun`` started them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lm import LanguageModel, load_language_model
from lm.tokens import shared_length
from lm.trie import TokenTrie
from training.adapters import adapter_weights, linear_names, mix_in, put_adapter_into, save_adapter
from training.digests import digest_of, folder_digest
from training.listwise import Choice, Proposal
from training.recipe import ListwiseRecipe
from training.sft import TrainingFault
from training.shared_runs import Report, in_order, last_checkpoint, processes, settings, steps_of, told, turn_in


@dataclass(frozen=True)
class ListRow:
    """Choices about one file as a tree of tokens.

    Attributes:
        trie: the tokens that are computed.
        nodes: (asked,) the node after which each token that is asked for comes.
        targets: (asked,) these tokens.
        terms: (terms, 2) which tokens asked for add up to which proposal's score.
        choice: (proposals,) number of the choice that each belongs to.
        before: (proposals,) nats for it before the model is asked.
        right: (proposals,) whether it is a right one.
        imitated: (imitated,) which tokens asked for are imitated.
    """

    trie: TokenTrie
    nodes: np.ndarray
    targets: np.ndarray
    terms: np.ndarray
    choice: np.ndarray
    before: np.ndarray
    right: np.ndarray
    imitated: np.ndarray


def laid_out(model: LanguageModel, choices: Sequence[Choice]) -> ListRow:
    """A row of choices; those about the same file share its tokens."""
    trie = TokenTrie()
    asked: dict[tuple[int, int], int] = {}
    terms: list[tuple[int, int]] = []
    imitated: set[int] = set()
    choice: list[int] = []
    end = model.tokenizer.eos_token
    for number, one in enumerate(choices):
        prompt = model.chat_text(one.messages)
        first = model.tokenizer(prompt, add_special_tokens=False).input_ids
        copied = next(proposal for proposal in one.proposals if proposal.right)
        for proposal in one.proposals:
            told = model.tokenizer(prompt + proposal.text + end, add_special_tokens=False, return_offsets_mapping=True)
            tokens = told.input_ids
            path = trie.add(tokens[:-1] if proposal is copied else tokens[:-2])
            for place in range(shared_length(first, tokens), len(tokens)):
                last = place == len(tokens) - 1
                if last and proposal is not copied:
                    continue
                at = asked.setdefault((path[place - 1], tokens[place]), len(asked))
                if proposal is copied:
                    imitated.add(at)
                if not last and not _is_given(proposal, told.offset_mapping[place], len(prompt)):
                    terms.append((at, len(choice)))
            choice.append(number)
    nodes, targets = np.array(list(asked)).T
    every = [proposal for one in choices for proposal in one.proposals]
    return ListRow(
        trie,
        nodes,
        targets,
        np.array(terms).reshape(-1, 2),
        np.array(choice),
        np.array([proposal.score for proposal in every], np.float32),
        np.array([proposal.right for proposal in every]),
        np.array(sorted(imitated)),
    )


def _is_given(proposal: Proposal, where: tuple[int, int], before: int) -> bool:
    """Whether a token is one of the question's words for a column."""
    return any(begin <= where[0] - before and where[1] - before <= end for begin, end in proposal.given)


def rows_of(model: LanguageModel, files: Sequence[Sequence[Choice]], recipe: ListwiseRecipe) -> list[ListRow]:
    """Rows of at most ``recipe.pack`` choices about a file, and ``recipe.most_tokens`` unless one alone has more."""
    rows: list[ListRow] = []
    for choices in files:
        waiting: list[Choice] = []
        whole: ListRow | None = None
        for one in choices:
            wider = laid_out(model, [*waiting, one])
            if whole and (len(waiting) == recipe.pack or len(wider.trie) > recipe.most_tokens):
                rows.append(whole)
                waiting, wider = [], laid_out(model, [one])
            waiting, whole = [*waiting, one], wider
        rows += [whole] if whole else []
    return rows


def tensors(row: ListRow) -> dict[str, Any]:
    """A row as a batch of one."""
    import torch

    arrays = {
        "tokens": row.trie.tokens, "places": row.trie.depths, "nodes": row.nodes, "targets": row.targets, "terms": row.terms,
        "choice": row.choice, "before": row.before, "right": row.right, "imitated": row.imitated,
    }  # fmt: skip
    batch = {name: torch.as_tensor(np.asarray(array)) for name, array in arrays.items()}
    return {**batch, "seen": torch.from_numpy(row.trie.ancestors())}


def list_loss(model: Any, batch: dict[str, Any], recipe: ListwiseRecipe) -> Any:
    """Mean over the choices of −log of the share of the right proposals, and the mean of the imitated tokens' negative
    log-probability.

    A proposal's share is that of a softmax over ``recipe.sharpness`` times its log-probability, the words that are given aside,
    and ``recipe.hearing`` times what speaks for it before: the model learns most where that does not decide.
    """
    import torch

    hidden = model.get_decoder()(
        input_ids=batch["tokens"][None],
        position_ids=batch["places"][None],
        attention_mask=batch["seen"][None, None],
        use_cache=False,
    ).last_hidden_state[0]
    distinct, line = torch.unique(batch["nodes"], return_inverse=True)
    logits = model.get_output_embeddings()(hidden[distinct]).float()
    nats = logits[line, batch["targets"]] - logits.logsumexp(-1)[line]
    at, proposal = batch["terms"].T
    scores = (recipe.hearing * batch["before"]).index_add(0, proposal, recipe.sharpness * nats[at])
    lost = [
        scores[own].logsumexp(0) - scores[own & batch["right"]].logsumexp(0)
        for number in range(int(batch["choice"].max()) + 1)
        for own in [batch["choice"] == number]
    ]
    return torch.stack(lost).mean() - recipe.imitation * nats[batch["imitated"]].mean()


def train_judge(
    files: Sequence[Sequence[Choice]],
    recipe: ListwiseRecipe,
    start: Path,
    folder: Path,
    report: Report | None = None,
) -> Path:
    """Tune an adapter on choices.

    Args:
        files: choices about the same file, file by file.
        start: folder of the adapter to go on from.
        folder: a working folder. Checkpoints in it are continued from where recipe, choices and number of processes are the
            same.
        report: called with (step, steps, loss) now and then.

    Returns:
        The adapter's folder, ``folder/adapter``.

    Raises:
        ValueError: no choices.
        TrainingFault: no weight changed, or one is no number.
    """
    if not any(files):
        raise ValueError("train_judge needs at least one choice")
    with turn_in(folder):
        return _train(files, recipe, start, folder, report)


def _train(
    files: Sequence[Sequence[Choice]], recipe: ListwiseRecipe, start: Path, folder: Path, report: Report | None
) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model

    base = load_language_model(recipe.base, dtype="float32")
    digest = base.digest  # before the adapter's modules are put into the model
    rows = rows_of(base, files, recipe)
    order = np.random.default_rng(recipe.seed).permutation(len(rows))
    batches = [tensors(rows[number]) for number in order]
    seen = ("tokens", "terms", "before", "right")
    said = [[batch[name].tolist() for name in seen] for batch in batches]
    work = folder / f"work-{digest_of([recipe.model_dump(), folder_digest(start), said, processes()])}"
    torch.manual_seed(recipe.seed)
    held = json.loads((start / "adapter_config.json").read_text(encoding="utf-8"))
    lora = LoraConfig(
        r=held["r"], lora_alpha=held["lora_alpha"], target_modules=linear_names(base.model), task_type="CAUSAL_LM"
    )
    model = get_peft_model(base.model, lora)
    put_adapter_into(model, start)
    before = adapter_weights(model)
    trainer = _trainer(model, batches, recipe, work, report)
    checkpoint = last_checkpoint(work)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if not all(bool(weight.isfinite().all()) for weight in model.parameters()):
        raise TrainingFault(f"the weights are no numbers any more; try a rate below {recipe.learning_rate}")
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        mix_in(model, before, recipe.share_of_start)
        save_adapter(model, base.name, digest, recipe, folder)
        shutil.rmtree(work, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    return folder / "adapter"


def _trainer(
    model: Any,
    batches: Sequence[dict[str, Any]],
    recipe: ListwiseRecipe,
    work: Path,
    report: Report | None,
) -> Any:
    import torch

    class ListLoss(torch.nn.Module):
        """The loss as a module: processes that share a run add up their gradients by its calls."""

        def __init__(self) -> None:
            super().__init__()
            self.tuned = model

        def forward(self, batch: dict[str, Any]) -> Any:
            return list_loss(self.tuned.get_base_model(), batch, recipe)

        def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            tuned = {name for name, weight in self.named_parameters() if weight.requires_grad}
            return {name: held for name, held in super().state_dict(*args, **kwargs).items() if name in tuned}

        def load_state_dict(self, held: Any, *_: Any, **__: Any) -> Any:
            return super().load_state_dict({**super().state_dict(), **held})

    steps = steps_of(batches, recipe.rows_of_process)
    arguments = settings(
        work,
        steps,
        learning_rate=recipe.learning_rate,
        warmup_steps=max(1, steps // 20),
        checkpoints=recipe.checkpoints,
        seed=recipe.seed,
        autocast=recipe.autocast,
        batches_of_step=recipe.rows_of_process,
        quiet=report is not None,
    )
    return in_order(ListLoss(), batches, arguments, lambda loss, batch: loss(batch), [told(report)])
