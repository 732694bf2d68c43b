"""What API messages cost: by model, date, size of the prompt and kind of token. Pure.

Money is exact: prices are whole picodollars (10^-12 US dollars) per token, so costs are whole picodollars and parts add
up to their whole, whatever they are parts of. It is rounded once, where a figure leaves: to a millionth of a dollar.

What the agent itself says that a message cost is taken as it is. Not in it: tools but web search that providers bill by the
call, and discounts or surcharges of batches and contracts. What has no price is named, and never guessed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec

from ccdashd.derive.price_table import DAY_MS, LONG_CONTEXT, Offer, Rate, offers, pico, table_version
from ccdashd.settings import ModelPrice
from ccdashd.sources.claude_assistant import SYNTHETIC

VERSION = 1
"""Raised when the same rows and prices would give other roll-ups than before."""

LATEST = 2**62
"""The time of a message that has none: later than any price, so that it is at the newest."""

PICO_PER_MICRO = 10**6
_FREE = Offer(None, None, ((-1, Rate(0, 0, 0, 0, 0, 0)),))
_UNPRICED = Offer(None, None, ())


def fingerprint(own: Mapping[str, ModelPrice]) -> str:
    """Tells prices from others, without loading the table: `own` are the user's."""
    digest = hashlib.blake2b(msgspec.json.encode(own, order="sorted"), digest_size=8)
    return f"{VERSION} {table_version()} {digest.hexdigest()}"


class Usage(NamedTuple):
    """Tokens and searches of a message, or of many at the same prices. Writes of unknown lifetime are 5-minute ones."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0

    @property
    def prompt(self) -> int:
        """Tokens that a message sent: what long-context prices go by."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h


class Spent(NamedTuple):
    """What messages cost, and how sure that is. Adds up in any order."""

    pico: int = 0
    """Picodollars."""
    priced: bool = False
    """Some tokens had a price."""
    least: bool = False
    """Some usage is a lower bound, or was priced so."""
    unpriced: frozenset[str] = frozenset()
    """Models of tokens without a price."""
    reported: bool = False
    """Some of it was told by the agent."""

    @property
    def usd(self) -> float:
        """US dollars, rounded to a millionth, half to even."""
        micro, rest = divmod(self.pico, PICO_PER_MICRO)
        up = rest * 2 > PICO_PER_MICRO or (rest * 2 == PICO_PER_MICRO and micro % 2 == 1)
        return (micro + up) / 10**6

    @property
    def provenance(self) -> Literal["reported", "computed", "lower_bound", "unpriced"]:
        """How sure `usd` is, in the words of the wire; where something has no price and the rest cost nothing, not at
        all, as `measures.cost_of` has it."""
        if self.unpriced and not self.pico:
            return "unpriced"
        if self.unpriced or self.least:
            return "lower_bound"
        return "reported" if self.reported and not self.priced else "computed"


def total(parts: Iterable[Spent]) -> Spent:
    """What all of it cost."""
    known = list(parts)
    return Spent(
        sum(part.pico for part in known),
        any(part.priced for part in known),
        any(part.least for part in known),
        frozenset().union(*(part.unpriced for part in known)),
        any(part.reported for part in known),
    )


def summed(model: str, messages: int, lower_bounds: int, reported: int, unpriced: int, micro: int, pico: int) -> Spent:
    """What messages of one model cost, from sums of these columns of `store.schema.usage_slots`."""
    cost = micro * PICO_PER_MICRO + pico
    return Spent(
        cost,
        messages > reported + unpriced and (cost > 0 or not unpriced),  # beside unpriced ones, others used nothing
        lower_bounds > 0,
        frozenset((model,)) if unpriced else frozenset(),
        reported > 0,
    )


def charge(model: str, rate: Rate | None, usage: Usage, *, lower_bound: bool = False) -> Spent:
    """What usage of a model costs at a rate; None where it has none. `lower_bound`: more was used than is known."""
    if not any(usage):
        return Spent(least=lower_bound)
    if rate is None:
        return Spent(least=lower_bound, unpriced=frozenset((model,)))
    prices = (*rate[:5], rate.web_search or 0)
    cost = sum(amount * price for amount, price in zip(usage, prices, strict=True))
    return Spent(cost, True, lower_bound or rate.bounds(usage.cache_write_1h, usage.web_searches))


class Tariff:
    """The prices of one model."""

    def __init__(self, offers: Sequence[Offer]) -> None:
        """The last of `offers` that holds at a time counts, or else the first."""
        self._offers = tuple(offers)
        self._changes = tuple(offer.since for offer in offers if offer.since is not None)
        self._starts = tuple(above for offer in offers for above, _ in offer.steps)
        self._varies_daily = any(offer.daily is not None for offer in offers)

    def rate(self, time: int, prompt: int) -> Rate | None:
        """The prices of a message at a time in milliseconds since the epoch, with so many tokens in its whole prompt;
        None where it has none."""
        holding = (offer for offer in reversed(self._offers) if _holds(offer, time))
        steps = next(holding, self._offers[0]).steps
        return next((rate for above, rate in reversed(steps) if prompt > above), None)

    def rates(self, times: tuple[int, int], prompts: tuple[int, int]) -> set[Rate | None] | None:
        """The prices that messages between the first and last of `times`, the smallest and largest of `prompts`, may have;
        None where that depends on the hour of each."""
        if self._varies_daily and times[0] != times[1]:
            return None
        moments = {times[0], *(since for since in self._changes if times[0] < since <= times[1])}
        sizes = {prompts[0], *(above + 1 for above in self._starts if prompts[0] <= above < prompts[1])}
        return {self.rate(moment, size) for moment in moments for size in sizes}


class Prices:
    """Prices of all models: those the user set, then the table's. Safe to use from several threads."""

    def __init__(self, own: Mapping[str, ModelPrice] | None = None) -> None:
        """`own` are the user's, by the model's id in logs."""
        self._own = own or {}
        self._tariffs: dict[tuple[str, bool], Tariff] = {}

    def tariff(self, model: str, *, fast: bool = False) -> Tariff:
        """The prices of a model, named as logs name it, or of its faster mode; the first call of all loads the table."""
        found = self._tariffs.get((model, fast))
        if found is None:
            found = self._tariffs[model, fast] = Tariff(self._offers(model, fast))
        return found

    def message(
        self,
        model: str,
        time: int | None,
        usage: Usage,
        *,
        lower_bound: bool = False,
        fast: bool = False,
        reported: int | None = None,
    ) -> Spent:
        """What one message cost; `time` in milliseconds since the epoch; `reported` in picodollars, as the agent says."""
        if reported is not None:
            return Spent(reported, reported=True)
        rate = self.tariff(model, fast=fast).rate(LATEST if time is None else time, usage.prompt)
        return charge(model, rate, usage, lower_bound=lower_bound)

    def _offers(self, model: str, fast: bool) -> Sequence[Offer]:
        if model == SYNTHETIC:
            return (_FREE,)
        own = self._own.get(model) or self._own.get(model.removesuffix(LONG_CONTEXT))
        listed = offers(model, fast=fast)
        if own is None:
            return listed or (_UNPRICED,)
        offer = _own_offer(own, listed, fast)
        return (offer,) if own.since is None else (*(listed or (_UNPRICED,)), offer)


def _holds(offer: Offer, time: int) -> bool:
    if offer.since is not None and time < offer.since:
        return False
    if offer.daily is None:
        return True
    start, end = offer.daily
    now = time % DAY_MS
    return start <= now < end if start <= end else now >= start or now < end


def _own_offer(own: ModelPrice, listed: Sequence[Offer], fast: bool) -> Offer:
    """The user's price. It is that of the usual mode, and tells nothing of searches, whose price the table may know."""

    def price(given: float | None, default: int) -> int:
        return default if given is None else pico(Decimal(str(given)))

    fresh = price(own.input, 0)
    write = price(own.cache_write_5m, fresh)
    rate = Rate(
        fresh,
        price(own.output, 0),
        price(own.cache_read, fresh),
        write,
        price(own.cache_write_1h, write),
        next((offer.steps[0][1].web_search for offer in reversed(listed) if offer.steps), None),
        slower=fast,
    )
    since = None if own.since is None else round(datetime.combine(own.since, time(), UTC).timestamp()) * 1000
    return Offer(since, None, ((-1, rate),))
