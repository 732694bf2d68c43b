"""The checksum of a line: no flipped bit goes unnoticed, and one alone is set right."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ccdashd.edits.decisions import MetadataEdit, Name, TagEdit, encode
from ccdashd.edits.seal import MENDED_UP_TO, is_damaged, is_sealed, mend, seal

ONE = encode(TagEdit(op="set", name="urgent"), "/home/me")
TWO = encode(MetadataEdit(entity=Name(type="session", key="s"), key="note", value="ü ☂ *J"), "/home/me")


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_line_as_it_was_written_is_sealed() -> None:
    assert is_sealed(ONE)
    assert is_sealed(ONE.rstrip(b"\n"))
    assert not is_damaged(ONE)
    assert is_sealed(b'{"type":"tag","op":"set","name":"urgent"}\n') is None
    assert is_sealed(seal(b'{"a":1}\n'))


def test_each_flipped_bit_of_a_line_is_noticed() -> None:
    for bit in range(len(ONE) * 8):
        damaged = flipped(ONE, bit)
        assert is_damaged(damaged), damaged


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(ONE + TWO) * 8 - 1))
def test_a_flipped_bit_is_set_right_also_that_of_a_line_feed(bit: int) -> None:
    assert mend(flipped(ONE + TWO, bit)) == ONE + TWO


def test_what_is_damaged_otherwise_stays_so() -> None:
    assert mend(ONE.replace(b"urgent", b"urgnet")) is None
    assert mend(b'{"type":"tag","op":"set","name":"urgent"}\n') is None
    assert mend(flipped(seal(b'{"a":"%b"}' % (b"x" * MENDED_UP_TO)), 40)) is None


def test_a_line_of_before_is_not_damaged() -> None:
    for line in (b"{}\n", b'{"type":"metadata","key":"note","value":"12345678901234567890"}\n', b"\n", b"x" * 40):
        assert not is_damaged(line)
