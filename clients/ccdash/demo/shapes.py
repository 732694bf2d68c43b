"""The versions of Claude Code whose logs are imitated, and what each of them writes.

Ranges are those in which a shape was seen in real logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

Layout = Literal["inline", "beside", "nested", "meta"]


@dataclass(frozen=True)
class Shape:
    """What one version writes. `output` is the share of the real output tokens that it records (a bare 1 before
    the message ended), `layout` where sub-agents go."""

    version: str
    weight: int
    models: tuple[str, ...]

    @property
    def number(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split("."))

    def between(self, first: tuple[int, ...], last: tuple[int, ...] = (9,)) -> bool:
        return first <= self.number <= last

    @property
    def layout(self) -> Layout:
        if self.number < (2,):
            return "inline"
        if self.number < (2, 1, 14):
            return "beside"
        return "nested" if self.number < (2, 1, 98) else "meta"

    @property
    def agent_tool(self) -> str:
        return "Agent" if self.between((2, 1, 63)) else "Task"


OPUS_4, SONNET_4 = "claude-opus-4-1-20250805", "claude-sonnet-4-20250514"
OPUS_45, SONNET_45, HAIKU_45 = "claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001"
OPUS_46, SONNET_46 = "claude-opus-4-6", "claude-sonnet-4-6"

SHAPES = (
    Shape("1.0.98", 2, (SONNET_4, OPUS_4)),
    Shape("1.0.108", 1, (SONNET_4,)),
    Shape("2.0.42", 3, (SONNET_45, HAIKU_45)),
    Shape("2.0.67", 6, (OPUS_45, SONNET_45)),
    Shape("2.0.76", 8, (OPUS_45, SONNET_45, HAIKU_45)),
    Shape("2.1.12", 14, (OPUS_45, HAIKU_45)),
    Shape("2.1.17", 8, (OPUS_45, SONNET_45)),
    Shape("2.1.22", 10, (OPUS_45, HAIKU_45)),
    Shape("2.1.37", 14, (OPUS_45, SONNET_45)),
    Shape("2.1.50", 14, (OPUS_46, HAIKU_45)),
    Shape("2.1.63", 8, (OPUS_46, SONNET_46)),
    Shape("2.1.81", 6, (OPUS_46, SONNET_46, HAIKU_45)),
    Shape("2.1.98", 2, (OPUS_46, SONNET_46)),
    Shape("2.1.112", 2, (OPUS_46, SONNET_46)),
    Shape("2.1.185", 2, (OPUS_46, SONNET_46)),
    Shape("2.1.231", 2, (OPUS_46, SONNET_46)),
    Shape("2.1.237", 1, (OPUS_46, SONNET_46, HAIKU_45)),
)


def shape_at(age: float, rng: Random) -> Shape:
    """The version of a session that is `age` old: 0 the newest, 1 the oldest; users update a little early or late."""
    total = sum(shape.weight for shape in SHAPES)
    mark = min(max(1 - age + rng.gauss(0, 0.02), 0), 0.9999) * total
    for shape in SHAPES:
        mark -= shape.weight
        if mark < 0:
            return shape
    return SHAPES[-1]
