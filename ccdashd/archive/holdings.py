"""What the archive holds of each log, and what that takes on disk. Blocking: it reads every manifest."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from ccdashd.archive.archive import Archive
from ccdashd.archive.chunks import on_disk
from ccdashd.derive.shares import apportion

Owner = TypeVar("Owner")


@dataclass(frozen=True)
class Holdings:
    """Every copy, as parts: its manifest, which no other has, and its chunks, which several may share."""

    parts: dict[str, frozenset[str]]
    """By the path of the log: those of all its versions."""
    sizes: dict[str, int]
    """Bytes on disk of each part; 0 of one that is not there."""

    def size(self, parts: frozenset[str]) -> int:
        """Bytes on disk of these."""
        return sum(self.sizes[part] for part in parts)


def survey(archive: Archive) -> Holdings:
    """All that the archive holds now, but for what belongs to damaged manifests. Raises OSError."""
    parts: dict[str, frozenset[str]] = {}
    sizes = {entry.name.removesuffix(".zst"): on_disk(entry.stat(follow_symlinks=False)) for entry in archive.chunks.all()}
    for manifest in archive.manifests():
        file = archive.manifest_path(manifest.log)
        chunks = {chunk.hash for version in manifest.versions for chunk in version.chunks}
        parts[manifest.log] = frozenset({file, *chunks})
        sizes.setdefault(file, 0)
        with suppress(OSError):
            sizes[file] = on_disk(os.stat(file))
        for chunk in chunks:
            sizes.setdefault(chunk, 0)
    return Holdings(parts, sizes)


def divided(holdings: Holdings, owners: Mapping[str, Owner]) -> dict[Owner, int]:
    """Bytes on disk by owners, who are given by the paths of logs: what several share is divided evenly among them, so that
    all add up to what is there."""
    by_part: defaultdict[str, dict[Owner, None]] = defaultdict(dict)
    for path, parts in holdings.parts.items():
        for part in parts:
            by_part[part][owners[path]] = None
    sizes: dict[Owner, int] = dict.fromkeys(owners.values(), 0)
    for part, sharing in by_part.items():
        for owner, share in zip(sharing, apportion(holdings.sizes[part], [1] * len(sharing)), strict=True):
            sizes[owner] += share
    return sizes
