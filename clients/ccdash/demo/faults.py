"""Damaged logs: one session per kind of damage, each with the truth that a careful reader finds in it.

Damages are those that were reported of real logs (torn and glued writes, doubled tails, NUL runs after a crash) and
those that editors and copies cause (BOM, CRLF, blank lines).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random

from ccdash.demo.clock import DAY, HOUR, iso
from ccdash.demo.corpus import Corpus, project_folder
from ccdash.demo.records import Author, Sink, uuid4
from ccdash.demo.shapes import Shape
from ccdash.demo.talk import Talk
from ccdash.demo.tools import Desk
from ccdash.demo.truth import Message, Record, SessionTruth, Tracker

ROOT = "/home/dev/work/damaged-logs"
SHAPE = Shape("2.1.63", 0, ("claude-opus-4-6",))

Lines = list[Record]
Damage = Callable[[Lines, Random], tuple[bytes, Lines]]
"""Makes bytes of whole records, and tells which records a careful reader finds in them."""


def _join(records: Lines, end: str = "\n") -> bytes:
    return "".join(record.line + end for record in records).encode()


def _insert(records: Lines, at: int, data: bytes, found: Lines | None = None) -> tuple[bytes, Lines]:
    whole = records[:at] + (found or []) + records[at:]
    return _join(records[:at]) + data + _join(records[at:]), whole


def _extra(line: str, at: int | None = None) -> Record:
    return Record(line, at)


def glued(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """A record appended to a file without final newline."""
    summary = _extra(
        f'{{"type":"file-history-snapshot","messageId":"{uuid4(rng)}","snapshot":{{}},"isSnapshotUpdate":false}}'
    )
    middle = len(records) // 2
    data = _join(records[: middle - 1]) + records[middle - 1].line.encode() + _join([summary]) + _join(records[middle:])
    return data, [*records[:middle], summary, *records[middle:]]


def two_on_a_line(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """Two messages on one line, a blank between them."""
    middle = _assistant(records)
    first, second = records[middle], records[middle + 1]
    data = _join(records[:middle]) + f"{first.line} {second.line}\n".encode() + _join(records[middle + 2 :])
    return data, records


def torn_then_whole(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """The beginning of a record, then the same record whole on the same line."""
    at = _assistant(records)
    stub = records[at].line[: 200 + int(rng.random() * 100)].encode()
    return _insert(records, at, stub)


def between_chunks(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """A record of something else between two records of one API message."""
    at = next(
        place
        for place in range(1, len(records))
        if _message(records[place - 1]) and _message(records[place - 1]) == _message(records[place])
    )
    at_time = records[at].at or 0
    line = f'{{"type":"queue-operation","operation":"dequeue","timestamp":"{iso(at_time)}"}}'
    note = _extra(line, at_time)
    return _join([*records[:at], note, *records[at:]]), [*records[:at], note, *records[at:]]


def doubled_tail(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """The last records stand twice."""
    whole = records + records[-8:]
    return _join(whole), whole


def reversed_records(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """The newest record first."""
    whole = records[::-1]
    return _join(whole), whole


def torn_tail(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """The last record is cut in the middle."""
    line = records[-1].line.encode()
    return _join(records[:-1]) + line[: len(line) // 2], records[:-1]


def no_final_newline(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """Whole, but the last line does not end."""
    return _join(records)[:-1], records


def byte_order_mark(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """A UTF-8 byte order mark before the first record."""
    return b"\xef\xbb\xbf" + _join(records), records


def crlf(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """Lines that end as on Windows."""
    return _join(records, "\r\n"), records


def bad_utf8(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """Bytes that are no UTF-8 inside the text of an assistant's record."""
    at = _assistant(records)
    line = records[at].line.encode().replace(b'"text":"', b'"text":"\xff\xc3( ', 1)
    return _join(records[:at]) + line + b"\n" + _join(records[at + 1 :]), records


def nul_run(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """Zero bytes before a record, as after a crash of the machine."""
    return _insert(records, len(records) // 2, b"\0" * 4096)


def lone_surrogates(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    r"""Halves of surrogate pairs as escapes (``\ud83d``), as cut emoji leave them."""
    at = _assistant(records)
    changed = list(records)
    changed[at] = records[at]._replace(line=records[at].line.replace('"text":"', '"text":"\\ud83d \\udc4d\\ud83d ', 1))
    return _join(changed), changed


def comment_lines(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """Lines that begin with ``//``."""
    return b"// recorded for a bug report\n// second line\n" + _join(records), records


def blank_lines(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """Empty lines and lines of blanks."""
    return _insert(records, len(records) // 3, b"\n\n   \t\n\n")


def empty_file(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """No byte at all."""
    return b"", []


def not_objects(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """JSON that is no object."""
    return _insert(records, len(records) // 2, b'[1,2,{"type":"user"}]\n"text"\n42\nnull\ntrue\n')


def unknown_types(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """Records of types that nobody knows yet, with envelope and without, and one without type."""
    head = records[1].line
    new = _extra(head.replace('"type":"user"', '"type":"hologram"', 1), records[1].at)
    extras = [
        new._replace(line=new.line.replace('"uuid":"', '"uuid":"f')),
        _extra('{"type":"mood-ring","colour":"green","sessionId":null}'),
        _extra('{"silly":"this"}'),
    ]
    middle = len(records) // 2
    return _join([*records[:middle], *extras, *records[middle:]]), [*records[:middle], *extras, *records[middle:]]


def huge_line(records: Lines, rng: Random) -> tuple[bytes, Lines]:
    """One line of 20 MB."""
    at = _assistant(records)
    changed = list(records)
    filler = "A huge answer. " * (20_000_000 // 15)
    changed[at] = records[at]._replace(line=records[at].line.replace('"text":"', f'"text":"{filler}', 1))
    return _join(changed), changed


DAMAGES: tuple[Damage, ...] = (
    glued,
    two_on_a_line,
    torn_then_whole,
    between_chunks,
    doubled_tail,
    reversed_records,
    torn_tail,
    no_final_newline,
    byte_order_mark,
    crlf,
    bad_utf8,
    nul_run,
    lone_surrogates,
    comment_lines,
    blank_lines,
    empty_file,
    not_objects,
    unknown_types,
    huge_line,
)


def _message(record: Record) -> tuple[str, str] | None:
    return next(((fact.id, fact.request) for fact in record.facts if isinstance(fact, Message)), None)


def _assistant(records: Lines) -> int:
    """Where an assistant's text record stands, past the first third."""
    for place in range(len(records) // 3, len(records)):
        if _message(records[place]) and '"content":[{"type":"text"' in records[place].line:
            return place
    raise AssertionError("every damaged session has an assistant's text past its first third")


def _conversation(corpus: Corpus, sink: Sink, session_id: str, at: int, rng: Random, damage: str) -> None:
    """A small whole session: three prompts, of which the first names the damage to come, tools, an answer each."""
    author = Author(rng, corpus.texts, SHAPE, sink, session_id, at)
    author.slug = "calm-mending-lantern"
    author.place(ROOT, "main")
    desk = Desk(rng, corpus.texts, SHAPE, ROOT)
    desk.scale = 0.15
    talk = Talk(author, desk, SHAPE.models[0])
    for prompt in (f"What is wrong with this log: {damage}?", "Please mend it.", "Thanks; is anything lost?"):
        author.wait(30)
        author.user(f'"{prompt}"', mark="prompt", text=prompt)
        talk.step()
        talk.step()
        talk.step(final=True)


def write_faults(corpus: Corpus, now: int) -> None:
    """Write one damaged session per kind, into a project folder of their own."""
    for number, damage in enumerate(DAMAGES):
        rng = Random(f"fault {corpus.seed} {damage.__name__}")
        session_id = uuid4(rng)
        records: Lines = []
        _conversation(
            corpus, records.append, session_id, now - 3 * DAY + number * HOUR, rng, damage.__name__.replace("_", " ")
        )
        data, found = damage(records, rng)
        path = project_folder(corpus.home, ROOT) / f"{session_id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        tracker = Tracker()
        for record in found:
            tracker.add(record)
        last = (tracker.last or now) / 1000
        os.utime(path, (last, last))
        truth = SessionTruth(
            id=session_id,
            path=str(path.relative_to(corpus.home)),
            cwd=ROOT,
            version=SHAPE.version,
            fault=damage.__name__,
        )
        corpus.summary.add(tracker.finish(truth), len(data))
