"""``ccdash blame``: what stands beside the lines of a file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccdash.commands import blame
from tests.cli.conftest import Done, Window
from tests.cli.daemon import FakeDaemon

Run = Callable[..., Done]

TEXT = "".join(f"line {number}\n" for number in range(1, 13))


@pytest.fixture
def till(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "till.py").write_text(TEXT)
    return tmp_path / "till.py"


def test_lines_are_told_with_who_wrote_them(run: Run, fake: FakeDaemon, till: Path) -> None:
    done = run("blame", "till.py")
    lines = done.out.splitlines()
    assert len(lines) == 12
    assert re.fullmatch(r" +\(not yet\)  1\) line 1", lines[0])
    assert re.fullmatch(r"5f3c1d9e Fix the till opus-4-5 \S+( ago)? +\$0\.41 \(not yet\)  3\) line 3", lines[2])
    assert [line.startswith("5f3c1d9e") for line in lines] == [3 <= number <= 7 for number in range(1, 13)]
    assert done.err.startswith("5 of 12 lines were written by agents, in 1 session; 1 of 2 recorded changes cannot be read")
    assert fake.params("files/blame") == {"path": str(till), "text": TEXT, "git": True}


def test_json_is_the_result_as_it_came(run: Run, fake: FakeDaemon, till: Path) -> None:
    done = run("blame", str(till), "--json", "--no-git")
    assert json.loads(done.out) == fake.answers["files/blame"]
    assert done.err == ""
    assert fake.params("files/blame")["git"] is False


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("3,5", {"start": 3, "end": 5}),
        ("3,+2", {"start": 3, "end": 4}),
        ("3,", {"start": 3}),
        ("3", {"start": 3}),
        (",5", {"start": 1, "end": 5}),
        ("12,99", {"start": 12, "end": 99}),
    ],
)
def test_a_part_of_the_lines(run: Run, fake: FakeDaemon, till: Path, given: str, asked: dict[str, int]) -> None:
    done = run("blame", "till.py", "-L", given)
    sent = fake.params("files/blame")
    assert {name: sent[name] for name in ("start", "end") if name in sent} == asked
    told = [int(re.findall(r"(\d+)\) line", line)[0]) for line in done.out.splitlines()]
    assert told == list(range(asked["start"], min(asked.get("end", 12), 12) + 1))
    assert f"of {len(told)} lines" in done.err


@pytest.mark.parametrize("given", ["", ",", "a", "0,3", "5,3", "3,+0", "13", "-1", "1,2,3", "9999999999"])
def test_what_names_no_lines_is_refused(run: Run, fake: FakeDaemon, till: Path, given: str) -> None:
    done = run("blame", "till.py", f"-L={given}")
    assert done.code == 2
    assert done.out == ""
    assert "files/blame" not in fake.methods()


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("gone.py", 1, "There is no file gone.py. `ccdash files` tells who touched one that is gone."),
        (".", 2, ". is a folder; only files can be blamed."),
        ("binary", 2, "binary is not text."),
        ("huge", 2, "huge is larger than 8 MiB; such files are not blamed."),
        ("\x1b[2Jbad", 1, "There is no file bad."),
    ],
)
def test_what_cannot_be_blamed_is_said(run: Run, fake: FakeDaemon, till: Path, name: str, code: int, says: str) -> None:
    (till.parent / "binary").write_bytes(b"a\0")
    (till.parent / "huge").write_bytes(b"a" * (blame.FILE_CAP + 1))
    done = run("blame", name)
    assert done.code == code
    assert says in done.err
    assert "\x1b" not in done.err


def test_a_file_that_no_agent_changed(run: Run, fake: FakeDaemon, till: Path) -> None:
    fake.answers["files/blame"] |= {"recorded": 0, "blocks": [], "changes": [], "lines": 0, "agentLines": 0}
    done = run("blame", "till.py")
    assert (done.code, done.out) == (0, "")
    assert done.err == "No session is known to have changed till.py. `ccdash files` tells who read it.\n"


def test_text_of_others_cannot_act(run: Run, fake: FakeDaemon, till: Path) -> None:
    evil = "a\x1b]52;c;ZXZpbA==\x07b\x1b[2Jc\x9b1md\x08"
    till.write_text(f"{evil}\r\n" * 12, newline="")
    change = fake.answers["files/blame"]["changes"][0]
    change |= {"title": evil, "model": evil, "prompt": {"entry": None, "text": evil, "time": None}}
    fake.answers["files/blame"]["commits"][0]["author"] = evil
    fake.answers["files/blame"]["commits"][0]["hash"] = "a" * 40
    done = run("blame", "till.py")
    assert done.out.count("abcd") == 12 * 2 + 5 * 2
    assert not set(done.out + done.err) & set("\x1b\x07\x08\x9b\r")
    assert len(done.out.splitlines()) == 12


@pytest.mark.parametrize("cells", [30, 80, 120, 200])
def test_a_narrow_window_leaves_out_the_prompt(fake: FakeDaemon, cells: int) -> None:
    found: dict[str, Any] = fake.answers["files/blame"]
    out = Window(cells)
    blame._write(out, found, TEXT.split("\n"), range(1, 13))
    assert len(out.text) == 12
    assert ("Fix the till" in out.text[2]) == (cells >= 120)
    assert all("line" in line for line in out.text)


def test_sessions_are_told_apart_by_colour(fake: FakeDaemon) -> None:
    found: dict[str, Any] = fake.answers["files/blame"]
    other = {**found["changes"][0], "sessionId": "0a"}
    found |= {
        "changes": [found["changes"][0], other],
        "blocks": [
            {"start": 1, "end": 1, "change": n % 2, "fit": "same"} | {"start": n + 1, "end": n + 1} for n in range(3)
        ],
    }
    out = Window(None, color=True)
    blame._write(out, found, TEXT.split("\n"), range(1, 5))
    codes = [re.match(r"\x1b\[(\d+)m", line) for line in out.text]
    assert codes[0] is not None and codes[1] is not None and codes[2] is not None
    assert codes[0][1] == codes[2][1] != codes[1][1]
    assert codes[3] is None
