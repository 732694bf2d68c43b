"""What git says of lines, as it is understood. Blame of files in real repositories is tested in tests/rpc."""

from __future__ import annotations

import pytest

from ccdashd.git import Lines, _parsed

HASH = "a" * 40


@pytest.mark.parametrize(
    ("seconds", "time"),
    [("0", "1970-01-01T00:00:00.000Z"), ("99999999999999", ""), ("-99999999999999", ""), ("", ""), ("soon", "")],
)
def test_times_beyond_the_calendar_are_none(seconds: str, time: str) -> None:
    said = f"{HASH} 1 3 1\nauthor A\nauthor-time {seconds}\nsummary S\nfilename a\n\tx\n"
    assert _parsed(said) == [Lines(3, 3, HASH, "A", time, "S")]


def test_a_commit_tells_of_itself_once() -> None:
    said = f"{HASH} 1 1 2\nauthor A\nauthor-time 0\nsummary S\n\tx\n{HASH} 2 2\n\ty\n{HASH} 9 4 1\n\tz\n"
    assert [(lines.start, lines.end, lines.author) for lines in _parsed(said)] == [(1, 2, "A"), (4, 4, "A")]
