"""Links between entities, with the evidence for each: what all kinds of them share. Pure.

What documents say is in `ccdashd.derive.document_links`, what sessions did in `ccdashd.derive.session_links`.

How sure it is that a session belongs to a feature follows from the kinds of its evidence and their weights:

- a command that names the plan, with writes to the feature's files: 0.90; such a command, a write to a plan or progress
  file, or a commit that the feature's files name: 0.75; a write to another file of the feature, a command that names it
  loosely, or a branch or worktree of its name: 0.62; a prompt or shell line that names a file: 0.55; else 0.35;
- 0.05 more for three pieces of evidence, 0.03 for two; 0.02 more for a write; 0.08 less where all it did was to read;
- without a command, less where most of what the session did was for other features (`_SHARES`);
- at most 0.95, but where a file names the session: 0.96.

What comes out below `LEAST` is no link. So reading alone never makes one, nor does a sweep through the files of very many
features; a session that wrote to a few of them is linked with each, weakly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from ccdashd.derive.link_ids import link_id
from ccdashd.protocol import types as t

LEAST: Final = 0.35
"""Confidence below which there is no link between a session and a feature."""

EVIDENCE_CAP: Final = 50
"""Pieces of evidence kept of one link, the weightiest."""

FRONTMATTER: Final = 0.96
"""Confidence that a session belongs to a feature, one of whose files names it."""

_MOST: Final = 0.95
_STRONG: Final = 0.84
"""Weight from which on a piece of evidence is strong."""

_SHARES: Final = ((0.1, 0.45), (0.2, 0.35), (0.5, 0.20), (0.7, 0.10))
"""A share of less than the first costs the second."""


class Key(NamedTuple):
    """What makes a link the one it is."""

    source_type: t.EntityType
    source_id: str
    target_type: t.EntityType
    target_id: str
    link_type: t.LinkType

    @property
    def id(self) -> str:
        return link_id(*self)

    @property
    def reversed(self) -> Key:
        """The link the other way round."""
        return Key(self.target_type, self.target_id, self.source_type, self.source_id, self.link_type)


class Found(msgspec.Struct, gc=False):
    """A link that was found."""

    key: Key
    confidence: float
    evidence: list[t.Evidence]
    order: int = 0
    """Among the children of one parent."""

    @property
    def signals(self) -> str:
        """Kinds of its evidence, the weightiest first, by comma."""
        if len(self.evidence) == 1:
            return self.evidence[0].signal
        return ",".join(dict.fromkeys(piece.signal for piece in self.evidence))


def strongest(evidence: Iterable[t.Evidence]) -> list[t.Evidence]:
    """The weightiest first, at most `EVIDENCE_CAP`."""
    return sorted(evidence, key=_order)[:EVIDENCE_CAP]


def _order(piece: t.Evidence) -> tuple[float, int, str, str, str, int, int]:
    return (-piece.weight, -piece.count, piece.signal, piece.place, piece.detail, piece.line or 0, piece.offset or 0)


def confidence(evidence: Sequence[t.Evidence], share: float) -> float | None:
    """How sure it is that a session belongs to a feature; None where it is not sure enough for a link.

    `share` is that of this feature in all that the session did for features, from 0 to 1.
    """
    best: dict[str, float] = {}
    for piece in evidence:
        best[piece.signal] = max(piece.weight, best.get(piece.signal, 0.0))
    if "frontmatter" in best:
        return FRONTMATTER
    command, write = best.get("command", 0.0), best.get("write", 0.0)
    if command and write:
        base = 0.90
    elif max(command, write, best.get("commit", 0.0)) >= _STRONG:
        base = 0.75
    elif command or write or "branch" in best or "worktree" in best:
        base = 0.62
    else:
        base = 0.55 if max(best.values(), default=0.0) >= _STRONG else LEAST
    base += 0.05 if len(evidence) >= 3 else 0.03 if len(evidence) == 2 else 0.0
    if write:
        base += 0.02
    if not command:
        base -= next((cost for below, cost in _SHARES if share < below), 0.0)
    if best.keys() == {"read"}:
        base -= 0.08
    sure = round(min(base, _MOST), 2)
    return sure if sure >= LEAST else None
