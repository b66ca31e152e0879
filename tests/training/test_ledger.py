"""Lines are kept as they come; what is known is not asked for again, by whichever process."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from training.ledger import Ledger, key_of


def test_what_is_known_is_not_made_again_and_order_is_kept(tmp_path):
    ledger, asked = Ledger(tmp_path / "deep" / "l.sqlite"), []

    def make(part):
        asked.extend(part)
        return [{"item": item} for item in part]

    assert ledger.fill([3, 1], ["k3", "k1"], make) == [{"item": 3}, {"item": 1}]
    assert ledger.fill([1, 2, 3], ["k1", "k2", "k3"], make) == [{"item": 1}, {"item": 2}, {"item": 3}]
    assert asked == [3, 1, 2]
    assert ledger.counts() == (3, 0)


def test_items_of_one_key_are_made_once(tmp_path):
    made = []
    lines = Ledger(tmp_path / "l.sqlite").fill(
        ["a", "a"], ["k", "k"], lambda part: made.extend(part) or ["x"] * len(part)
    )
    assert (lines, made) == (["x", "x"], ["a"])


def test_a_fault_half_way_loses_no_finished_part(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite")

    def make(part):
        if part[0] == 4:
            raise RuntimeError("killed")
        return list(part)

    with pytest.raises(RuntimeError):
        ledger.fill(list(range(8)), [str(n) for n in range(8)], make, at_once=2)
    assert set(ledger.known([str(n) for n in range(8)])) == {"0", "1", "2", "3"}


def test_progress_counts_known_items(tmp_path):
    ledger, told = Ledger(tmp_path / "l.sqlite"), []
    ledger.keep({"a": 1})
    ledger.fill([1, 2, 3], ["a", "b", "c"], list, lambda done, total: told.append((done, total)))
    assert told == [(2, 3), (3, 3)]


def test_many_keys_are_found(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite")
    ledger.keep({str(n): n for n in range(1234)})
    assert ledger.known([str(n) for n in range(2000)]) == {str(n): n for n in range(1234)}


def test_two_writers_at_once_lose_nothing(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite")
    threads = [threading.Thread(target=lambda s=s: [ledger.keep({f"{s}-{n}": n}) for n in range(40)]) for s in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.counts() == (160, 0)


def test_a_killed_process_leaves_what_it_had_finished(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from training.ledger import Ledger\n"
        "def make(part):\n"
        "    if part[0] == 5: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return list(part)\n"
        "Ledger(Path(sys.argv[1])).fill(list(range(9)), [str(n) for n in range(9)], make)"
    )
    path = tmp_path / "l.sqlite"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code, str(path)], cwd=root).returncode == -9
    asked = []
    Ledger(path).fill(list(range(9)), [str(n) for n in range(9)], lambda part: asked.extend(part) or list(part))
    assert asked == [5, 6, 7, 8]
    assert Ledger(path).counts() == (9, 0)


def test_keys_tell_apart_what_differs():
    assert key_of("a", {"x": 1}) == key_of("a", {"x": 1})
    assert len({key_of("a", 1), key_of("a", "1"), key_of("a1"), key_of("b", 1)}) == 4


def test_many_processes_may_open_a_fresh_ledger_at_once(tmp_path):
    """Its journal mode was set at each opening once, which others at work refuse."""
    code = (
        "import sys; from pathlib import Path; from training.ledger import Ledger\n"
        "for n in range(20):\n"
        "    Ledger(Path(sys.argv[1]) / f'{n}.sqlite').keep({sys.argv[2]: 1})"
    )
    root = Path(__file__).parents[2]
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(n)], cwd=root) for n in range(4)]
    assert [one.wait() for one in running] == [0] * 4
    assert all(Ledger(tmp_path / f"{n}.sqlite").counts() == (4, 0) for n in range(20))


@pytest.mark.parametrize("content", [b"", b"no database, and longer than a header of one" * 10], ids=["empty", "junk"])
def test_a_damaged_ledger_is_told_with_what_to_do(tmp_path, content):
    path = tmp_path / "l.sqlite"
    path.write_bytes(content)
    with pytest.raises(sqlite3.DatabaseError, match=r"l\.sqlite is damaged .* move it away"):
        Ledger(path).fill([1], ["k"], lambda part: part)
