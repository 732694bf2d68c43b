"""The edit that sets a status in one planning file: that of a task, or that of the file itself. Pure: bytes in, bytes out.

Only values change: the status, and when asked the counters and `updated`, as far as the file has them. What comes out is
read again, and refused where it does not say what was wanted, or says anything else otherwise than before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ccdashd.derive.statuses import CLOSED
from ccdashd.edits.frontmatter import Edited, EditRefused, set_value, toggle_box
from ccdashd.protocol import types as t
from ccdashd.sources.planning import documents, frontmatter
from ccdashd.sources.planning.frontmatter import Frontmatter
from ccdashd.sources.planning.model import Document, Status, Task
from ccdashd.sources.planning.status import mark_for, parse_wanted, read_status, word_for
from ccdashd.sources.planning.tasks import STATUS_KEYS, places
from ccdashd.sources.planning.yaml import Path, Value, text


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a status is to be."""

    status: Status
    word: str | None = None
    """A word of the user's own, which is written as it is; else the file's spelling of the status is."""
    counters: bool = False
    """Also set the counters of tasks to what they are then."""
    now: datetime | None = None
    """Also set `updated` to this moment, which knows its zone."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a file."""

    data: bytes
    """All of it, with the edit."""
    changes: list[t.LineChange]
    """Empty where the file says so already."""
    raw_status: str
    """The status as it then stands there."""


def wanted(word: str, *, counters: bool = False, now: datetime | None = None) -> Wanted:
    """What a user asks for by a word. Raises ValueError for a word that means no status; it names those that do."""
    status, own = parse_wanted(word)
    return Wanted(status, own, counters, now)


def plan(path: str, data: bytes, wanted: Wanted, task: str | None = None) -> Plan:
    """The edit that sets the status of the file at `path`, whose bytes are `data`, or that of its task with the key `task`.

    Raises EditRefused where that cannot be done without guessing.
    """
    before = documents.read(path, data)
    edited = _set_document(data, before, wanted) if task is None else _set_task(data, _task(before, task), before, wanted)
    changes = [] if edited is None else [_change("status" if task is None else f"tasks.{task}.status", edited)]
    after = before
    if edited is not None:
        data = edited.data
        after = documents.read(path, data)
        _check(before, after, task, wanted)
    if wanted.counters:
        for key, number in _counters(before, after):
            data = _set(data, key, number, changes)
    if wanted.now is not None and changes:
        moment = _updated(after.frontmatter.get("updated"), wanted.now)
        if moment is not None:
            data = _set(data, "updated", moment, changes)
    return Plan(data, changes, _task(after, task).raw_status if task is not None else after.raw_status)


def _task(document: Document, key: str) -> Task:
    for task in document.tasks:
        if task.key == key:
            return task
    raise EditRefused(f"there is no task {key} any more; read the file again")


def _change(field: str, edited: Edited) -> t.LineChange:
    return t.LineChange(line=edited.line, field=field, before=edited.before, after=edited.after)


def _set(data: bytes, key: str, new: str, changes: list[t.LineChange]) -> bytes:
    edited = set_value(data, (key,), new)
    if edited.data != data:
        changes.append(_change(key, edited))
    return edited.data


def _set_document(data: bytes, document: Document, wanted: Wanted) -> Edited | None:
    """None where the file says so already."""
    if _says_so(document.raw_status, document.status, wanted):
        return None
    like = [document.raw_status.strip(_EMPHASIS), *(task.raw_status for task in _in_frontmatter(document))]
    word = wanted.word or word_for(wanted.status, like, document.doc_type)
    return _set_in_text(data, document, word) if document.status_in_text else set_value(data, ("status",), word)


_EMPHASIS: Final = "*_`"
_PLAIN: Final = re.compile(r"([*_`]*)[A-Za-z]+(?:[ _-][A-Za-z]+)*([*_`]*)")


def _set_in_text(data: bytes, document: Document, word: str) -> Edited:
    """Replace the word behind ``**Status:**`` in the text, in the emphasis that it has."""
    old, number = document.raw_status, document.status_line
    lines = data.split(b"\n")
    line = lines[number - 1]
    before, found, after = line.rpartition(old.encode())
    match = _PLAIN.fullmatch(old)
    if match is None or document.status == "unknown" or not found or after.strip():
        raise EditRefused(
            f"the status stands in the text, in line {number}, and is more than a word ({old[:60]!r}); edit it by hand"
        )
    new = f"{match[1]}{word}{match[2]}"
    lines[number - 1] = before + new.encode() + after
    return Edited(b"\n".join(lines), number, old, new)


def _set_task(data: bytes, task: Task, document: Document, wanted: Wanted) -> Edited | None:
    """None where the file says so already."""
    if task.form == "numbered":
        raise EditRefused(
            f"task {task.key} is a line of a numbered list (line {task.line}), which has no place for a status; "
            "make it an item with a box, such as `- [ ] text`"
        )
    if task.form == "checkbox":
        if task.status == wanted.status:
            return None
        marks = [other.raw_status for other in document.tasks if other.form == "checkbox"]
        try:
            return toggle_box(data, task.line, mark_for(wanted.status, marks))
        except ValueError as error:
            raise EditRefused(str(error)) from None
    if _says_so(task.raw_status, task.status, wanted):
        return None
    path = _status_path(frontmatter.read(data), task)
    like = [other.raw_status for other in _in_frontmatter(document)]
    return set_value(data, path, wanted.word or word_for(wanted.status, [*like, document.raw_status], "task"))


def _status_path(found: Frontmatter, task: Task) -> Path:
    """Where the status of a task of the frontmatter stands, or is to stand."""
    place = places(found)[task.key]
    value: Value = found.values
    for step in place:
        value = value[step]  # type: ignore[index]
    who = f"task {task.key} (line {task.line})"
    if isinstance(value, dict):
        key = next((key for key in STATUS_KEYS if key in value), None)
        if key is None and task.raw_status:
            raise EditRefused(f"{who} has no `status`, but another key that tells it ({task.raw_status}); edit it by hand")
        return (*place, key or "status")
    if not task.raw_status:
        raise EditRefused(f"{who} is a text alone, without a place for a status; make it a mapping with `status:`")
    return place


def _in_frontmatter(document: Document) -> list[Task]:
    return [task for task in document.tasks if task.form in ("list", "map")]


def _says_so(raw: str, status: Status | None, wanted: Wanted) -> bool:
    return raw.strip(_EMPHASIS) == wanted.word if wanted.word is not None else status == wanted.status


def _check(before: Document, after: Document, task: str | None, wanted: Wanted) -> None:
    """That the file says what was wanted, and of everything else what it said. Raises EditRefused."""
    raw, status, kind = after.raw_status, after.status, after.doc_type
    if task is not None:
        changed = _task(after, task)
        raw, status, kind = changed.raw_status, changed.status, "task"
    if wanted.word is None or (task is not None and changed.form == "checkbox"):
        is_so = status == wanted.status
    else:
        is_so = raw.strip(_EMPHASIS) == wanted.word and status == read_status(wanted.word, kind)
    if not is_so or _others(before, task) != _others(after, task):
        raise EditRefused("the file would not read as wanted after the edit; edit it by hand")


def _others(document: Document, task: str | None) -> list[tuple[str, str]]:
    """All statuses but the one that is set."""
    own = [("", document.raw_status)] if task is not None else []
    return own + [(other.key, other.raw_status) for other in document.tasks if other.key != task]


def _counters(before: Document, after: Document) -> list[tuple[str, str]]:
    """Keys of counters that the file has, and what they are to be."""
    tasks = _in_frontmatter(after) or after.tasks
    if not tasks:
        return []
    total = len(tasks)
    declared, percent = before.declared_completed, before.declared_progress
    part = _completed(before, after, lambda number, _: number == declared)
    # Some round a percentage, some cut it.
    share = _completed(before, after, lambda number, of: percent is not None and abs(percent - 100 * number / of) <= 1)
    numbers = {
        "total_tasks": total,
        "completed_tasks": part,
        "in_progress_tasks": sum(task.status == "in_progress" for task in tasks),
        "blocked_tasks": sum(task.status == "blocked" for task in tasks),
        "overall_progress": 100 * share / total,
        "progress": 100 * share / total,
    }
    found = ((key, _like(after.frontmatter.get(key), number)) for key, number in numbers.items())
    return [(key, written) for key, written in found if written is not None]


def _completed(before: Document, after: Document, says: Callable[[int, int], bool]) -> int:
    """Tasks that count as completed: those that are done; all that are closed, where the file `says` so till now."""
    done, closed, total = _finished(before)
    counts_closed = total > 0 and says(closed, total) and not says(done, total)
    return _finished(after)[counts_closed]


def _finished(document: Document) -> tuple[int, int, int]:
    """How many tasks are done, how many are closed, and how many there are."""
    tasks = _in_frontmatter(document) or document.tasks
    return sum(task.status == "done" for task in tasks), sum(task.status in CLOSED for task in tasks), len(tasks)


_NUMBER: Final = re.compile(r"[0-9]+(?:\.([0-9]+))?(\s*%)?")


def _like(old: Value, number: float) -> str | None:
    """A number as the old one is written; None where that is none, or a fraction of one."""
    match = _NUMBER.fullmatch(text(old).strip())
    if match is None or (match[1] and float(match[0].rstrip(" %")) <= 1):
        return None
    return f"{number:.{len(match[1] or '')}f}{match[2] or ''}"


_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:(?P<t>[T ])[0-9]{2}:[0-9]{2}(?P<s>:[0-9]{2})?(?P<f>\.[0-9]{1,6})?"
    r"(?P<z>\s*(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9]))?)?"
)


def _updated(old: Value, now: datetime) -> str | None:
    """`now` as the old date or time is written, in its zone; None where that is no date."""
    match = _MOMENT.fullmatch(text(old).strip())
    if match is None:
        return None
    if match["z"]:
        now = now.astimezone(datetime.strptime(match["z"].strip(), "%z").tzinfo)
    if not match["t"]:
        return f"{now:%Y-%m-%d}"
    fraction = f"{now:.%f}"[: len(match["f"])] if match["f"] else ""
    seconds = f"{now::%S}" if match["s"] else ""
    return f"{now:%Y-%m-%d}{match['t']}{now:%H:%M}{seconds}{fraction}{match['z'] or ''}"
