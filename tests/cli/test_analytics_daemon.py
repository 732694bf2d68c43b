"""Commands of analytics on the real daemon, over generated logs whose figures are known."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ccdash.demo import Preset, Summary, generate_preset
from tests.cli.conftest import Done, run_process
from tests.helpers import Daemon, wait_until

Run = Callable[..., Done]
DEMO = Preset(8, 300_000, agents_per_session=0.8, story=True)
BY = ("day", "week", "month", "hour", "project", "model", "agent", "branch", "feature", "task", "session", "subagentType")


class Corpus(NamedTuple):
    daemon: Daemon
    summary: Summary
    work: Path


@pytest.fixture(scope="module")
def corpus() -> Iterator[Corpus]:
    """The daemon over a small demo, all of it indexed."""
    folder = Path(tempfile.mkdtemp(prefix="cca", dir="/tmp"))
    daemon = Daemon(folder)
    try:
        summary = generate_preset(daemon.home, DEMO, seed=1, work=folder / "work")
        daemon.start()
        with daemon.client() as client:
            wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index", 55)
        yield Corpus(daemon, summary, folder / "work")
    finally:
        daemon.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def here(corpus: Corpus, home: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """Commands of this process talk to that daemon."""
    for name, value in {**corpus.daemon.environ, "CCDASH_NO_SPAWN": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(next(path for path in corpus.work.iterdir() if path.is_dir()))
    return corpus


def table(run: Run, *arguments: str) -> list[dict[str, str]]:
    done = run(*arguments, "--csv")
    assert (done.code, done.err) == (0, "")
    return list(csv.DictReader(io.StringIO(done.out, newline="")))


def added(rows: list[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows if row[column]), Decimal())


def whole(run: Run) -> dict[str, Any]:
    totals: dict[str, Any] = json.loads(run("stats", "--json").out)["total"]
    return totals


@pytest.mark.parametrize("by", BY)
def test_parts_add_up_to_the_whole_whatever_they_are_parts_of(run: Run, here: Corpus, by: str) -> None:
    total = whole(run)
    rows = table(run, "cost", "--by", by, "--since", "all")
    assert added(rows, "tokens") == sum(
        here.summary.totals[kind] for kind in ("input", "output", "cacheRead", "cacheWrite")
    )
    # Each part is rounded to a millionth once, so that together they may differ in that digit.
    assert abs(added(rows, "cost_usd") - Decimal(repr(total["values"]["cost"]))) <= len(rows) * Decimal("0.000001")


def test_usage_has_the_tokens_that_were_written(run: Run, here: Corpus) -> None:
    columns = {"input": "input_tokens", "output": "output_tokens", "cacheRead": "cache_read_tokens",
               "cacheWrite": "cache_write_tokens"}  # fmt: skip
    for report in ("daily", "monthly", "session", "blocks"):
        rows = table(run, "usage", report, "--since", "all", "--all")
        assert {kind: added(rows, column) for kind, column in columns.items()} == {
            kind: here.summary.totals[kind] for kind in columns
        }, report


def test_days_name_the_models_that_were_used(run: Run, here: Corpus) -> None:
    named = {model for row in table(run, "usage", "--since", "all") for model in row["models"].split()}
    assert named == {row["key"] for row in table(run, "models")}


def test_every_form_holds_the_same_values(run: Run, here: Corpus, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for arguments, items in (
        (("cost", "--by", "session", "--all"), lambda answer: answer["items"]),
        (("trends", "cost", "cacheHitShare", "--since", "all"), lambda answer: answer["series"][0]["points"]),
        (("top", "--all", "--metric", "cost"), lambda answer: answer["items"]),
    ):
        in_json = items(json.loads(run(*arguments, "--json").out))
        in_csv = table(run, *arguments)
        assert run(*arguments, "--parquet", str(tmp_path / "x.parquet")).code == 0
        in_parquet = parquet.read_table(tmp_path / "x.parquet").to_pylist()
        costs = [item["values"]["cost"] for item in in_json]
        assert any(costs)
        wanted = [None if cost is None else Decimal(f"{cost:.6f}") for cost in costs]
        assert [row["cost_usd"] for row in in_parquet[: len(wanted)]] == wanted
        assert [Decimal(row["cost_usd"]) if row["cost_usd"] else None for row in in_csv[: len(wanted)]] == wanted
        assert len(in_csv) == len(in_parquet)
        assert [row["cost_provenance"] or None for row in in_csv] == [row["cost_provenance"] for row in in_parquet]


def test_the_bill_of_a_session_adds_up(run: Run, here: Corpus) -> None:
    session = table(run, "top", "--limit", "1")[0]
    bill = table(run, "cost", session["session"][:8])
    assert {row["session"] for row in bill} == {session["session"]}
    assert abs(added(bill, "cost_usd") - Decimal(session["cost_usd"])) <= len(bill) * Decimal("0.000001")
    shown = run("cost", session["session"])
    assert session["title"] in shown.out and "By model and kind" in shown.out


def test_the_cost_of_a_feature(run: Run, here: Corpus) -> None:
    feature = next(row for row in table(run, "cost", "--by", "feature") if row["key"])
    slug = feature["key"].partition("/")[2]
    rows = table(run, "cost", slug)
    worked = {session for project in here.summary.projects.values() if slug in project.features
              for session in project.features[slug].sessions}  # fmt: skip
    assert {row["key"] for row in rows} <= worked and rows
    assert "cost by session" in run("cost", slug).out


def test_a_name_that_is_nearly_a_feature(run: Run, here: Corpus) -> None:
    slug = next(slug for project in here.summary.projects.values() for slug in project.features)
    done = run("cost", slug[:-1])
    assert done.code == 1
    assert f"did you mean the feature {slug}" in done.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("cost", "--since", "soon"), "since"),
        (("cost", "--time-zone", "Mars/Base"), "Mars/Base"),
        (("cost", "--since", "2026-03-02", "--until", "2026-03-01"), "since"),
        (("models", "--project", "nowhere"), "There is no project 'nowhere'."),
        (("models", "--feature", "nowhere"), "nowhere"),
        (("top", "--session", "ffffffff"), "ffffffff"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_the_daemon_does_not_take_is_told(run: Run, here: Corpus, arguments: tuple[str, ...], text: str) -> None:
    done = run(*arguments)
    assert (done.code in (1, 2), done.out) == (True, "")
    assert text in done.err and "Traceback" not in done.err


def test_nothing_at_all_is_said_in_words(run: Run, here: Corpus) -> None:
    for arguments in (("cost",), ("models",), ("usage",), ("trends", "--heatmap"), ("top",), ("stats",), ("tools",)):
        done = run(*arguments, "--since", "2001-01-01", "--until", "2001-01-31")
        assert (done.code, done.out) == (0, ""), arguments
        assert done.err.startswith("Nothing fits."), arguments


def test_filters_hold(run: Run, here: Corpus) -> None:
    sessions = Counter(row["project"] for row in table(run, "top", "--all"))
    for project, number in sessions.items():
        assert len(table(run, "cost", "--by", "session", "--project", project)) == number
    main = added(table(run, "models", "--subagents", "exclude"), "tokens")
    agents = added(table(run, "models", "--subagents", "only"), "tokens")
    assert agents and main + agents == added(table(run, "models"), "tokens")


def test_charts_of_what_there_is(run: Run, here: Corpus) -> None:
    over_time = ("trends", "--since", "all", "--chart")
    others = (("trends", "--heatmap"), ("trends", "--distribution"), ("stats",), ("tools",))
    for arguments in (over_time, (*over_time, "--split", "project"), *others):
        done = run(*arguments)
        assert done.code == 0 and len(done.out.splitlines()) > 5


def test_the_status_line(here: Corpus, run: Run) -> None:
    session = table(run, "top", "--limit", "1")[0]
    said = {"session_id": session["session"], "workspace": {"current_dir": str(Path.cwd())}}
    done = run_process(
        "statusline", "--format", "{project} | {model} | {context} | {session} | {today}", stdin=json.dumps(said)
    )
    assert (done.code, done.err) == (0, "")
    project, model, context, cost, *_ = done.out.strip().split(" | ")
    assert project == session["project"]
    assert model in session["model"]
    assert context.partition(" ")[0][:1].isdigit()
    assert cost.removeprefix("≥ ") == f"${Decimal(session['cost_usd']):.2f}"
