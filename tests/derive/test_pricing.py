"""What messages cost: by hand, against the table's own arithmetic, and in sums."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.price_table import Offer, Rate, context_window, offers
from ccdashd.derive.pricing import LATEST, Prices, Spent, Tariff, Usage, charge, fingerprint, summed, total
from ccdashd.settings import ModelPrice

MILLION = 10**6
PRICES = Prices()

tokens = st.integers(0, 400_000)
searches = st.integers(0, 30)
usages = st.builds(Usage, tokens, tokens, tokens, tokens, tokens, searches)


def at(text: str) -> int:
    """Milliseconds since the epoch of a time in UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = at("2026-06-01")


@pytest.mark.parametrize(
    ("model", "usd"),
    [
        # 1 000 input, 2 000 output, 10 000 read, 4 000 written for 5 minutes, 3 000 for an hour
        ("claude-opus-4-5-20251101", 0.005 + 0.05 + 0.005 + 0.025 + 0.03),
        ("claude-opus-4-1-20250805", 0.015 + 0.15 + 0.015 + 0.075 + 0.09),
        ("claude-haiku-4-5-20251001", 0.001 + 0.01 + 0.001 + 0.005 + 0.006),
        ("claude-sonnet-4-20250514", 0.003 + 0.03 + 0.003 + 0.015 + 0.018),
        ("claude-sonnet-4-20250514[1m]", 0.003 + 0.03 + 0.003 + 0.015 + 0.018),
        ("claude-sonnet-4-5@20250929", 0.003 + 0.03 + 0.003 + 0.015 + 0.018),
        ("anthropic/claude-opus-4-5", 0.005 + 0.05 + 0.005 + 0.025 + 0.03),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", 0.001 + 0.01 + 0.001 + 0.005 + 0.006),
        # Regions of Bedrock cost a tenth more.
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", 0.0011 + 0.011 + 0.0011 + 0.0055 + 0.0066),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0[1m]", 0.0011 + 0.011 + 0.0011 + 0.0055 + 0.0066),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
            0.0011 + 0.011 + 0.0011 + 0.0055 + 0.0066,
        ),
        # No price of its own for what is written: that of input.
        ("gpt-5-codex", 0.00125 + 0.02 + 0.00125 + 0.005 + 0.00375),
    ],
)
def test_known_prices_by_kind_of_token(model: str, usd: float) -> None:
    spent = PRICES.message(model, NOW, Usage(1_000, 2_000, 10_000, 4_000, 3_000))
    assert spent == Spent(round(usd * MILLION) * MILLION, priced=True)
    assert spent.usd == pytest.approx(usd)
    assert spent.provenance == "computed"


@pytest.mark.parametrize(
    "model",
    [
        "",
        "haiku",
        "coder-model",
        "claude-opus-99",
        "my-claude-opus-4-5",
        "gpt-4.5-turbo",
        "anthropic/",
        "/claude-opus-4-5",
        "[1m]",
        "x/claude",
        "a@b/c",
        "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
    ],
)
def test_what_the_table_does_not_know_is_unpriced(model: str) -> None:
    assert offers(model) == ()
    spent = PRICES.message(model, NOW, Usage(1, 1))
    assert spent == Spent(unpriced=frozenset([model]))
    assert (spent.usd, spent.provenance) == (0, "unpriced")
    assert PRICES.message(model, NOW, Usage()).provenance == "computed", "nothing used, nothing to price"


def test_what_the_agent_writes_itself_is_free() -> None:
    assert PRICES.message("<synthetic>", NOW, Usage(1, 2, 3, 4, 5)) == Spent(0, priced=True)


def test_a_date_changes_the_price() -> None:
    # Until 2026-03-13 prompts of more than 200 000 tokens cost more.
    long = Usage(input=1, cache_read=200_000, output=1_000)
    before, after = (PRICES.message("claude-opus-4-6", at(day), long) for day in ("2026-03-12T23:59:59.999", "2026-03-13"))
    assert before.usd == round(0.00001 + 0.2 + 0.0375, 6)
    assert after.usd == round(0.000005 + 0.1 + 0.025, 6)
    assert PRICES.message("claude-opus-4-6", None, long) == after, "without a time: the newest"


def test_a_long_prompt_costs_more_from_its_first_token_on() -> None:
    parts = Usage(input=50_000, cache_read=100_000, cache_write_5m=30_000, cache_write_1h=20_000)
    assert PRICES.message("claude-sonnet-4-5", NOW, parts).usd == 0.15 + 0.03 + 0.1125 + 0.12
    longer = PRICES.message("claude-sonnet-4-5", NOW, parts._replace(input=50_001))
    assert longer.usd == 0.300006 + 0.06 + 0.225 + 0.24
    huge_answer = Usage(input=1, output=300_000)
    assert PRICES.message("claude-sonnet-4-5", NOW, huge_answer).usd == 4.500003, "an answer makes no prompt long"


def test_an_hour_without_a_price_of_its_own_is_a_lower_bound() -> None:
    model = "us.anthropic.claude-opus-4-1-20250805-v1:0"
    assert PRICES.message(model, NOW, Usage(cache_write_5m=MILLION)) == Spent(18_750_000 * MILLION, priced=True)
    hour = PRICES.message(model, NOW, Usage(cache_write_1h=MILLION))
    assert (hour.usd, hour.provenance) == (18.75, "lower_bound")


LISTED = [
    model.id
    for provider in get_snapshot().providers
    if provider.id in ("anthropic", "deepseek", "google", "moonshotai", "openai", "x-ai")
    for model in provider.models
    if "/" not in model.id and "@" not in model.id and offers(model.id) and all(offer.steps for offer in offers(model.id))
]


@given(
    st.sampled_from(LISTED),
    usages,
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.booleans(),
)
def test_costs_are_those_of_the_table(model: str, usage: Usage, time: datetime, fast: bool) -> None:
    calculated = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=usage.prompt,
            output_tokens=usage.output,
            cache_read_tokens=usage.cache_read,
            cache_write_tokens=usage.cache_write_5m + usage.cache_write_1h,
            cache_write_1h_tokens=usage.cache_write_1h,
            **searched(model, usage),
        ),
        model,
        genai_request_timestamp=time,
        price_context={"speed": "fast"} if fast else None,
    )
    spent = PRICES.message(model, round(time.timestamp() * 1000), usage, fast=fast)
    assert Decimal(spent.pico) / 10**12 == calculated.total_price


def searched(model: str, usage: Usage) -> dict[str, int]:
    """The searches, where the table has a price for them: it refuses to price others."""
    knows = offers(model)[0].steps[0][1].web_search is not None
    return {"web_searches": usage.web_searches} if knows else {}


FAST, SLOW = "claude-opus-4-8", "claude-sonnet-4-5"


def test_the_faster_mode_costs_what_the_table_says() -> None:
    used = Usage(1_000, 2_000, 10_000, 4_000, 3_000)
    assert PRICES.message(FAST, NOW, used, fast=True) == Spent(
        round((0.01 + 0.1 + 0.01 + 0.05 + 0.06) * MILLION) * MILLION, True
    )
    assert PRICES.message(FAST, NOW, used).usd == 0.115


def test_a_faster_mode_without_a_price_is_a_lower_bound() -> None:
    used = Usage(1_000, 2_000)
    usual = PRICES.message(SLOW, NOW, used)
    assert PRICES.message(SLOW, NOW, used, fast=True) == usual._replace(least=True)
    assert PRICES.message("us.anthropic.claude-opus-4-8", NOW, used, fast=True).least, (
        "others need not sell it at that price"
    )
    assert PRICES.message("nobody's", NOW, used, fast=True) == Spent(unpriced=frozenset(["nobody's"]))
    assert PRICES.message(SLOW, NOW, Usage(), fast=True) == Spent()


def test_searches_are_billed_by_the_thousand() -> None:
    assert PRICES.message(SLOW, NOW, Usage(web_searches=25)) == Spent(250_000 * MILLION, priced=True)
    unknown = next(model for model in LISTED if offers(model)[0].steps[0][1].web_search is None)
    one = PRICES.message(unknown, NOW, Usage(1_000, web_searches=1))
    assert one == PRICES.message(unknown, NOW, Usage(1_000))._replace(least=True)


def test_what_the_agent_told_is_the_cost() -> None:
    spent = PRICES.message("nobody's", NOW, Usage(1, 2), lower_bound=True, fast=True, reported=123)
    assert spent == Spent(123, reported=True)
    assert spent.provenance == "reported"


def test_nothing_is_fetched_and_nothing_loaded_before_it_is_needed() -> None:
    script = """if True:
        import socket, sys
        import ccdashd.app, ccdashd.store.features
        from ccdashd.derive.pricing import Prices, Usage, fingerprint
        prices = Prices()
        fingerprint({})
        assert not any(name.startswith(("genai_prices", "pydantic", "httpx")) for name in sys.modules)
        def refuse(*args, **kwargs):
            raise AssertionError("a socket")
        socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
        assert prices.message("claude-opus-4-5", 0, Usage(1)).priced
        import threading
        assert threading.active_count() == 1
    """
    subprocess.run([sys.executable, "-c", script], check=True)


def rate(price: int) -> Rate:
    return Rate(price, price, price, price, price)


def test_the_last_offer_that_holds_counts() -> None:
    first, second, night = at("2026-01-01"), at("2026-02-01"), (22 * 3_600_000, 2 * 3_600_000)
    tariff = Tariff(
        [
            Offer(first, None, ((-1, rate(1)),)),
            Offer(second, None, ((-1, rate(2)), (100, rate(3)))),
            Offer(None, night, ((-1, rate(4)),)),
        ]
    )
    assert tariff.rate(at("2025-06-01T12:00"), 5) == rate(1), "before all of them: the first"
    assert tariff.rate(at("2026-01-31T21:59"), 5) == rate(1)
    assert tariff.rate(at("2026-02-01T02:00"), 100) == rate(2)
    assert tariff.rate(at("2026-02-01T02:00"), 101) == rate(3)
    for hour in ("2026-02-01T22:00", "2026-02-02T00:00", "2025-02-02T01:59:59.999"):
        assert tariff.rate(at(hour), 500) == rate(4)


rates = st.builds(rate, st.integers(0, 3))
steps = st.lists(st.tuples(st.integers(0, 12), rates), max_size=3, unique_by=lambda step: step[0])
made_offers = st.builds(
    lambda since, daily, base, more: Offer(since, daily, ((-1, base), *sorted(more))),
    st.none() | st.integers(0, 12),
    st.none() | st.tuples(st.integers(0, 12), st.integers(0, 12)),
    rates,
    steps,
)
ranges = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(made_offers, min_size=1, max_size=4), ranges, ranges)
def test_the_prices_of_a_range_are_those_of_all_in_it(
    offers: list[Offer], times: tuple[int, int], sizes: tuple[int, int]
) -> None:
    tariff = Tariff(offers)
    every = {tariff.rate(time, size) for time in range(times[0], times[1] + 1) for size in range(sizes[0], sizes[1] + 1)}
    found = tariff.rates(times, sizes)
    if found is None:
        assert any(offer.daily for offer in offers)
    else:
        assert found == every


def test_own_prices_come_before_the_table() -> None:
    prices = Prices(
        {
            "claude-opus-4-5": ModelPrice(input=1, output=2, cache_read=0.1, cache_write_5m=1.25, cache_write_1h=1.5),
            "my-model": ModelPrice(input=3, output=0.000001),
            "claude-sonnet-4-5": ModelPrice(input=1, output=1, since=date(2026, 6, 1)),
            "new-model": ModelPrice(input=1, output=1, since=date(2026, 6, 1)),
        }
    )
    one = Usage(*[MILLION] * 5)
    search = Usage(web_searches=1_000)
    assert prices.message("claude-opus-4-5", NOW, search).usd == 10, "the user says nothing of searches, the table does"
    assert prices.message("my-model", NOW, search) == Spent(priced=True, least=True)
    assert prices.message("claude-opus-4-5", NOW, one, fast=True).provenance == "lower_bound"
    assert prices.message("claude-opus-4-5", NOW, one).usd == 5.85
    assert prices.message("claude-opus-4-5[1m]", NOW, one).usd == 5.85
    assert prices.message("claude-opus-4-5-20251101", NOW, one) == PRICES.message("claude-opus-4-5-20251101", NOW, one)
    assert prices.message("my-model", NOW, one).usd == 12.000001, "cache as input"
    assert prices.message("claude-sonnet-4-5", NOW, one).usd == 5, "whatever the size of the prompt"
    assert prices.message("claude-sonnet-4-5", NOW - 1, one) == PRICES.message("claude-sonnet-4-5", NOW - 1, one)
    assert prices.message("claude-sonnet-4-5", None, one).usd == 5
    assert prices.message("new-model", NOW, one).usd == 5
    assert prices.message("new-model", NOW - 1, one).unpriced == {"new-model"}


@pytest.mark.parametrize(
    ("pico", "usd"),
    [(0, 0), (499_999, 0), (500_000, 0), (500_001, 0.000001), (1_500_000, 0.000002), (2_500_000, 0.000002), (10**13, 10)],
)
def test_rounding_is_half_to_even(pico: int, usd: float) -> None:
    assert Spent(pico).usd == usd


@pytest.mark.parametrize("micro", [1, 123_456, 1_234_567_890_123_456])
def test_a_figure_is_exact_to_a_millionth(micro: int) -> None:
    assert f"{Spent(micro * MILLION).usd:.6f}" == f"{micro // MILLION}.{micro % MILLION:06}"


KNOWN, OTHER, UNKNOWN = Spent(1, priced=True), Spent(2, priced=True, least=True), Spent(unpriced=frozenset("m"))
TOLD = Spent(3, reported=True)


@pytest.mark.parametrize(
    ("parts", "provenance"),
    [
        ([], "computed"),
        ([KNOWN], "computed"),
        ([KNOWN, Spent()], "computed"),
        ([KNOWN, OTHER], "lower_bound"),
        ([KNOWN, UNKNOWN], "lower_bound"),
        ([UNKNOWN], "unpriced"),
        ([UNKNOWN, Spent(least=True)], "unpriced"),
        ([UNKNOWN, Spent(priced=True)], "unpriced"),
        ([UNKNOWN, Spent(reported=True)], "unpriced"),
        ([TOLD], "reported"),
        ([TOLD, Spent()], "reported"),
        ([TOLD, KNOWN], "computed"),
        ([TOLD, OTHER], "lower_bound"),
        ([TOLD, UNKNOWN], "lower_bound"),
    ],
)
def test_how_sure_a_sum_is(parts: list[Spent], provenance: str) -> None:
    assert total(parts).provenance == provenance


messages = st.tuples(
    st.sampled_from(["claude-opus-4-6", "claude-sonnet-4-5", "gpt-5-codex", "deepseek-chat", "nobody's", "<synthetic>"]),
    st.sampled_from([None, at("2026-03-12T23:00"), at("2026-03-13T01:00"), at("2026-03-13T20:00")]),
    usages,
    st.booleans(),
)


@given(st.lists(st.tuples(messages, st.integers(0, 3)), max_size=20))
def test_parts_add_up_to_their_whole(made: list[tuple[tuple[str, int | None, Usage, bool], int]]) -> None:
    each = [(PRICES.message(model, time, usage, lower_bound=bound), part) for (model, time, usage, bound), part in made]
    whole = total(spent for spent, _ in each)
    parts = [total(spent for spent, part in each if part == number) for number in range(4)]
    assert total(parts) == whole
    assert abs(sum(Decimal(str(part.usd)) for part in parts) - Decimal(str(whole.usd))) <= Decimal("0.0000025")


@given(st.sampled_from(["claude-opus-4-5", "gpt-5-codex"]), st.lists(usages, max_size=5))
def test_many_at_one_price_are_one(model: str, used: list[Usage]) -> None:
    together = Usage(*(sum(column) for column in zip(Usage(), *used, strict=True)))
    spent = charge(model, PRICES.tariff(model).rate(LATEST, 0), together)
    assert spent == total(PRICES.message(model, None, usage) for usage in used)


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("claude-sonnet-4-5-20250929", 200_000),
        ("claude-sonnet-4-5-20250929[1m]", 1_000_000),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", 200_000),
        ("gpt-5-codex", 400_000),
        ("my-own-model", None),
    ],
)
def test_how_long_a_prompt_may_be(model: str, size: int | None) -> None:
    assert context_window(model) == size


def test_a_fingerprint_tells_prices_apart() -> None:
    own = {"a": ModelPrice(input=1, output=2), "b": ModelPrice(input=1, output=2, since=date(2026, 6, 1))}
    others = [
        {},
        {"a": own["a"]},
        {"a": own["b"], "b": own["a"]},
        own | {"a": ModelPrice(input=1, output=2, cache_read=1)},
        own | {"b": ModelPrice(input=1, output=2, since=date(2026, 6, 2))},
    ]
    assert len({fingerprint(each) for each in (own, *others)}) == 6
    assert fingerprint(own) == fingerprint(dict(reversed(own.items())))


@given(st.lists(st.tuples(st.sampled_from(["", "free", "unknown"]), usages, st.booleans(), st.none() | st.just(7))))
def test_sums_of_columns_are_the_sum_of_messages(made: list[tuple[str, Usage, bool, int | None]]) -> None:
    """As the roll-ups keep them, but for what used nothing: that counts as computed."""
    prices = Prices({"": ModelPrice(input=1, output=1), "free": ModelPrice(input=0, output=0)})
    used = [message for message in made if any(message[1])]
    for model in ("", "free", "unknown"):
        each = [
            prices.message(name, 0, use, lower_bound=least, reported=told)
            for name, use, least, told in used
            if name == model
        ]
        whole = total(each)
        columns = (
            sum(one.least for one in each),
            sum(one.reported for one in each),
            sum(bool(one.unpriced) for one in each),
            *divmod(whole.pico, MILLION),
        )
        assert summed(model, len(each), *columns) == whole
