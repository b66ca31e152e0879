"""The topic library: what the files hold, what the schema refuses, how topics are split."""

from pathlib import Path

import pytest
import yaml

from training.topic_library import TOPIC_FOLDER, TopicError, load_topics, read_topic, split_topics

EXAMPLE = TOPIC_FOLDER / "outpatient_care.yaml"


def _changed(tmp_path: Path, change) -> Path:
    data = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    change(data)
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


def test_library_is_as_large_as_promised():
    topics = load_topics()
    assert len(topics) >= 80
    assert all(len(topic.variables) >= 10 for topic in topics)
    assert all(len(variable.aliases) >= 3 for topic in topics for variable in topic.variables)


def test_topics_come_sorted_and_the_same_each_time():
    names = [topic.name for topic in load_topics()]
    assert names == sorted(names)
    assert load_topics() is load_topics()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(colour="red"), "Extra inputs"),
        (lambda d: d["variables"][0].update(aliases=["a", "b"]), "at least 3"),
        (lambda d: d["variables"][0].update(aliases=["rhr", "RHR", "hr"]), "repeat"),
        (lambda d: d["variables"][0].update(values=[110, 45]), r"\[low, high\]"),
        (lambda d: d["variables"][0].update(name="Resting"), "lower case"),
        (lambda d: d["variables"][0].update(roles=["boss"]), "roles"),
        (lambda d: d["variables"][0].update(roles=["mediator"]), "is no response"),
        (lambda d: d["variables"][2].update(values=["no", "yes", "maybe"]), "needs 2"),
        (lambda d: d["variables"][2].update(values=["no", "a, b"]), "holds a character"),
        (lambda d: d["variables"][0]["aliases"].append("sbp"), "means both"),
        (lambda d: d["variables"][0].update(name="age", aliases=["a1", "a2", "a3"]), "means both"),
        (lambda d: d["variables"][0].update(name="blood pressure"), "could mean either"),
        (lambda d: d.update(dataset_names=["../evil", "ok"]), "pattern"),
        (lambda d: d.update(variables=d["variables"][:9]), "at least 10"),
        (lambda d: [v.update(better="lower") for v in d["variables"] if v.get("better") == "higher"], "better: higher"),
    ],
)
def test_schema_refuses(tmp_path, change, said):
    with pytest.raises(TopicError, match=said) as caught:
        read_topic(_changed(tmp_path, change))
    assert "changed.yaml" in str(caught.value)


def test_broken_yaml_and_empty_folder_are_named(tmp_path):
    with pytest.raises(TopicError, match="no topic files"):
        load_topics(tmp_path)
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [", encoding="utf-8")
    with pytest.raises(TopicError, match=r"broken\.yaml is not YAML"):
        read_topic(broken)
    broken.write_text("- one", encoding="utf-8")
    with pytest.raises(TopicError, match="mapping"):
        read_topic(broken)


def test_two_files_of_one_topic_are_refused(tmp_path):
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(TopicError, match="two files"):
        load_topics(tmp_path)


def test_split_is_disjoint_complete_and_fixed_by_the_seed():
    topics = load_topics()
    train, held_out = split_topics(topics, 0.2, seed=3)
    assert len(held_out) == round(0.2 * len(topics))
    assert {t.name for t in train}.isdisjoint(t.name for t in held_out)
    assert {t.name for t in (*train, *held_out)} == {t.name for t in topics}
    assert split_topics(topics[::-1], 0.2, seed=3)[1] == held_out[::-1]
    assert split_topics(topics, 0.2, seed=4)[1] != held_out


@pytest.mark.parametrize("share", [0, 1, -0.5, 0.001])
def test_split_refuses_a_share_that_leaves_a_side_empty(share):
    with pytest.raises(ValueError, match="held_out_share"):
        split_topics(load_topics(), share, seed=0)
