"""Where models come from: names, folders, adapters; and what is said where a name leads nowhere."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lm import ModelNotFound, load_language_model
from lm.bundled import BUNDLED
from lm.load import base_of, weights_version
from lm.references import parse_reference
from lm.registry import adapter_in, find_assistant, shipped_adapter
from lm.tiny import tiny_model

QUESTION = (["The weather is", "It is"], [["good", "bad"], ["so", "not so"]])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The tiny model as a folder that anyone might have saved."""
    folder = tmp_path_factory.mktemp("saved")
    model, tokenizer = tiny_model()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """A LoRA adapter of the tiny model whose second factor is not zero, with a note of its base."""
    from peft import LoraConfig, get_peft_model

    folder = tmp_path_factory.mktemp("adapter")
    model, _ = tiny_model()
    torch.manual_seed(1)
    tuned = get_peft_model(
        model, LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM")
    )
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    tuned.save_pretrained(folder)
    (folder / "base_model.json").write_text(json.dumps({"base": "tiny"}))
    return folder


def _flat(rows):
    return np.concatenate(rows)


def test_a_saved_folder_scores_like_the_model_it_was_saved_from(saved):
    lm = load_language_model(str(saved), device="cpu")
    tiny = load_language_model("tiny", device="cpu")
    assert np.allclose(_flat(lm.score(*QUESTION)), _flat(tiny.score(*QUESTION)), atol=1e-5)
    assert lm.digest == tiny.digest
    assert lm.name == str(saved)


def test_an_adapters_scores_are_those_of_the_base_plus_the_product_of_its_factors(adapter):
    from safetensors.numpy import load_file

    factors = load_file(adapter / "adapter_model.safetensors")
    tiny = load_language_model("tiny", device="cpu")
    before = _flat(tiny.score(*QUESTION))
    changed = 0
    for name, weight in tiny.model.named_parameters():
        stem = f"base_model.model.{name.removesuffix('.weight')}"
        if f"{stem}.lora_A.weight" in factors:
            update = factors[f"{stem}.lora_B.weight"] @ factors[f"{stem}.lora_A.weight"]
            weight.data += torch.from_numpy(update * 4 / 2)  # alpha / rank
            changed += 1
    assert changed == 4  # two layers, two projections each
    expected = _flat(tiny.score(*QUESTION))
    tuned = load_language_model("tiny", adapter=adapter, device="cpu")
    assert np.abs(expected - before).max() > 0.01
    assert np.allclose(_flat(tuned.score(*QUESTION)), expected, atol=1e-4)
    assert adapter.name in tuned.describe()


def test_a_folder_that_holds_an_adapter_finds_its_base_by_the_note(adapter):
    plain = load_language_model("tiny", adapter=adapter, device="cpu")
    found = load_language_model(str(adapter), device="cpu")
    assert np.allclose(_flat(found.score(*QUESTION)), _flat(plain.score(*QUESTION)), atol=1e-6)
    assert found.name == f"{adapter} on tiny"


def test_an_adapter_is_taken_from_the_folder_that_was_named_and_from_none_below(adapter, saved, tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "one").symlink_to(adapter)
    for load in (load_language_model, weights_version):
        with pytest.raises(ModelNotFound, match=r"no model in the folder .*config\.json.*adapter_config\.json\)$"):
            load(str(tmp_path))
    (tmp_path / "near").symlink_to(adapter)
    (tmp_path / "whole").symlink_to(saved)
    with pytest.raises(ModelNotFound, match=f"There is one in: {tmp_path / 'near'}, {tmp_path / 'whole'}$"):
        load_language_model(str(tmp_path))


def test_of_a_folder_that_mlflow_made_the_one_adapter_among_its_artifacts_is_taken(adapter, tmp_path):
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "mine").symlink_to(adapter)
    assert adapter_in(tmp_path) is None
    (tmp_path / "MLmodel").write_text("flavors: {}")
    assert adapter_in(tmp_path) == tmp_path / "artifacts" / "mine"
    assert load_language_model(str(tmp_path), device="cpu").name == f"{tmp_path} on tiny"
    (tmp_path / "artifacts" / "other").symlink_to(adapter)
    with pytest.raises(ModelNotFound, match=r"several adapters, name one: .*mine, .*other"):
        load_language_model(str(tmp_path), device="cpu")


def test_without_a_note_the_adapters_own_configuration_is_asked(adapter, saved, tmp_path):
    config = json.loads((adapter / "adapter_config.json").read_text())
    lone = tmp_path / "lone"
    lone.mkdir()
    (lone / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": str(saved)}))
    assert base_of(lone) == str(saved)
    (lone / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "org/elsewhere"}))
    with pytest.raises(ModelNotFound, match=r"base_model\.json"):
        base_of(lone)


def test_the_note_counts_more_than_the_configuration(adapter, saved, tmp_path):
    lone = tmp_path / "lone"
    lone.mkdir()
    (lone / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(saved)}))
    (lone / "base_model.json").write_text(json.dumps({"base": "smollm2-135m"}))
    assert base_of(lone) == "smollm2-135m"


@pytest.mark.parametrize("name", ["gpt-5", "", "hf:", "hf: ", "/no/such/folder", "smollm2"])
def test_an_unknown_name_is_refused_with_the_forms_that_would_do(name):
    with pytest.raises(ModelNotFound) as refused:
        load_language_model(name)
    for form in ("smollm2-135m", "tiny", "hf:org/name", "models:/name@alias", "directory"):
        assert form in str(refused.value)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelNotFound, match="no model in the folder"):
        load_language_model(str(tmp_path))


def test_a_folder_that_is_no_adapter_is_refused(tmp_path):
    with pytest.raises(ModelNotFound, match=r"adapter_config\.json is missing"):
        load_language_model("tiny", adapter=tmp_path, device="cpu")


def test_without_a_champion_the_assistant_is_the_adapter_that_comes_with_the_project(monkeypatch, tmp_path):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("CAUSALSMITH_HOME", str(tmp_path))
    found = find_assistant()
    assert (found.version, found.alias, found.folder) == ("shipped with the project", None, shipped_adapter())
    weights = found.folder / "adapter_model.safetensors"
    assert weights.stat().st_size < 12e6
    assert {str(weight.dtype) for weight in load_file(weights).values()} == {"torch.bfloat16"}
    assert base_of(found.folder) == "smollm2-135m"
    assert not list(tmp_path.iterdir())  # looking makes nothing


@pytest.mark.parametrize("name", ["models:/causalsmith-assistant@champion", "models:/other/3"])
def test_without_a_registry_nothing_registered_is_found(monkeypatch, tmp_path, name):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("CAUSALSMITH_HOME", str(tmp_path))
    with pytest.raises(ModelNotFound, match="regist"):
        load_language_model(name)
    assert not list(tmp_path.iterdir())  # looking makes nothing


@pytest.mark.parametrize(
    ("text", "kind", "location"),
    [
        ("smollm2-135m", "bundled", "smollm2-135m"),
        ("tiny", "tiny", "tiny"),
        ("assistant", "assistant", "assistant"),
        ("hf:org/name", "hub", "org/name"),
        ("models:/a@b", "mlflow", "models:/a@b"),
    ],
)
def test_each_form_of_name_is_read(text, kind, location):
    reference = parse_reference(text)
    assert (reference.kind, reference.location) == (kind, location)


def test_conversations_take_the_models_own_chat_format():
    tiny = load_language_model("tiny", device="cpu")
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    expected = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
    assert tiny.chat_text(messages, add_generation_prompt=False) == expected
    assert tiny.chat_text(messages) == expected + "<|im_start|>assistant\n"
    tiny.tokenizer.chat_template = None
    assert tiny.chat_text(messages) == "system: Be brief.\nuser: Hi\nassistant:"


def test_weights_of_a_folder_are_known_by_what_they_are(saved, tmp_path):
    import shutil

    copy = shutil.copytree(saved, tmp_path / "copy")
    before = weights_version(str(saved))
    assert weights_version(str(copy)) == before
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert weights_version(str(copy)) != before
    assert weights_version(BUNDLED) != weights_version("tiny")
