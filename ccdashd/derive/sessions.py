"""A session's figures from those of its logs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from ccdashd.sources import prompts
from ccdashd.sources.model import KINDS, Entry, Stats

TitleSource = Literal["custom", "ai", "summary", "prompt", "command", "none"]

_COUNTERS = {
    "prompt": "prompts",
    "command": "commands",
    "bash": "bash_inputs",
    "interrupt": "interrupts",
    "steering": "steering",
    "meta": "meta",
    "notification": "notifications",
    "teammate": "teammate_messages",
    "compaction": "compactions",
}
_SUMMED = ("record_types", "unknown_types", "session_ids", "cwds", "git_branches", "versions", "agent_ids", "forked_from")


class Details(msgspec.Struct):
    """Figures of a session that lists do not show; kept as JSON in its row."""

    stats: Stats
    models: dict[str, int] = {}
    tokens_by_model: dict[str, list[int]] = {}
    """Input, output, cache read, cache write, 5-minute write, 1-hour write."""
    tokens_mirrored: tuple[int, ...] = (0,) * 6
    summaries: list[str] = []
    agents: list[str] = []
    """Ids of the sub-agents that it started, as far as any log names them."""


def merge(files: Sequence[tuple[Stats, list[Entry]]]) -> Stats:
    """The figures of a session that has several logs: what stands in more than one of them counts once.

    Logs come in the order in which they count, the one to be believed in doubt first.
    """
    merged = Stats()
    seen: set[tuple[str, int]] = set()
    for stats, entries in files:
        merged.lines += stats.lines
        merged.records += stats.records
        merged.duplicates += stats.duplicates
        merged.api_errors = max(merged.api_errors, stats.api_errors)
        merged.synthetic = max(merged.synthetic, stats.synthetic)
        merged.sidechain_roots = max(merged.sidechain_roots, stats.sidechain_roots)
        merged.started_at = _least(merged.started_at, stats.started_at)
        merged.ended_at = _most(merged.ended_at, stats.ended_at)
        for name in _SUMMED:
            _add(getattr(merged, name), getattr(stats, name))
        for name in ("pr_links",):
            getattr(merged, name).update(getattr(stats, name))
        _count(merged, entries, seen)
        for name in (
            "custom_title",
            "ai_title",
            "slug",
            "version",
            "git_branch",
            "cwd",
            "agent_type",
            "agent_description",
            "agent_prompt",
            "parent_tool_use_id",
            "root_uuid",
            "first_command",
        ):
            if not getattr(merged, name):
                setattr(merged, name, getattr(stats, name))
        earlier = stats.first_prompt_at or 0
        if stats.first_prompt and (not merged.first_prompt or earlier < (merged.first_prompt_at or 0)):
            merged.first_prompt, merged.first_prompt_at = stats.first_prompt, stats.first_prompt_at
    return merged


def _count(merged: Stats, entries: list[Entry], seen: set[tuple[str, int]]) -> None:
    for entry in entries:
        if entry.uuid is not None:
            key = (entry.uuid, entry.block)
            if key in seen:
                merged.duplicates += entry.block == 0
                continue
            seen.add(key)
        merged.entries += 1
        kind = KINDS[entry.kind]
        if kind == "prompt" and entry.sidechain:
            merged.sidechain_prompts += 1
            continue
        counter = _COUNTERS.get(kind)
        if counter is not None:
            setattr(merged, counter, getattr(merged, counter) + 1)
        if kind == "command":
            name, _ = prompts.command(entry.text)
            merged.command_names[name] = merged.command_names.get(name, 0) + 1


def title(stats: Stats, summaries: Sequence[str], subagent: bool) -> tuple[str, TitleSource]:
    """The title and where it comes from: the user's, the agent's, a summary, the first prompt, the first command."""
    if stats.custom_title:
        return stats.custom_title, "custom"
    if stats.ai_title:
        return stats.ai_title, "ai"
    if summaries:
        return summaries[-1], "summary"
    if subagent and (stats.agent_description or stats.agent_prompt):
        return stats.agent_description or stats.agent_prompt, "prompt"
    if stats.first_prompt:
        return stats.first_prompt, "prompt"
    if stats.first_command:
        return stats.first_command, "command"
    return stats.agent_prompt, "prompt" if stats.agent_prompt else "none"


def is_empty(stats: Stats) -> bool:
    """Whether nobody said anything: only state that an agent noted for itself."""
    return not (stats.record_types.get("user") or stats.record_types.get("assistant") or stats.unknown_types)


def most_used(counts: dict[str, int]) -> str:
    """The key with the highest count; the first in order of the alphabet among equals."""
    return min(counts, key=lambda key: (-counts[key], key)) if counts else ""


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for key, count in more.items():
        total[key] = total.get(key, 0) + count


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _most(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
