"""The bill of some messages: what each model used of each kind, at which prices, and what that cost. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from ccdashd.derive.pricing import LATEST, PICO_PER_MICRO, Prices, Spent, Usage

Kind = Literal["input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h", "webSearch", "reported"]

_KINDS: Final[tuple[Kind, ...]] = ("input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h", "webSearch")
"""Of each field of `Usage`."""


class Message(NamedTuple):
    """A message that counts."""

    model: str
    time: int | None
    usage: Usage
    fast: bool
    reported: int | None
    """What the agent says that it cost, in picodollars."""


@dataclass
class Line:
    """What a model used of a kind, all with a price or all without."""

    model: str
    kind: Kind
    amount: int = 0
    """Tokens, searches, or, of ``reported``, messages."""
    pico: int | None = None
    """Picodollars; None: it has no price."""
    prices: set[int] = field(default_factory=set)
    """Picodollars for one, as they were at the time of each message."""

    @property
    def dollars(self) -> list[float]:
        """The prices in US dollars, for a million tokens or a thousand searches; the lowest first."""
        scale = 10**9 if self.kind == "webSearch" else 10**6
        return [price / scale for price in sorted(self.prices)]

    def charge(self, amount: int, price: int) -> None:
        """Add so much at a price."""
        self.amount += amount
        self.pico = (self.pico or 0) + amount * price
        self.prices.add(price)


def lines(prices: Prices, messages: Iterable[Message]) -> list[Line]:
    """The bill, the dearest line first; those without a price are at its end. What they cost adds up to the cost of the
    messages."""
    found: dict[tuple[str, Kind, bool], Line] = {}

    def line(model: str, kind: Kind, priced: bool) -> Line:
        key = (model, kind, priced)
        if key not in found:
            found[key] = Line(model, kind)
        return found[key]

    for (model, fast), group in _by_model(messages).items():
        tariff = prices.tariff(model, fast=fast)
        for message in group:
            if message.reported is not None:
                told = line(model, "reported", True)
                told.amount += 1
                told.pico = (told.pico or 0) + message.reported
                continue
            rate = tariff.rate(LATEST if message.time is None else message.time, message.usage.prompt)
            at = (*rate[:5], rate.web_search) if rate is not None else (None,) * len(_KINDS)
            for kind, amount, price in zip(_KINDS, message.usage, at, strict=True):
                if amount and price is not None:
                    line(model, kind, True).charge(amount, price)
                elif amount:
                    line(model, kind, False).amount += amount
    return sorted(found.values(), key=lambda each: (each.pico is None, -(each.pico or 0), each.model, each.kind))


def rounded(picodollars: Sequence[int]) -> list[int]:
    """Each in millionths of a dollar, so that together they are their sum, rounded half to even.

    Those that lose most by rounding down are rounded up (method of the largest remainder).
    """
    down = [part // PICO_PER_MICRO for part in picodollars]
    left = round(Spent(sum(picodollars)).usd * 10**6) - sum(down)
    by_loss = sorted(range(len(down)), key=lambda n: picodollars[n] % PICO_PER_MICRO, reverse=True)
    for n in by_loss[:left]:
        down[n] += 1
    return down


def _by_model(messages: Iterable[Message]) -> dict[tuple[str, bool], list[Message]]:
    groups: dict[tuple[str, bool], list[Message]] = defaultdict(list)
    for message in messages:
        groups[message.model, message.fast].append(message)
    return groups
