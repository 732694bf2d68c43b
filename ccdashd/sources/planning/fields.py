"""What values of frontmatter are in all the forms that people write them in: names, texts, files, commits, sessions."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Final

from ccdashd.sources.planning.yaml import Value, text

Values = dict[str, Value]

TITLE_KEYS: Final = (
    "title",
    "name",
    "description",
    "text",
    "question",
    "criterion",
    "gate",
    "issue",
    "summary",
    "task",
    "id",
)
STARTED: Final = ("started", "started_at", "start_date")
COMPLETED: Final = ("completed", "completed_at", "completed_date", "completion_date")
COMMITS: Final = (
    "commit_refs",
    "commits",
    "commit",
    "commit_ref",
    "completed_commit",
    "commit_hash",
    "commit_hashes",
    "commit_sha",
    "git_commits",
)
SESSIONS: Final = ("session_id", "session_ids", "sessions", "linked_sessions", "session")
FILES: Final = (
    "files_affected",
    "files_modified",
    "files",
    "file",
    "file_targets",
    "target_files",
    "modified_files",
    "files_created",
    "files_changed",
    "files_to_modify",
    "key_files",
)
PRD_REFS: Final = ("prd_ref", "prd_reference", "parent_prd")
PLAN_REFS: Final = ("plan_ref", "implementation_plan", "parent_plan", "parent_plan_ref")
"""Keys of the paths of a document's PRD and plan, the most telling first."""

PATH_KEYS: Final = ("path", "file", "file_path", "filename", "name", "ref", "doc", "url")

_NOTHING: Final = frozenset({"", "null", "none", "n/a", "na", "-", "tbd", "~", "[]"})
_NAMES: Final = re.compile(r"\s*(?:,|;|\+|&|\s/\s|\band\b)\s*")
_COMMIT: Final = re.compile(r"(?<![\w-])[0-9a-f]{7,40}(?![\w-])", re.IGNORECASE)
_SESSION: Final = re.compile(
    r"(?<![0-9a-f-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f-])", re.IGNORECASE
)
_MARK: Final = re.compile(r"\s+[(\[].*|\s+(?:-|\u2013|\u2014|\u2192|->|#)\s.*|:\s.*|:\d+(?:[-:]\d+)*$")
"""What people add to a path: ``(NEW)``, ``- what changes``, ``: what changes``, lines."""


def has(value: Value) -> bool:
    """Whether a value says anything: words such as ``none`` or ``TBD`` do not."""
    return (
        value is not None
        and value != []
        and value != {}
        and not (isinstance(value, str) and value.strip().lower() in _NOTHING)
    )


def first(values: Values, keys: Iterable[str]) -> Value:
    """The value of the first of these keys that says anything; None where none does."""
    for key in keys:
        value = values.get(key)
        if value is not None and has(value):
            return value
    return None


def first_text(values: Values, keys: Iterable[str]) -> str:
    """The text of the first of these keys that has one, on one line; lists and mappings have none."""
    for key in keys:
        value = values.get(key)
        if value is not None and has(value) and (found := text(value).strip()):
            return found
    return ""


def present(values: Values, keys: Iterable[str]) -> list[Value]:
    """The values of those of these keys that are there."""
    return [values[key] for key in keys if key in values]


def lines(value: Value, keys: Iterable[str] = TITLE_KEYS) -> list[str]:
    """The texts of a list, whatever its items are: text, numbers, mappings with one of `keys`, and mappings that a colon
    made by accident, which become the text that they were. One text counts as a list of it."""
    found = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            line = first_text(item, keys) or as_line(item)
        elif isinstance(item, list):
            found += lines(item, keys)
            continue
        else:
            line = text(item).strip()
        if line.lower() not in _NOTHING:
            found.append(line)
    return found


def as_line(values: Values) -> str:
    """A mapping as one line of text: what an unquoted colon in a text made of it, put back."""
    return ", ".join(f"{key}: {text(value)}".rstrip(": ") for key, value in values.items())


def names(value: Value) -> list[str]:
    """Names of people, agents or tasks: a list, or one text with separators."""
    found: dict[str, None] = {}
    for line in lines(value, ("id", "task", "name", "title")):
        for name in [line] if isinstance(value, list) else _NAMES.split(line[:1000]):
            if name.strip():
                found[name.strip()] = None
    return list(found)


def task_ids(value: Value) -> list[str]:
    """Ids of tasks, from a list of them that may have nested lists and remarks, or one text with commas."""
    found: dict[str, None] = {}
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, list):
            found |= dict.fromkeys(task_ids(item))
        elif isinstance(item, dict):
            known = first_text(item, ("id", "task", "task_id"))
            if known:
                found[known] = None
        else:
            found |= dict.fromkeys(name for part in re.split(r"[,;]", text(item)) if (name := part.strip()))
    return [name for name in found if name.lower() not in _NOTHING]


def phase(value: Value) -> str:
    """A phase as it is written, without the word before its number; of a list of two, from the first to the last."""
    if not has(value):
        return ""
    stated = "-".join(lines(value)) if isinstance(value, list) and len(value) == 2 else text(value).strip()
    numbered = re.fullmatch(r"phase[-_\s]?(\d[\w.\-]*)", stated, re.IGNORECASE)
    return numbered[1] if numbered else stated


def commits(*values: Value) -> list[str]:
    """Hashes of commits, in lower case, each once."""
    if not values:
        return []
    return list(
        dict.fromkeys(match.lower() for value in values for part in strings(value) for match in _COMMIT.findall(part))
    )


def sessions(*values: Value) -> list[str]:
    """Ids of sessions, which are UUIDs, in lower case, each once."""
    if not values:
        return []
    return list(
        dict.fromkeys(match.lower() for value in values for part in strings(value) for match in _SESSION.findall(part))
    )


def files(*values: Value) -> list[str]:
    """Paths of files, each once, without marks such as ``(NEW)``; relative ones are relative to the project's root."""
    found = (clean_path(line) for value in values for line in lines(value, PATH_KEYS))
    return list(dict.fromkeys(path for path in found if path and not path.isdigit()))


def clean_path(raw: str) -> str:
    """A path without what people add to it; empty where it is no path."""
    path = _MARK.sub("", raw.strip()[:1000].strip("`'\"")).strip("`'\" ")
    if not path or "\n" in path:
        return ""
    if path.startswith(("./", "../")):
        path = posixpath.normpath(path)
    return path


def strings(value: Value) -> Iterator[str]:
    """All texts in a value, at any depth; numbers as they were written."""
    if isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif value is not None and not isinstance(value, bool):
        yield text(value)
