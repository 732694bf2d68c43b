"""How what a session used is divided among the features or tasks that it worked on. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import astuple

from ccdashd.derive.measures import NONE, SUMS, Measures

_PARTS: Final = 10_000
"""Confidences are taken to so many parts of one."""

_WHOLE: Final = frozenset({"sessions", "timed_sessions", "session_ms"})
"""What is not divided, but goes to the surest: a session is one, and has one length."""


def split(measures: Measures, confidences: Mapping[str, float]) -> dict[str, Measures]:
    """Measures in proportion to confidences, by the names of these. The parts add up to the whole exactly: what is left
    after rounding down goes to those who lost most by it (method of the largest remainder), the surest first.

    Largest values and sets, such as that of the sessions that took part, are those of the whole in each part.
    """
    names = sorted(confidences, key=lambda name: (-confidences[name], name))
    if len(names) == 1 or measures is NONE:
        return dict.fromkeys(names, measures)
    weights = [max(round(confidences[name] * _PARTS), 1) for name in names]
    shares: list[dict[str, int]] = [{} for _ in names]
    for measure, amount in zip(SUMS, astuple(measures), strict=False):
        if amount:
            parts = [amount, *[0] * (len(names) - 1)] if measure in _WHOLE else apportion(amount, weights)
            for share, part in zip(shares, parts, strict=True):
                share[measure] = part
    return {
        name: Measures(
            **share,
            context_max=measures.context_max,
            unpriced_models=measures.unpriced_models,
            active=measures.active,
            files=measures.files,
        )
        for name, share in zip(names, shares, strict=True)
    }


def apportion(amount: int, weights: Sequence[int]) -> list[int]:
    """Whole parts of an amount, 0 or more, in proportion to weights: they add up to it, and none is 1 or more off. Of equal
    remainders the first counts first."""
    whole = sum(weights)
    parts = [amount * weight // whole for weight in weights]
    left = amount - sum(parts)
    order = sorted(range(len(weights)), key=lambda place: -(amount * weights[place] % whole))
    for place in order[:left]:
        parts[place] += 1
    return parts
