"""Scores against a plain full forward a candidate; what must not change them; what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lm import load_language_model
from lm.passes import Meter
from lm.scoring import score_sequences

from .oracle import log_prob, token_log_probs

CONTEXTS = [
    "The patient's age is",
    "The patient's age is 45. Her diagnosis is",
    "The patient's age is 55. Her diagnosis is",
    "naïve café — 日本",
    "",
]
LEVELS = [
    ["25", "45", "451"],  # one level is the beginning of another
    ["high blood pressure", "high", "low"],
    ["high blood pressure", "high", "low"],
    ["né", "日本語", 'a "quoted" word'],
    ["yes", "no", "yes and no"],
]


@pytest.fixture(scope="module")
def tiny():
    return load_language_model("tiny", device="cpu")


@pytest.fixture(scope="module")
def smollm():
    return load_language_model("smollm2-135m", device="cpu")


def _joined(context: str, level: str) -> str:
    return f" {level}" if context else level


def _expected(lm, contexts, levels, of=sum):
    return [
        [of(token_log_probs(lm.model, lm.tokenizer, c, _joined(c, level))) for level in row]
        for c, row in zip(contexts, levels, strict=True)
    ]


def _agree(rows, expected, tolerance):
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert np.allclose(row, wanted, rtol=0, atol=tolerance)


def test_a_score_is_the_chain_rule_over_the_levels_tokens(tiny):
    _agree(tiny.score(CONTEXTS, LEVELS), _expected(tiny, CONTEXTS, LEVELS), 1e-4)


def test_rule_mean_divides_by_the_number_of_tokens(tiny):
    expected = _expected(tiny, CONTEXTS, LEVELS, of=lambda tokens: sum(tokens) / len(tokens))
    _agree(tiny.score(CONTEXTS, LEVELS, "mean"), expected, 1e-4)


def test_rule_pmi_subtracts_the_score_after_the_baseline(tiny):
    baseline = "Her diagnosis is"
    expected = [
        [log_prob(tiny, c, _joined(c, level)) - log_prob(tiny, baseline, f" {level}") for level in row]
        for c, row in zip(CONTEXTS, LEVELS, strict=True)
    ]
    _agree(tiny.score(CONTEXTS, LEVELS, "pmi", baseline=baseline), expected, 1e-4)


def test_rule_pmi_with_no_baseline_subtracts_the_score_at_the_start_of_a_text(tiny):
    expected = [[log_prob(tiny, "It is", " so") - log_prob(tiny, "", "so")]]
    _agree(tiny.score(["It is"], [["so"]], "pmi"), expected, 1e-4)


def test_pmi_of_the_baseline_itself_is_zero(tiny):
    (row,) = tiny.score(["Her diagnosis is"], [["high", "low"]], "pmi", baseline="Her diagnosis is")
    assert np.allclose(row, 0, atol=1e-5)


@pytest.mark.parametrize("rule", ["sum", "mean"])
def test_the_real_model_gives_the_chain_rule_too(smollm, rule):
    contexts = ["The capital of France is", "", "Age: 45. Her medicine is", "The answer is 4"]
    levels = [
        ["Paris", "Paris Saint-Germain", "London"],
        ["Once", "Once upon a time"],
        ["metformin", "calcium carbonate", "calcium"],
        ["2", "25", "-1.5e3"],
    ]
    of = sum if rule == "sum" else (lambda tokens: sum(tokens) / len(tokens))
    _agree(smollm.score(contexts, levels, rule), _expected(smollm, contexts, levels, of), 1e-3)


def test_the_real_model_knows_the_capital_of_france(smollm):
    (row,) = smollm.score(["The capital of France is"], [["London", "Paris", "Oslo"]])
    assert int(np.argmax(row)) == 1


@pytest.mark.parametrize("budget", [1, 40, 200, 10_000])
def test_the_budget_changes_no_score(tiny, budget):
    _agree(tiny.score(CONTEXTS, LEVELS, budget=budget), _expected(tiny, CONTEXTS, LEVELS), 1e-4)


@settings(deadline=None, max_examples=25)
@given(
    levels=st.lists(st.text("ab c", min_size=1, max_size=6).filter(str.strip), min_size=1, max_size=5, unique=True),
    contexts=st.lists(st.text("ab .", max_size=10), min_size=1, max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_scores_depend_on_neither_candidate_order_nor_batch_order(tiny, levels, contexts, order):
    straight = tiny.score(contexts, [levels] * len(contexts))
    turned_levels, turned_contexts = list(levels), list(range(len(contexts)))
    order.shuffle(turned_levels)
    order.shuffle(turned_contexts)
    turned = tiny.score([contexts[i] for i in turned_contexts], [turned_levels] * len(contexts), budget=30)
    for row, i in zip(turned, turned_contexts, strict=True):
        by_level = dict(zip(turned_levels, row, strict=True))
        assert np.allclose([by_level[level] for level in levels], straight[i], atol=1e-4)


def test_the_laws_of_one_token_continuations_sum_to_one(tiny):
    """Every byte as the next token: the probabilities of all the vocabulary are a law."""
    meter = Meter()
    start = tiny.tokenizer("abc", add_special_tokens=False).input_ids
    sequences = [[*start, token] for token in range(len(tiny.tokenizer))]
    scores = score_sequences(tiny.model, sequences, [len(start)] * len(sequences), meter)
    assert np.exp([s.item() for s in scores]).sum() == pytest.approx(1, abs=1e-4)
    assert meter.forward_calls == 1
    assert meter.tokens == len(start)  # the last token of a sequence is asked for, not computed on


def test_shared_prefixes_are_computed_once(tiny):
    fresh = load_language_model("tiny", device="cpu")
    context, levels = "x" * 50, ["aa", "ab", "b"]
    fresh.score([context], [levels])
    # 50 context bytes, ' ' shared by all, 'a' shared by two; last bytes are asked for, not computed on: 50 + 1 + 1
    assert fresh.meter.tokens == 52
    naive = sum(50 + 1 + len(level) for level in levels)
    assert fresh.meter.tokens < naive
    assert fresh.meter.forward_calls == 1


def test_no_context_gives_no_score(tiny):
    assert tiny.score([], []) == []


@pytest.mark.parametrize(
    ("contexts", "levels", "rule", "said"),
    [
        (["a", "b"], [["x"]], "sum", "2 contexts and 1 lists"),
        ("ab", [["x"], ["y"]], "sum", "one list of levels a context"),
        (["a"], [[]], "sum", "non-empty list"),
        (["a"], ["yes"], "sum", "non-empty list"),
        (["a"], [["yes", " "]], "sum", "blank"),
        (["a"], [["yes"]], "median", "none of sum, mean, pmi"),
    ],
)
def test_bad_input_is_refused_and_named(tiny, contexts, levels, rule, said):
    with pytest.raises(ValueError, match=said):
        tiny.score(contexts, levels, rule)


def test_the_same_seed_gives_the_same_text_and_greedy_takes_the_likeliest_token(tiny):
    import torch

    prompts = ["abc", "a much longer prompt than that"]
    assert tiny.generate(prompts, max_new_tokens=5, temperature=1.0, seed=3) == tiny.generate(
        prompts, max_new_tokens=5, temperature=1.0, seed=3
    )
    ids = tiny.tokenizer(prompts[0], add_special_tokens=False).input_ids
    for _ in range(5):
        with torch.no_grad():
            ids = [*ids, int(tiny.model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())]
    expected = tiny.tokenizer.decode(ids[3:], skip_special_tokens=True)
    assert tiny.generate(prompts, max_new_tokens=5)[0] == expected


def test_the_digest_tells_weights_apart(tiny):
    other = load_language_model("tiny", device="cpu")
    assert other.digest == tiny.digest
    third = load_language_model("tiny", device="cpu")
    next(third.model.parameters()).data[0, 0] += 1
    assert third.digest != tiny.digest


def test_a_growing_text_can_be_ended(tiny):
    prompt = "The first thing to say"
    whole = tiny.generate([prompt], max_new_tokens=12)[0]
    seen: list[str] = []

    def stop(text: str) -> bool:
        seen.append(text)
        return len(seen) == 4

    ended = tiny.generate([prompt], max_new_tokens=12, stop=stop)[0]
    assert len(seen) == 4
    assert whole.startswith(ended.rstrip("�")) and len(ended) < len(whole)
