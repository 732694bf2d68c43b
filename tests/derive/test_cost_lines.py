"""The bill of messages: its lines add up to what the messages cost, and tell the prices that held."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.cost_lines import Message, lines, rounded
from ccdashd.derive.pricing import Prices, Usage, total
from ccdashd.settings import ModelPrice
from tests.derive.test_pricing import NOW, at

OPUS, SONNET, OWN, UNKNOWN = "claude-opus-4-6", "claude-sonnet-4-20250514", "my-model", "no-such-model"
PRICES = Prices(
    {
        OPUS: ModelPrice(input=1.5, output=2.25, since=date(2026, 5, 1)),
        OWN: ModelPrice(input=0.3, output=1.1, cache_read=0.000001, since=date(2026, 5, 1)),
    }
)

tokens = st.integers(0, 400_000)
messages = st.builds(
    Message,
    st.sampled_from([OPUS, SONNET, OWN, UNKNOWN]),
    st.none() | st.integers(at("2026-04-01"), at("2026-06-01")),
    st.builds(Usage, tokens, tokens, tokens, tokens, tokens, st.integers(0, 3)),
    st.booleans(),
    st.none() | st.integers(0, 10**15),
)


@given(st.lists(messages, max_size=20))
def test_lines_add_up_to_the_cost_and_use_of_the_messages(used: list[Message]) -> None:
    bill = lines(PRICES, used)
    whole = total(PRICES.message(one.model, one.time, one.usage, fast=one.fast, reported=one.reported) for one in used)
    costs = [line.pico for line in bill if line.pico is not None]
    assert sum(costs) == whole.pico
    assert sum(rounded(costs)) == round(whole.usd * 10**6)
    amounts = {kind: sum(line.amount for line in bill if line.kind == kind) for kind in {line.kind for line in bill}}
    computed = [one for one in used if one.reported is None]
    assert amounts.pop("reported", 0) == len(used) - len(computed)
    kinds = ("input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h", "webSearch")
    sums = dict(zip(kinds, map(sum, zip(*(one.usage for one in computed), strict=True)), strict=False))
    assert amounts == {kind: amount for kind, amount in sums.items() if amount}
    assert all((line.pico is None) == (not line.prices) for line in bill if line.kind != "reported")


@given(st.lists(st.integers(0, 10**9), max_size=12))
def test_rounded_parts_are_near_and_add_up(parts: list[int]) -> None:
    found = rounded(parts)
    assert all(abs(part - micro * 10**6) < 10**6 for part, micro in zip(parts, found, strict=True))
    assert abs(sum(parts) - sum(found) * 10**6) <= 500_000


def test_prices_that_changed_or_depend_on_the_size_are_all_told() -> None:
    used = [
        Message(OPUS, at("2026-05-02"), Usage(input=10), False, None),
        Message(OPUS, at("2026-04-30"), Usage(input=20), False, None),
        Message(OWN, at("2026-04-30"), Usage(input=7), False, None),
        Message(OWN, at("2026-05-02"), Usage(input=8), False, None),
        Message(OWN, NOW, Usage(input=1), False, 5_000_000),
    ]
    bill = [(line.model, line.kind, line.amount, line.pico, line.dollars) for line in lines(PRICES, used)]
    assert bill == [
        (OPUS, "input", 30, 115_000_000, [1.5, 5.0]),
        (OWN, "reported", 1, 5_000_000, []),
        (OWN, "input", 8, 2_400_000, [0.3]),
        (OWN, "input", 7, None, []),
    ]


def test_searches_cost_by_the_thousand() -> None:
    (line,) = lines(Prices(), [Message(OPUS, NOW, Usage(web_searches=2), False, None)])
    assert (line.kind, line.amount, line.pico, line.dollars) == ("webSearch", 2, 2 * 10**10, [10.0])
