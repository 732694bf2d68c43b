"""Ids of links. Pure."""

from __future__ import annotations

import hashlib


def link_id(source_type: str, source_id: str, target_type: str, target_id: str, link_type: str) -> str:
    """The id of the link of that type between two entities, found or made by hand: the same after every rebuild.

    Twelve hexadecimal digits; ids of entities hold no NUL.
    """
    return _digest(source_type, source_id, target_type, target_id, link_type)


def external_link_id(entity_type: str, entity_id: str, url: str) -> str:
    """The id of the link from an entity to a URL, likewise."""
    return _digest(entity_type, entity_id, url)


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
