"""Ids of links. Pure."""

from __future__ import annotations

import hashlib


def link_id(source_type: str, source_id: str, target_type: str, target_id: str, link_type: str) -> str:
    """The id of the link of that type between two entities, found or made by hand: the same after every rebuild.

    Twelve hexadecimal digits; ids of entities hold no NUL.
    """
    name = "\0".join((source_type, source_id, target_type, target_id, link_type))
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
