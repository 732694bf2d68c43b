"""``ccdash verify``, ``backup``, ``vacuum`` and ``migrate``: what they ask, and what they print."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ccdashd.integrity.backups import Backup, Copy, write_list
from tests.cli.conftest import Done
from tests.cli.daemon import FakeDaemon

Run = Callable[..., Done]


@pytest.mark.parametrize(
    ("arguments", "method"), [(("backup",), "cache/backup"), (("vacuum",), "cache/vacuum"), (("migrate",), "cache/migrate")]
)
def test_json_is_the_result_as_it_came(run: Run, fake: FakeDaemon, arguments: tuple[str, ...], method: str) -> None:
    done = run(*arguments, "--json")
    assert (json.loads(done.out), done.code) == (fake.answers[method], 0)


def test_faults_are_told_with_what_repairs_them(run: Run, fake: FakeDaemon) -> None:
    fault = {"part": "journal", "where": "/d/journal.jsonl", "problem": "line 4 is not what was written", "repaired": False}
    faults = [
        fault | {"repair": "the bit is set right"},
        fault | {"part": "cache", "repair": "made anew", "repaired": True},
    ]
    fake.answers["cache/verify"] |= {"ok": False, "faults": faults, "kept": ["/d/cache.db.corrupt-1"], "checkedFiles": 1}
    done = run("verify")
    assert done.code == 1
    first, *lines = done.out.splitlines()
    assert first.startswith("1 fault: 1 file and 9 pieces of the archive checked in ")
    assert lines == [
        "fault journal: /d/journal.jsonl: Line 4 is not what was written. Repair: the bit is set right.",
        "repaired cache: /d/journal.jsonl: Line 4 is not what was written. Done: made anew.",
    ]
    assert "/d/cache.db.corrupt-1" in done.err and "`ccdash verify --repair`" in done.err
    assert fake.params("cache/verify")["repair"] is False
    assert run("verify", "--repair").code == 1
    assert fake.params("cache/verify")["repair"] is True


def test_a_backup_is_asked_for_where_it_is_wanted(run: Run, fake: FakeDaemon, tmp_path: Path) -> None:
    done = run("backup", "--folder", str(tmp_path / "b"), "--archive", "--keep", "3")
    asked = fake.params("cache/backup")
    assert {name: asked[name] for name in ("folder", "archive", "keep")} == {
        "folder": str(tmp_path / "b"), "archive": True, "keep": 3,
    }  # fmt: skip
    assert done.out == f"{fake.answers['cache/backup']['path']}\n" and "Deleted " in done.err


def test_backups_are_listed_without_a_daemon(run: Run, tmp_path: Path) -> None:
    assert "There are no backups in" in run("backup", "--list", "--folder", str(tmp_path)).err
    for name, size in (("ccdash-20260101T000000Z", 5), ("ccdash-20260201T000000Z", 2_000_000)):
        (tmp_path / name).mkdir()
        backup = Backup(version="1", schema="1", created_at="2026-01-01T00:00:00.000Z", files=[Copy("a", size, "0" * 64)])
        write_list(tmp_path / name, backup)
    (tmp_path / "ccdash-20260301T000000Z").mkdir()
    listed = json.loads(run("backup", "--list", "--folder", str(tmp_path), "--json").out)
    assert [(Path(one["path"]).name, one["bytes"]) for one in listed] == [
        ("ccdash-20260201T000000Z", 2_000_000),
        ("ccdash-20260101T000000Z", 5),
    ]
    assert "2.00 MB" in run("backup", "--list", "--folder", str(tmp_path)).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backup", "--restore", "/x", "--keep", "1"), "--restore takes the folder of one backup"),
        (("migrate", "down"), "Name the version to go down to"),
        (("migrate", "up", "0001"), "Only `down` takes a VERSION"),
    ],
)
def test_wrong_usage_is_told(run: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.code == 2 and said in done.err


def test_a_restore_that_fails_says_why(run: Run, tmp_path: Path) -> None:
    done = run("backup", "--restore", str(tmp_path))
    assert done.code == 1 and f"Not restored: {tmp_path} is no backup" in done.err


def test_going_down_names_the_backup(run: Run, fake: FakeDaemon) -> None:
    done = run("migrate", "down", "0004")
    assert fake.params("cache/migrate") == {"to": "0004"}
    assert "A backup was made before: /data/backups" in done.err and "not applied" in done.out


def test_what_was_given_back_is_told(run: Run, fake: FakeDaemon) -> None:
    fake.answers["cache/vacuum"] |= {"before": 5_000_000, "after": 2_000_000}
    assert run("vacuum").out.startswith("3.00 MB given back in ")
