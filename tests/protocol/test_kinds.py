"""What stands twice because the readers import nothing of the wire: the kinds of entries."""

from __future__ import annotations

import typing

from ccdashd.protocol import types as t
from ccdashd.sources.model import KINDS


def test_the_wire_names_every_kind_that_readers_give() -> None:
    assert typing.get_args(t.EntryKind) == KINDS
