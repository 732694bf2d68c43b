"""A session from several logs, and what it is called."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ccdashd.derive import sessions as derive
from ccdashd.sources.claude_code import ClaudeCodeReader
from ccdashd.sources.log import Log
from ccdashd.sources.model import Entry, Stats


@pytest.mark.parametrize(
    ("stats", "summaries", "subagent", "title"),
    [
        (Stats(custom_title="C", ai_title="A", first_prompt="P"), ["S"], False, ("C", "custom")),
        (Stats(ai_title="A", first_prompt="P"), ["S"], False, ("A", "ai")),
        (Stats(first_prompt="P", first_command="/c"), ["S", "T"], False, ("T", "summary")),
        (Stats(first_prompt="P", first_command="/c"), [], False, ("P", "prompt")),
        (Stats(first_command="/c", agent_prompt="X"), [], False, ("/c", "command")),
        (Stats(agent_description="D", agent_prompt="X", first_prompt="P"), [], True, ("D", "prompt")),
        (Stats(agent_prompt="X", first_prompt="P"), [], True, ("X", "prompt")),
        (Stats(agent_prompt="X"), [], False, ("X", "prompt")),
        (Stats(), [], False, ("", "none")),
    ],
)
def test_a_title_is_the_best_there_is(stats: Stats, summaries: list[str], subagent: bool, title: tuple[str, str]) -> None:
    assert derive.title(stats, summaries, subagent) == title


@pytest.mark.parametrize(
    ("types", "unknown", "empty"),
    [
        ({}, {}, True),
        ({"file-history-snapshot": 3, "summary": 1}, {}, True),
        ({"user": 1}, {}, False),
        ({"assistant": 1}, {}, False),
        ({"hologram": 1}, {"hologram": 1}, False),
    ],
)
def test_a_session_in_which_nobody_spoke_is_empty(types: dict[str, int], unknown: dict[str, int], empty: bool) -> None:
    assert derive.is_empty(Stats(record_types=types, unknown_types=unknown)) is empty


def test_the_most_used_is_the_first_in_order_among_equals() -> None:
    assert derive.most_used({"b": 2, "a": 2, "c": 1}) == "a"
    assert derive.most_used({}) == ""


def line(n: int, text: str, **fields: str) -> bytes:
    more = "".join(f',"{name}":"{value}"' for name, value in fields.items())
    return (
        f'{{"type":"user","uuid":"{n:08}-0000-4000-8000-000000000000","timestamp":"2026-01-{n:02}T00:00:00.000Z"{more},'
        f'"message":{{"role":"user","content":"{text}"}}}}\n'
    ).encode()


Read = Callable[[bytes], tuple[Stats, list[Entry]]]


@pytest.fixture
def read() -> Read:
    def read(data: bytes) -> tuple[Stats, list[Entry]]:
        log = Log("s")
        reader = ClaudeCodeReader(log)
        reader.feed(data, 0)
        reader.flush()
        return log.stats, log.entries

    return read


def test_what_stands_in_two_logs_counts_once(read: Read) -> None:
    one = read(line(2, "two", cwd="/b") + line(3, "<command-name>/go</command-name>"))
    other = read(line(1, "one", cwd="/a") + line(2, "two", cwd="/b") + line(4, "four", cwd="/a"))
    merged = derive.merge([one, other])
    assert (merged.prompts, merged.commands, merged.command_names, merged.entries) == (3, 1, {"/go": 1}, 4)
    assert (merged.records, merged.duplicates) == (5, 1)
    assert (merged.first_prompt, merged.cwd, merged.cwds) == ("one", "/b", {"/a": 2, "/b": 2})
    assert merged.started_at == other[0].started_at
    assert merged.ended_at == other[0].ended_at
    swapped = derive.merge([other, one])
    assert (swapped.prompts, swapped.commands, swapped.duplicates, swapped.cwd) == (3, 1, 1, "/a")


def test_one_log_merged_is_itself(read: Read) -> None:
    stats, entries = read(line(1, "one", cwd="/a") + line(2, "<command-name>/go</command-name>") + line(3, "three"))
    merged = derive.merge([(stats, entries)])
    for name in ("prompts", "commands", "records", "first_prompt", "started_at", "ended_at", "cwds", "record_types"):
        assert getattr(merged, name) == getattr(stats, name), name


def test_the_log_to_be_believed_first_gives_the_title() -> None:
    first, second = Stats(custom_title="new", slug="s"), Stats(custom_title="old", ai_title="A", version="1")
    merged = derive.merge([(first, []), (second, [])])
    assert (merged.custom_title, merged.ai_title, merged.slug, merged.version) == ("new", "A", "s", "1")
