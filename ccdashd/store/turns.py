"""Turns of logs: what was asked, what was used until the next prompt, and what the agent said on the way."""

from __future__ import annotations

import json
import threading
from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.derive.pricing import Prices, Spent, Usage, charge, total
from ccdashd.sources.log import pack_key
from ccdashd.sources.model import KIND, Entry
from ccdashd.store import pages
from ccdashd.store.connection import raw_connection
from ccdashd.store.entries import log_tag

TEXT_CAP = 2_000
"""Characters that are kept of a prompt, and of what the agent said."""

KEPT = 256
"""Logs whose turns are remembered, the last asked for."""

# The roll-ups change with whatever counts in the log, or has another price.
_STATES = """
SELECT f.id, f.path, f.parsed_to, f.parser, f.state, COUNT(u.slot), SUM(u.messages), SUM(u.lower_bounds), SUM(u.cost_micro),
       SUM(u.cost_pico)
FROM json_each(?) j CROSS JOIN sync_state f ON f.id = j.value LEFT JOIN usage_slots u ON u.file_id = f.id GROUP BY f.id
"""
_ASKED = """
SELECT time, key FROM session_events
WHERE file_id = ? AND kind IN ('prompt', 'command', 'steering') AND time IS NOT NULL ORDER BY time, n
"""
_USED = """
SELECT time, model, fast, lower_bound, reported, input, output, cache_read,
       MAX(cache_write - cache_write_1h, cache_write_5m), cache_write_1h, web_searches
FROM session_messages WHERE file_id = ? AND counted AND time >= ? AND time < ?
"""
_KEYS = "SELECT page, keys FROM session_logs WHERE file_id = ? ORDER BY page"
_COUNT = "SELECT COUNT(*) FROM session_logs WHERE file_id = ?"
_PAGE = "SELECT data FROM session_logs WHERE file_id = ? AND page = ?"

_ASKING = frozenset((KIND["prompt"], KIND["command"], KIND["steering"]))
_SAID = KIND["assistant"]
_END = 2**62


class Prompt(NamedTuple):
    """What the user asked for."""

    offset: int
    """Of its record."""
    text: str
    """At most `TEXT_CAP` characters of it."""
    time: int


class Log:
    """The turns of one log, by number; -1 is what came before the first prompt. Answers are kept: see `Turns`."""

    def __init__(self, connection: sa.Connection, file_id: int) -> None:
        self.file_id = file_id
        (path,) = raw_connection(connection).execute("SELECT path FROM sync_state WHERE id = ?", (file_id,)).fetchone()
        self.tag = log_tag(path)
        self._asked: list[tuple[int, bytes]] = raw_connection(connection).execute(_ASKED, (file_id,)).fetchall()
        self._prompts: dict[int, Prompt | None] = {-1: None}
        self._spent: dict[int, Spent | None] = {}

    def turn(self, time: int | None) -> int:
        """The number of the turn at a time."""
        return -1 if time is None else bisect_right(self._asked, time, key=lambda asked: asked[0]) - 1

    def prompts(self, connection: sa.Connection, turns: Iterable[int]) -> Mapping[int, Prompt | None]:
        """What began each of these turns; None where that is not known."""
        unknown = {self._asked[turn][1]: turn for turn in turns if turn not in self._prompts}
        if unknown:
            found: dict[int, Prompt | None] = dict.fromkeys(unknown.values())
            for entry in self._entries(connection, unknown):
                turn = unknown.get(pack_key(entry.uuid)) if entry.kind in _ASKING and entry.uuid is not None else None
                if turn is not None and found[turn] is None:
                    found[turn] = Prompt(entry.offset, entry.text[:TEXT_CAP], self._asked[turn][0])
            self._prompts.update(found)
        return self._prompts

    def spent(self, connection: sa.Connection, prices: Prices, turns: Iterable[int]) -> Mapping[int, Spent | None]:
        """What each of these turns cost, without sub-agents; None where it used nothing."""
        unknown = {turn for turn in turns if turn not in self._spent}
        if unknown:
            begin = min(unknown)
            start, end = self._asked[begin][0] if begin >= 0 else -_END, self._start(max(unknown) + 1)
            used: dict[int, dict[tuple[str, bool], list[_Message]]] = {turn: defaultdict(list) for turn in unknown}
            told: dict[int, list[Spent]] = defaultdict(list)
            rows = raw_connection(connection).execute(_USED, (self.file_id, start, end))
            for time, model, fast, lower_bound, reported, *figures in rows:
                turn = self.turn(time)
                if turn not in used:
                    continue
                if reported is not None:
                    told[turn].append(Spent(reported, reported=True))
                else:
                    used[turn][model, bool(fast)].append((time, bool(lower_bound), figures))
            for turn, groups in used.items():
                parts = [_cost(prices, *key, messages) for key, messages in groups.items()] + told[turn]
                self._spent[turn] = total(parts) if parts else None
        return self._spent

    def said(self, connection: sa.Connection, offset: int) -> str:
        """What the agent said last before the record at an offset, in the same turn; empty where that is nothing."""
        for page in range(self._page_at(connection, offset), -1, -1):
            for entry in reversed(self._page(connection, page)):
                if entry.offset > offset:
                    continue
                if entry.kind in _ASKING:
                    return ""
                if entry.kind == _SAID and entry.text.strip():
                    return entry.text[:TEXT_CAP]
        return ""

    def _start(self, turn: int) -> int:
        return self._asked[turn][0] if turn < len(self._asked) else _END

    def _entries(self, connection: sa.Connection, keys: Iterable[bytes]) -> Iterator[Entry]:
        """The entries of the pages that hold records with these keys."""
        wanted = list(keys)
        for page, packed in raw_connection(connection).execute(_KEYS, (self.file_id,)).fetchall():
            if any(key in packed for key in wanted):
                yield from self._page(connection, page)

    def _page(self, connection: sa.Connection, page: int) -> list[Entry]:
        row = raw_connection(connection).execute(_PAGE, (self.file_id, page)).fetchone()
        return pages.unpack(row[0]) if row is not None else []

    def _page_at(self, connection: sa.Connection, offset: int) -> int:
        """The last page that begins at or before an offset; -1 where there is none."""
        (count,) = raw_connection(connection).execute(_COUNT, (self.file_id,)).fetchone()
        return bisect_right(range(count), offset, key=lambda page: self._page(connection, page)[0].offset) - 1


_Message = tuple[int, bool, list[int]]
"""Time, whether it is a lower bound, and what it used in the order of `Usage`."""


def _cost(prices: Prices, model: str, fast: bool, messages: list[_Message]) -> Spent:
    """What messages of one model cost: together, where all have the same price."""
    times, bounds, used = zip(*messages, strict=True)
    fresh, output, read, *written, searches = zip(*used, strict=True)
    prompts = [sum(parts) for parts in zip(fresh, read, *written, strict=True)]
    rates = prices.tariff(model, fast=fast).rates((min(times), max(times)), (min(prompts), max(prompts)))
    if rates is not None and len(rates) == 1:
        whole = Usage(*map(sum, (fresh, output, read, *written, searches)))
        return charge(model, next(iter(rates)), whole, lower_bound=any(bounds))
    return total(
        prices.message(model, time, Usage(*figures), lower_bound=bound, fast=fast) for time, bound, figures in messages
    )


class Turns:
    """The turns of logs of late, as long as a log is as it was. Safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[tuple[object, ...], Log]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, connection: sa.Connection, file_ids: Iterable[int]) -> dict[int, Log]:
        """The turns of each of these logs."""
        found: dict[int, Log] = {}
        states = raw_connection(connection).execute(_STATES, (json.dumps(sorted(set(file_ids))),)).fetchall()
        for file_id, *state in states:
            with self._lock:
                known = self._kept.get(file_id)
            log = known[1] if known is not None and known[0] == tuple(state) else Log(connection, file_id)
            found[file_id] = log
            with self._lock:
                self._kept[file_id] = tuple(state), log
                self._kept.move_to_end(file_id)
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return found
