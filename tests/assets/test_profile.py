"""What a profile may say."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from assets.errors import SettingsError
from assets.profile import EndpointSettings, read_profile, read_yaml
from orchestration.settings import PROFILES, Settings
from training.test_sets import unseen_topics
from training.topic_library import load_topics, split_topics


@pytest.mark.parametrize("prices", [(-1.0, 1.0), (1.0, float("nan")), (float("inf"), 1.0)])
def test_prices_that_would_hold_no_cap_are_refused(prices):
    """Spending less than nothing, or no number, never reaches a cap."""
    with pytest.raises(ValidationError, match="dollars_per_million"):
        EndpointSettings(dollars_per_million=prices)
    assert EndpointSettings(dollars_per_million=(0.0, 2.5)).dollars_per_million == (0.0, 2.5)


NEVER_SEEN = {
    "bird reserves", "cyber security", "gyms", "irrigation schemes", "museums", "nutrition", "outpatient care", "pain clinics",
    "parking", "pest control", "physiotherapy", "refugee services", "software delivery", "tutoring agencies", "weight programmes",
}  # fmt: skip


@pytest.mark.parametrize("name", ["demo", "laptop", "gpu"])
def test_topics_held_out_where_training_goes_on_from_what_ships_are_ones_that_it_has_not_seen(name):
    """A topic joins the list only where nothing that ships was trained on it; else lower the profile's share."""
    profile = read_profile(PROFILES / f"{name}.yaml")
    offered = [topic for topic in load_topics() if topic.name not in unseen_topics()]
    _, held_out = split_topics(offered, profile.queries.held_out_topics, profile.seed)
    assert {topic.name for topic in held_out} <= NEVER_SEEN


TINY = (PROFILES / "tiny.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        (
            "toy_confounder",
            "toy_confoundr",
            "sdscm.scenarios: .*no scenario 'toy_confoundr'; there are: .*toy_confounder",
        ),
        ("language_models: [tiny]", "language_models: [tinny]", r"sdscm\.language_models\.0"),
        ("temperature: 8.0", "temperature: 0", r"sdscm\.temperature"),
        ("temperature: 8.0", "temperature: .nan", r"sdscm\.temperature"),
        ("purpose:", "seed: -1\npurpose:", "seed"),
        ("purpose:", "variants: [mixed, retreive]\npurpose:", r"variants\.1: .*'retrieve'"),
        ("purpose:", "variants: [retrieve]\npurpose:", "variants: .*'mixed' must be among them"),
        ("purpose:", "margins: nowhere.yaml\npurpose:", "margins: there is no file of margins at .*nowhere.yaml"),
        ("purpose:", "purpose: other\npurpose:", r"'purpose' \(line 2\) twice"),
        ("rows: 300,", "rows: 300, rows: 200,", "'rows' .* twice"),
    ],
)
def test_what_would_end_a_night_hours_later_is_told_when_the_profile_is_read(tmp_path, was, now, said):
    assert was in TINY
    path = tmp_path / "mine.yaml"
    path.write_text(TINY.replace(was, now, 1), encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        read_profile(path)


def test_margins_are_looked_for_beside_the_profile(tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text(f"margins: own.yaml\n{TINY}", encoding="utf-8")
    (tmp_path / "own.yaml").write_text("margins: {reading_exact: {task: 0.1}}", encoding="utf-8")
    monkeypatch.chdir(tmp_path.parent)
    assert read_profile(tmp_path / "mine.yaml").margins == tmp_path / "own.yaml"


def test_an_hour_without_quotation_marks_is_told_as_it_was_meant(tmp_path):
    """YAML 1.1 reads 23:30 as a number to the base of sixty."""
    path = tmp_path / "mine.yaml"
    path.write_text("nights: {evaluation: 23:30}", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"nights\.evaluation: .*'23:30'"):
        read_yaml(path, Settings, "settings")


def test_a_key_that_is_a_list_is_told_and_no_crash(tmp_path):
    """YAML allows it; a profile has none."""
    path = tmp_path / "odd.yaml"
    path.write_text(TINY + "\n? [a, b]\n: 1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"odd\.yaml"):
        read_profile(path)
