"""Damages of a journal are named by line, and single flipped bits are set right, wherever they are."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ccdashd.edits.decisions import MetadataEdit, Name, TagEdit, encode
from ccdashd.edits.examination import Damage, examine, mended

LINES = [
    encode(TagEdit(op="set", name="urgent", color="#ff0000"), "/home/me"),
    b'{"type":"tag","op":"set","name":"of before"}\n',
    encode(MetadataEdit(entity=Name(type="session", key="s"), key="note", value="ü ☂ *J"), "/home/me"),
    encode(TagEdit(op="rename", name="urgent", new_name="now"), "/home/me"),
]
SEALED = LINES[0] + LINES[2] + LINES[3]


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_whole_journal_has_no_damage() -> None:
    newer = b'{"type":"newer","n":1}\n\n\0\0\n'
    assert examine(b"") == examine(b"".join(LINES) + newer) == examine(LINES[1].rstrip(b"\n")) == []


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(SEALED) * 8 - 1))
def test_a_flipped_bit_is_found_and_set_right(bit: int) -> None:
    damages = examine(flipped(SEALED, bit))
    assert [damage.mended is not None for damage in damages] == [True]
    before = SEALED[: bit // 8].count(b"\n") + 1
    assert damages[0].line in (before, before - 1)
    assert "one bit is another" in damages[0].problem
    assert mended(flipped(SEALED, bit)) == SEALED


def test_a_bit_in_each_of_two_lines_is_set_right() -> None:
    data = flipped(LINES[0], 99) + flipped(LINES[2], 99)
    assert [damage.line for damage in examine(data)] == [1, 2]
    assert mended(data) == LINES[0] + LINES[2]


def test_what_cannot_be_set_right_is_named_by_its_line() -> None:
    torn = LINES[3][:-20]
    data = LINES[0] + b"garbage\n" + LINES[2].replace(b"note", b"nose") + LINES[0] + torn
    assert examine(data) == [
        Damage(2, len(LINES[0]), b"garbage\n", None),
        Damage(3, len(LINES[0]) + 8, LINES[2].replace(b"note", b"nose"), None),
        Damage(5, len(data) - len(torn), torn, None),
    ]
    assert examine(data)[0].problem == "line 2 is not what was written: damaged"
    assert mended(data) == data
