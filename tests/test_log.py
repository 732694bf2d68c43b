"""The log: one line per event, whatever is in the values."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdashd import log


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising


def test_a_line_has_time_level_name_and_fields(tmp_path: Path) -> None:
    file = tmp_path / "log" / "d.log"
    assert log.configure(file, "info") is None
    log.get("ccdashd.x").info("did %d things", 3, path="/a b", ms=1.23456, count=2)
    log.get("ccdashd.x").debug("unseen")
    (line,) = file.read_text().splitlines()
    time, rest = line.split(" ", 1)
    assert time.endswith("Z") and len(time) == 24
    assert rest == 'INFO ccdashd.x did 3 things path="/a b" ms=1.235 count=2'
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_no_value_can_forge_a_line(tmp_path: Path) -> None:
    file = tmp_path / "d.log"
    log.configure(file, "info")
    log.get("x").info("one\ntwo", value='a\n2026 ERROR "fake"\x1b[31m', empty="", odd="\udcff")
    (line,) = file.read_text().splitlines()
    assert "\x1b" not in line
    assert r"one\ntwo" in line
    assert 'empty=""' in line


def test_a_traceback_follows_its_line(tmp_path: Path) -> None:
    file = tmp_path / "d.log"
    log.configure(file, "info")
    try:
        raise KeyError("k")
    except KeyError as error:
        log.get("x").error("failed", id="abc", exc_info=error)
    text = file.read_text()
    assert "failed id=abc" in text and "KeyError: 'k'" in text


def test_plain_loggers_are_logged_alike(tmp_path: Path) -> None:
    file = tmp_path / "d.log"
    log.configure(file, "warning")
    logging.getLogger("other").warning("plain %s", "text")
    assert file.read_text().endswith("WARNING other plain text\n")


def test_the_file_rotates_and_stays_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "FILE_BYTES", 500)
    file = tmp_path / "d.log"
    log.configure(file, "info")
    for number in range(100):
        log.get("x").info("line", number=number)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 1 + log.FILES_KEPT
    assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 and one.stat().st_size <= 500 for one in files)
    assert "number=99" in file.read_text()


def test_a_file_that_cannot_be_written_is_told_and_standard_error_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "f").touch()
    problem = log.configure(tmp_path / "f" / "d.log", "info")
    assert problem is not None and "cannot be written" in problem
    log.get("x").info("seen")
    assert "seen" in capsys.readouterr().err


def test_the_journal_gets_priorities(tmp_path: Path) -> None:
    code = (
        "import os, pathlib; status = os.fstat(2)\n"
        "os.environ['JOURNAL_STREAM'] = f'{status.st_dev}:{status.st_ino}'\n"
        "from ccdashd import log; log.configure(pathlib.Path('never/log'), 'debug')\n"
        "x = log.get('x'); x.debug('d'); x.info('i', a=1); x.warning('w'); x.error('e')\n"
        "try: 1 / 0\nexcept ZeroDivisionError as error: x.error('f', exc_info=error)\n"
    )
    with (tmp_path / "err").open("w+") as errors:
        subprocess.run([sys.executable, "-c", code], stderr=errors, cwd=tmp_path, check=True)
        errors.seek(0)
        lines = errors.read().splitlines()
    assert lines[:4] == ["<7>x d", "<6>x i a=1", "<4>x w", "<3>x e"]
    assert all(line.startswith("<3>") for line in lines[4:])
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("value", ["", "x", "1:2", ":"])
def test_standard_error_that_is_not_the_journal(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "JOURNAL_STREAM", value)
    assert not log.to_journal()
