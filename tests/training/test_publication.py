"""Corpora as folders that `datasets` opens, and the card of an adapter."""

from __future__ import annotations

import json

import pandas as pd
import yaml

from lm.registry import shipped_adapter
from training.corpora import items_from, retrieval_corpus
from training.digests import frame_digest
from training.model_card import write_model_card
from training.publication import CORPUS_VERSION, publish_corpus
from training.queries import make_queries
from training.topic_library import load_topics

TOPICS = load_topics()
TRAIN, HELD_OUT = make_queries("HTE", 4, 1, TOPICS[:5]), make_queries("NONE", 2, 1, TOPICS[5:8], "held_out")


def test_datasets_opens_the_folder_in_both_forms_and_every_row_comes_back(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    from datasets import load_dataset

    corpus = retrieval_corpus(TRAIN, HELD_OUT)
    folder = publish_corpus(corpus, "Questions", "For tests.", {"seed": 1}, tmp_path / "corpus")
    for place in (folder, folder / "jsonl"):
        opened = load_dataset(str(place), cache_dir=str(tmp_path / "cache"))
        assert {side: len(rows) for side, rows in opened.items()} == {"train": 4, "held_out": 2}
        assert items_from(pd.DataFrame(opened["train"].to_list())) == TRAIN


def test_the_card_tells_version_digest_counts_and_the_seed(tmp_path):
    corpus = retrieval_corpus(TRAIN, HELD_OUT)
    card = (publish_corpus(corpus, "Questions", "For tests.", {"seed": 7}, tmp_path) / "README.md").read_text()
    header = yaml.safe_load(card.split("---")[1])
    assert header["configs"][0]["data_files"] == [
        {"split": "train", "path": "train.parquet"},
        {"split": "held_out", "path": "held_out.parquet"},
    ]
    for fact in (f"| version | {CORPUS_VERSION} |", f"| digest | {frame_digest(corpus)} |", "| seed | 7 |"):
        assert fact in card


def test_a_corpus_without_a_split_is_all_for_training(tmp_path):
    pairs = pd.DataFrame({"task": ["ATE"], "question": ["q"], "completion": ["c"]})
    publish_corpus(pairs, "Explanations", "For tests.", {}, tmp_path)
    assert pd.read_parquet(tmp_path / "train.parquet").equals(pairs)


def test_the_model_card_tells_base_recipe_digests_and_figures(tmp_path):
    (tmp_path / "base_model.json").write_text(
        json.dumps({"base": "tiny", "base_digest": "abc", "recipe": {"steps": 3, "rank": 2}})
    )
    (tmp_path / "adapter_model.safetensors").write_bytes(b"0" * 2_000_000)
    card = write_model_card(tmp_path, "mixed", {"retrieval_corpus": "d1g35t"}, {"last_loss": 0.123456}).read_text()
    assert yaml.safe_load(card.split("---")[1])["base_model"] == "tiny"
    for fact in ("2.0 MB", "weights abc", "digest d1g35t", "| last loss | 0.1235 |", "rank: 2", "## Limits"):
        assert fact in card


def test_the_shipped_adapter_has_its_card():
    card = (shipped_adapter() / "README.md").read_text(encoding="utf-8")
    assert "base_model: smollm2-135m" in card
    assert "## Scores" in card
