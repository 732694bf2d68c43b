"""What models cost, from the table that the package ``genai-prices`` brings along. Nothing is fetched from anywhere.

The table is a Python module that takes 0.2 s and 15 MB to load, so it is loaded when the first price is asked for.
Source of its rules: https://github.com/pydantic/genai-prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from genai_prices import types as table
    from genai_prices.data_snapshot import DataSnapshot

DAY_MS = 86_400_000

_PICO = Decimal(10**6)
"""Dollars per million tokens, times this, are picodollars per token."""

_KINDS = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok")

LONG_CONTEXT = "[1m]"
"""What Claude Code appends to a model that it uses with a long context."""

_BEDROCK = re.compile(r"(?:^|[./])anthropic\.")
"""In ids of Amazon Bedrock: with or without a region, with or without the profile's ARN before them."""


class Rate(NamedTuple):
    """Prices in picodollars (10^-12 US dollars) per token."""

    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    least: bool = False
    """1-hour writes have no price of their own and are at that of 5-minute writes, which is lower."""


class Offer(NamedTuple):
    """Prices for a time."""

    since: int | None
    """In milliseconds since the epoch; None: always."""
    daily: tuple[int, int] | None
    """Milliseconds of the day in UTC from which and up to which they hold, also over midnight; None: all day."""
    steps: tuple[tuple[int, Rate], ...]
    """Prices of calls whose whole prompt has more tokens than the number before them, which begins with -1 and grows.
    Empty where the model has no price at that time."""


def offers(model: str) -> tuple[Offer, ...]:
    """The offers for a model as logs write its id, of which the last that holds counts, or else the first.

    Empty where the table does not know the model. Prices of batches and of faster modes are left out: logs do not tell
    which calls had them.
    """
    from genai_prices.data_snapshot import get_snapshot

    found = _find(get_snapshot(), model)
    if found is None:
        return ()
    if not isinstance(found.prices, list):
        return (Offer(None, None, _steps(found.prices)),)
    return tuple(_offer(price) for price in found.prices)


def pico(dollars: Decimal) -> int:
    """Picodollars per token of so many dollars per million tokens; what is finer is rounded, half to even."""
    return int((dollars * _PICO).quantize(Decimal(1), ROUND_HALF_EVEN))


def _find(snapshot: DataSnapshot, model: str) -> table.ModelInfo | None:
    for provider, name in _spellings(model.removesuffix(LONG_CONTEXT)):
        try:
            return snapshot.find_provider_model(name, None, provider, None)[1]
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


def _offer(price: table.ConditionalPrice) -> Offer:
    from genai_prices.types import StartDateConstraint

    steps = _steps(price.prices)
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


def _steps(price: table.ModelPrice) -> tuple[tuple[int, Rate], ...]:
    listed: dict[str, Decimal | table.TieredPrices] = {
        kind: value for kind in _KINDS if (value := price.__dict__.get(kind)) is not None
    }
    if "input_mtok" not in listed or "output_mtok" not in listed:
        return ()  # priced by the image, the second or the search
    starts = {tier.start for value in listed.values() if not isinstance(value, Decimal) for tier in value.tiers}
    return tuple((above, _rate(listed, above)) for above in (-1, *sorted(starts)))


def _rate(listed: dict[str, Decimal | table.TieredPrices], above: int) -> Rate:
    """The prices of prompts with more tokens than `above`. Tokens of a kind without a price are at that of the next
    wider kind, as in the table: 1-hour writes at that of writes, writes and reads at that of input."""
    known = {kind: pico(_at(value, above)) for kind, value in listed.items()}
    fresh = known["input_mtok"]
    write = known.get("cache_write_mtok", fresh)
    return Rate(
        input=fresh,
        output=known["output_mtok"],
        cache_read=known.get("cache_read_mtok", fresh),
        cache_write_5m=write,
        cache_write_1h=known.get("cache_write_1h_mtok", write),
        least="cache_write_mtok" in known and "cache_write_1h_mtok" not in known,
    )


def _at(value: Decimal | table.TieredPrices, above: int) -> Decimal:
    if isinstance(value, Decimal):
        return value
    return next((tier.price for tier in reversed(value.tiers) if tier.start <= above), value.base)
