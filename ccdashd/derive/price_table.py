"""What models cost, from the table that the package ``genai-prices`` brings along. Nothing is fetched from anywhere.

The table is a Python module that takes 0.2 s and 15 MB to load, so it is loaded when the first price is asked for.
Source of its rules: https://github.com/pydantic/genai-prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from importlib import metadata
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from genai_prices import types as table
    from genai_prices.data_snapshot import DataSnapshot

    Price: TypeAlias = Decimal | table.TieredPrices

DAY_MS = 86_400_000

_PICO = Decimal(10**6)
"""Dollars per million tokens, times this, are picodollars per token."""

_PICO_PER_SEARCH = Decimal(10**9)
"""The same of dollars per thousand searches."""

_TOKENS = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok")
_SEARCHES = "web_searches_kcount"

_FAST = {"speed": "fast"}
"""What the table says of calls in the faster mode."""

LONG_CONTEXT = "[1m]"
"""What Claude Code appends to a model that it uses with a long context."""

LONG_CONTEXT_TOKENS = 1_000_000
"""How long that is."""

_BEDROCK = re.compile(r"(?:^|[./])anthropic\.")
"""In ids of Amazon Bedrock: with or without a region, with or without the profile's ARN before them."""


class Rate(NamedTuple):
    """Prices in picodollars (10^-12 US dollars) per token, and per search."""

    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    web_search: int | None = None
    """None: unknown."""
    least: bool = False
    """1-hour writes have no price of their own and are at that of 5-minute writes, which is lower."""
    slower: bool = False
    """For the faster mode, which has no price of its own and costs more."""

    def bounds(self, cache_write_1h: int, web_searches: int) -> bool:
        """Whether what used so much cost more than these prices tell."""
        return self.slower or (self.least and cache_write_1h > 0) or (self.web_search is None and web_searches > 0)


class Offer(NamedTuple):
    """Prices for a time."""

    since: int | None
    """In milliseconds since the epoch; None: always."""
    daily: tuple[int, int] | None
    """Milliseconds of the day in UTC from which and up to which they hold, also over midnight; None: all day."""
    steps: tuple[tuple[int, Rate], ...]
    """Prices of calls whose whole prompt has more tokens than the number before them, which begins with -1 and grows.
    Empty where the model has no price at that time."""


def table_version() -> str:
    """The version of the table, which is not loaded for it."""
    return metadata.version("genai-prices")


def offers(model: str, *, fast: bool = False) -> tuple[Offer, ...]:
    """The offers for a model as logs write its id, of which the last that holds counts, or else the first.

    Empty where the table does not know the model. `fast`: for its faster mode. Prices of batches are left out: logs do not
    tell which calls had them.
    """
    from genai_prices.data_snapshot import get_snapshot

    found = _find(get_snapshot(), model)
    if found is None:
        return ()
    listed = found[1]
    faster = _faster(*found) if fast else None
    if not isinstance(listed.prices, list):
        return (Offer(None, None, _steps(listed.prices, fast, faster)),)
    return tuple(_offer(price, fast, faster) for price in listed.prices)


def _faster(provider: table.Provider, model: table.ModelInfo) -> dict[str, Price] | None:
    """What costs otherwise in the faster mode; None where the provider's table does not say."""
    if not any(model is own for own in provider.models):
        return None  # prices of its maker, whose faster mode others need not sell
    for variant in model.price_variants or ():
        if variant.when == _FAST and variant.constraint is None:
            return _listed(variant.prices)
    return None


def pico(dollars: Decimal) -> int:
    """Picodollars per token of so many dollars per million tokens; what is finer is rounded, half to even."""
    return _whole(dollars * _PICO)


def _whole(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_EVEN))


@lru_cache(1_000)
def context_window(model: str) -> int | None:
    """The most tokens that a prompt for a model may have; None where the table does not tell."""
    if model.endswith(LONG_CONTEXT):
        return LONG_CONTEXT_TOKENS
    from genai_prices.data_snapshot import get_snapshot

    found = _find(get_snapshot(), model)
    return None if found is None else found[1].context_window


def _find(snapshot: DataSnapshot, model: str) -> tuple[table.Provider, table.ModelInfo] | None:
    for provider, name in _spellings(model.removesuffix(LONG_CONTEXT)):
        try:
            return snapshot.find_provider_model(name, None, provider, None)
        except LookupError:
            continue
    return None


def _spellings(name: str) -> Iterator[tuple[str | None, str]]:
    """Who may sell the model, and its name there; with None the table's rules say who, from the name."""
    if _BEDROCK.search(name):
        yield "aws", name.rpartition("/")[2]
        return
    if "@" in name and name.startswith("claude"):
        yield "google", name  # Vertex AI writes dates so
    provider, slash, rest = name.partition("/")
    if slash and provider and rest:
        yield provider, rest
    yield None, name


def _offer(price: table.ConditionalPrice, fast: bool, faster: dict[str, Price] | None) -> Offer:
    from genai_prices.types import StartDateConstraint

    steps = _steps(price.prices, fast, faster)
    constraint = price.constraint
    if constraint is None:
        return Offer(None, None, steps)
    if isinstance(constraint, StartDateConstraint):
        start = datetime.combine(constraint.start_date, time(), UTC)
        return Offer(round(start.timestamp()) * 1000, None, steps)
    return Offer(None, (_of_day(constraint.start_time), _of_day(constraint.end_time)), steps)


def _of_day(moment: time) -> int:
    """Milliseconds since midnight in UTC; a time without zone is in UTC."""
    on = datetime.combine(datetime(1970, 1, 2).date(), moment, moment.tzinfo or UTC)
    return round(on.timestamp() * 1000) % DAY_MS


def _steps(price: table.ModelPrice, fast: bool, faster: dict[str, Price] | None) -> tuple[tuple[int, Rate], ...]:
    listed = _listed(price) | (faster or {})
    if "input_mtok" not in listed or "output_mtok" not in listed:
        return ()  # priced by the image, the second or the search
    starts = {tier.start for value in listed.values() if not isinstance(value, Decimal) for tier in value.tiers}
    slower = fast and faster is None
    return tuple((above, _rate(listed, above)._replace(slower=slower)) for above in (-1, *sorted(starts)))


def _listed(price: table.ModelPrice) -> dict[str, Price]:
    return {kind: value for kind in (*_TOKENS, _SEARCHES) if (value := price.__dict__.get(kind)) is not None}


def _rate(listed: dict[str, Price], above: int) -> Rate:
    """The prices of prompts with more tokens than `above`. Tokens of a kind without a price are at that of the next
    wider kind, as in the table: 1-hour writes at that of writes, writes and reads at that of input."""
    known = {kind: pico(_at(listed[kind], above)) for kind in _TOKENS if kind in listed}
    search = listed.get(_SEARCHES)
    fresh = known["input_mtok"]
    write = known.get("cache_write_mtok", fresh)
    return Rate(
        input=fresh,
        output=known["output_mtok"],
        cache_read=known.get("cache_read_mtok", fresh),
        cache_write_5m=write,
        cache_write_1h=known.get("cache_write_1h_mtok", write),
        web_search=None if search is None else _whole(_at(search, above) * _PICO_PER_SEARCH),
        least="cache_write_mtok" in known and "cache_write_1h_mtok" not in known,
    )


def _at(value: Price, above: int) -> Decimal:
    if isinstance(value, Decimal):
        return value
    return next((tier.price for tier in reversed(value.tiers) if tier.start <= above), value.base)
