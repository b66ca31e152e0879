"""Scores kept in memory and on disk: no context asked twice, whatever the seed, rule, run or process."""

from __future__ import annotations

import gc
import sqlite3
import subprocess
import sys
import weakref

import numpy as np
import pytest

from sdscm import ScenarioError, SequenceSCM
from sdscm.memo import ScoreMemo, Scores

from .laws import HashScorer, confounder


class Filed(HashScorer):
    """A scorer with a digest, as language models have."""

    digest = "abc"


def _scores(*nats: float) -> Scores:
    return Scores(np.array(nats), np.arange(1.0, len(nats) + 1))


def test_what_was_put_is_found_again_by_another_object(tmp_path):
    path = tmp_path / "deep" / "scores.sqlite"
    ScoreMemo(path).put("m", ["a b"], ["x", "y"], [_scores(-1.5, -np.inf)])
    (found,) = ScoreMemo(path).get("m", ["a b"], ["y", "x"])
    assert found is not None
    assert found.nats.tolist() == [-np.inf, -1.5]
    assert found.tokens.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("model", "context", "levels"), [("n", "a b", ["x"]), ("m", "a  b", ["x"]), ("m", "a b", ["x", "z"])]
)
def test_another_model_context_or_level_is_unknown(tmp_path, model, context, levels):
    memo = ScoreMemo(tmp_path / "scores.sqlite")
    memo.put("m", ["a b"], ["x", "y"], [_scores(-1, -2)])
    assert memo.get(model, [context], levels) == [None]


def test_unknown_token_counts_stay_unknown(tmp_path):
    path = tmp_path / "scores.sqlite"
    ScoreMemo(path).put("m", ["a"], ["x"], [Scores(np.array([-1.0]), np.array([np.nan]))])
    (found,) = ScoreMemo(path).get("m", ["a"], ["x"])
    assert np.isnan(found.tokens[0])


def test_a_second_run_with_another_seed_rule_and_temperature_asks_nothing(tmp_path):
    path, asked = tmp_path / "scores.sqlite", []
    for rule, temperature, seed in [("sum", 1.0, 1), ("sum", 1.0, 2), ("mean", 3.0, 3)]:
        scorer = Filed()
        scorer.level_tokens = lambda contexts, levels: [[[place, 0] for place, _ in enumerate(row)] for row in levels]
        model = SequenceSCM(confounder(), scorer, rule, temperature, memo=ScoreMemo(path))
        model.sample(200, seed)
        asked.append(len(scorer.asked))
    assert asked == [1 + 2 + 4, 0, 0]


def test_the_law_from_disk_is_the_law_from_the_model(tmp_path):
    path = tmp_path / "scores.sqlite"
    first = SequenceSCM(confounder(), Filed(), memo=ScoreMemo(path)).exact().joint()
    assert (SequenceSCM(confounder(), Filed(), memo=ScoreMemo(path)).exact().joint() == first).all()


class Contrary:
    """Finds most probable what the other finds least; nothing can refer to it weakly."""

    __slots__ = ()

    def score(self, contexts, levels):
        rows = zip(contexts, levels, strict=True)
        return [np.array([-4 - HashScorer.logit(context, level) for level in row]) for context, row in rows]


class Opposite(Contrary):
    """Like it, as a class usually is."""


@pytest.mark.parametrize("other", [Opposite(), Contrary()], ids=["plain", "no weak reference"])
def test_two_models_that_share_a_memo_in_memory_do_not_share_scores(other):
    memo, first = ScoreMemo(), HashScorer()
    for _ in range(2):
        for scorer in (first, other):
            alone = SequenceSCM(confounder(), scorer).exact().joint()
            assert (SequenceSCM(confounder(), scorer, memo=memo).exact().joint() == alone).all()
    asked = len(first.asked)
    SequenceSCM(confounder(), first, "pmi", memo=memo).sample(50, 1)
    assert len(first.asked) - asked <= 3  # what pmi asks beyond, of each variable its stem alone


def test_a_memo_does_not_keep_a_model_in_memory():
    memo, scorer = ScoreMemo(), HashScorer()
    SequenceSCM(confounder(), scorer, memo=memo).exact().joint()
    left = weakref.ref(scorer)
    del scorer
    gc.collect()
    assert left() is None


def test_a_scorer_without_a_digest_cannot_be_filed(tmp_path):
    with pytest.raises(ScenarioError, match="digest"):
        SequenceSCM(confounder(), HashScorer(), memo=ScoreMemo(tmp_path / "s.sqlite")).sample(5, 1)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "scores.sqlite"
    path.write_text("not a database, but long enough to be looked at by its header")
    with pytest.raises(ScenarioError, match="move it away"):
        ScoreMemo(path)


def test_a_disk_that_cannot_be_written_costs_the_file_and_not_the_run(tmp_path):
    path = tmp_path / "scores.sqlite"
    memo = ScoreMemo(path)
    pages = memo._database.execute("PRAGMA page_count").fetchone()[0]
    memo._database.execute(f"PRAGMA max_page_count = {pages}")  # a full disk, as far as SQLite can tell
    scorer = Filed()
    many = [f"{i} " + "x" * 500 for i in range(400)]
    with pytest.warns(UserWarning, match="in memory only"):
        memo.put("m", many, ["a level of some length"], [_scores(-1.0)] * len(many))
    assert memo.get("m", many[:1], ["a level of some length"])[0].nats == [-1.0]
    model = SequenceSCM(confounder(), scorer, memo=memo)
    model.sample(50, 1)
    assert ScoreMemo(path).get("m", many[:1], ["a level of some length"]) == [
        None
    ]  # a batch is written whole or not at all


@pytest.mark.parametrize("obstacle", ["locked", "a file for a folder", "a folder for a file"])
def test_a_place_that_cannot_be_used_from_the_start_costs_the_file_and_not_the_run(tmp_path, monkeypatch, obstacle):
    monkeypatch.setattr("sdscm.memo._WAIT", 0.1)
    path = tmp_path / "folder" / "scores.sqlite"
    if obstacle == "a file for a folder":
        path.parent.write_text("in the way")
    elif obstacle == "a folder for a file":
        path.mkdir(parents=True)
    else:
        path.parent.mkdir()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
    with pytest.warns(UserWarning, match="in memory only"):
        memo = ScoreMemo(path)
    memo.put("m", ["a"], ["x"], [_scores(-1.0)])
    assert memo.get("m", ["a"], ["x"])[0].nats == [-1.0]
    assert len(SequenceSCM(confounder(), Filed(), memo=memo).sample(50, 1).frame) == 50


def test_a_database_damaged_meanwhile_costs_the_file_and_not_the_run(tmp_path):
    path = tmp_path / "scores.sqlite"
    many = [f"{i} " + "x" * 200 for i in range(300)]
    ScoreMemo(path).put("m", many, ["x"], [_scores(-1.0)] * len(many))
    sqlite3.connect(path).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    memo = ScoreMemo(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.warns(UserWarning, match="in memory only"):
        assert memo.get("m", many, ["x"])[0] is None
    memo.put("m", many[:1], ["x"], [_scores(-1.0)])
    assert memo.get("m", many[:1], ["x"])[0] is not None


def test_a_database_of_something_else_is_not_mistaken(tmp_path):
    path = tmp_path / "scores.sqlite"
    sqlite3.connect(path).execute("CREATE TABLE scores (a TEXT)")
    with pytest.warns(UserWarning, match="in memory only"):
        assert ScoreMemo(path).get("m", ["a"], ["x"]) == [None]


def test_memory_stays_small_where_scores_are_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("sdscm.memo.MOST_IN_MEMORY", 10)
    memo = ScoreMemo(tmp_path / "scores.sqlite")
    many = [str(i) for i in range(50)]
    memo.put("m", many, ["x"], [_scores(-float(i)) for i in range(50)])
    assert len(memo._known) <= 10
    for reader in (memo, ScoreMemo(memo.path)):  # more contexts at once than are kept
        assert [one.nats[0] for one in reader.get("m", many, ["x"])] == [-float(i) for i in range(50)]
        assert len(reader._known) <= 10


def test_a_level_in_memory_does_not_hide_the_others_on_disk(tmp_path):
    path = tmp_path / "scores.sqlite"
    ScoreMemo(path).put("m", ["c"], ["a"], [_scores(-1.0)])
    memo = ScoreMemo(path)
    memo.put("m", ["c"], ["b"], [_scores(-2.0)])
    (found,) = memo.get("m", ["c"], ["a", "b"])
    assert found is not None
    assert found.nats.tolist() == [-1, -2]
    ScoreMemo(path).put("m", ["c"], ["d"], [_scores(-3.0)])  # another process, after this one has looked
    assert memo.get("m", ["c"], ["d", "b"])[0].nats.tolist() == [-3, -2]
    assert memo.get("m", ["c"], ["a", "unheard"]) == [None]


WRITER = """
import sys
from pathlib import Path
import numpy as np
from sdscm.memo import ScoreMemo, Scores
memo, who = ScoreMemo(Path(sys.argv[1])), int(sys.argv[2])
for batch in range(40):
    contexts = [f"context {batch * 25 + i}" for i in range(50)]  # half of them the other process writes too
    memo.put("m", contexts, ["x", "y"], [Scores(np.array([-1.0, -2.0]), np.array([1.0, 2.0]))] * 50)
"""


def test_processes_that_write_at_once_lose_nothing(tmp_path):
    path = tmp_path / "scores.sqlite"
    running = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(who)]) for who in range(3)]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    found = ScoreMemo(path).get("m", [f"context {i}" for i in range(39 * 25 + 50)], ["x", "y"])
    assert all(one is not None and one.nats.tolist() == [-1.0, -2.0] for one in found)
    (count,) = sqlite3.connect(path).execute("SELECT count(*) FROM scores").fetchone()
    assert count == 2 * (39 * 25 + 50)


def test_a_process_killed_while_writing_leaves_a_sound_file(tmp_path):
    path = tmp_path / "scores.sqlite"
    process = subprocess.Popen([sys.executable, "-c", WRITER.replace("range(40)", "range(10**6)"), str(path), "0"])
    while process.poll() is None and not (path.exists() and path.stat().st_size > 20_000):
        pass
    process.kill()
    process.wait()
    memo = ScoreMemo(path)
    assert memo.get("m", ["context 0"], ["x", "y"])[0] is not None
    assert memo._database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
