"""Metrics of the real daemon: over socket, port and file, scraped by a real Prometheus, through crashes, rebuilds, loss."""

from __future__ import annotations

import json
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ccdash.demo import generate
from ccdashd.analytics.families import FAMILIES
from tests.analytics.prom import (
    PROMETHEUS,
    PROMTOOL,
    Samples,
    assert_not_fallen,
    by,
    complaints,
    needs_prometheus,
    needs_promtool,
    parse,
    total,
)
from tests.e2e import oracle
from tests.helpers import PATIENCE, Daemon, wait_until

DASHBOARD = Path(__file__).parents[2] / "docs/grafana/ccdash.json"
PAGE = DASHBOARD.parents[1] / "metrics.md"
MESSAGES, COST = "ccdash_messages_total", "ccdash_cost_usd_total"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return str(answer.read().decode())


class Scraped:
    """A daemon with logs of its own whose metrics can be scraped."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/metrics"
        self.file = daemon.folder / "ccdash.prom"
        self.summary = generate(daemon.home, sessions=4, bytes_target=100_000, seed=5)
        self.logs = daemon.home / ".claude/projects"

    def start(self, **environ: str) -> None:
        given = {"CCDASH_METRICS_PORT": str(self.port), "CCDASH_METRICS_FILE": str(self.file), **environ}
        self.daemon.start(environ=given)

    def scrape(self) -> Samples:
        return parse(get(self.url))

    def settled(self) -> Samples:
        """What is told after the first scan of this life, from which on sums of rows are taken."""

        def scanned() -> bool:
            status = self.ask("ccdash/status")
            return bool(status["watch"]["lastScanAt"] and status["state"] != "indexing")

        wait_until(scanned, "the first scan")
        return parse(self.ask("analytics/prometheus")["text"])

    def ask(self, method: str, **params: Any) -> Any:
        with self.daemon.client() as client:
            return client.request(method, params)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Scrape all the time, whatever happens to the daemon; no counter may fall."""
        stop, failed = threading.Event(), list[BaseException]()

        def watch() -> None:
            before: Samples = {}
            while not stop.wait(0.05):
                try:
                    samples = self.scrape()
                except OSError:
                    continue
                try:
                    assert_not_fallen(before, samples)
                except AssertionError as error:
                    failed.append(error)
                    return
                before = samples

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        if failed:
            raise failed[0]


class Prometheus:
    """A Prometheus server that scrapes one target."""

    def __init__(self, folder: Path, target: int) -> None:
        self.base = f"http://127.0.0.1:{free_port()}"
        config = folder / "prometheus.yml"  # JSON is YAML
        job = {"job_name": "ccdash", "scrape_interval": "500ms", "scrape_timeout": "500ms"}
        static = {"static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}
        config.write_text(json.dumps({"scrape_configs": [{**job, **static}]}))
        arguments = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", "--log.level=warn")
        address = f"--web.listen-address={urllib.parse.urlsplit(self.base).netloc}"
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([str(PROMETHEUS), *arguments, address], stdout=log, stderr=log, cwd=folder)

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer; None before it listens."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            answer = json.loads(get(f"{self.base}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"))
        except (urllib.error.URLError, ConnectionError):
            return None
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression: str) -> list[Any]:
        """The rows of an instant query."""
        data = self.get("query", query=expression)
        return list(data["result"]) if data is not None else []

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


@pytest.fixture
def scraped(idle_daemon: Daemon) -> Scraped:
    return Scraped(idle_daemon)


@pytest.fixture(scope="module")
def running() -> Iterator[Scraped]:
    """A daemon that took sums of its rows; whose metrics, file and logs no test changes."""
    folder = Path(tempfile.mkdtemp(prefix="cc", dir="/tmp"))
    daemon = Daemon(folder)
    try:
        scraped = Scraped(daemon)
        scraped.start()
        scraped.settled()
        yield scraped
    finally:
        daemon.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server(running: Scraped, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus | None]:
    """A Prometheus that scrapes it, None where there is none. It looks for its targets after five seconds; until then
    other tests run."""
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), running.port) if PROMETHEUS else None
    yield server
    if server is not None:
        server.stop()


@pytest.mark.usefixtures("server")
def test_what_is_scraped_is_what_logs_hold(running: Scraped) -> None:
    samples = running.scrape()
    totals = running.summary.totals
    assert total(samples, MESSAGES) == totals["messages"]
    kinds = {kind: value for (kind,), value in by(samples, "ccdash_tokens_total", "kind").items()}
    writes = kinds.pop("cache_write_5m") + kinds.pop("cache_write_1h")
    assert {**kinds, "cache_write": writes} == {
        "input": totals["input"],
        "output": totals["output"],
        "cache_read": totals["cacheRead"],
        "cache_write": totals["cacheWrite"],
    }
    truth = oracle.read(oracle.logs(running.daemon.home))
    assert total(samples, COST) == pytest.approx(float(oracle.cost(truth.messages)), abs=1e-6)
    calls = running.ask("analytics/tools")["total"]
    assert by(samples, "ccdash_tool_calls_total", "status") == {("success",): calls["success"], ("error",): calls["errors"]}
    assert total(samples, "ccdash_sessions_total") == running.ask("ccdash/status")["counts"]["sessions"]
    assert total(samples, "ccdash_up") == 1
    assert running.ask("ccdash/status")["metricsUrl"] == running.url
    assert running.ask("ccdash/status")["problems"] == []
    text = running.ask("analytics/prometheus")["text"]
    assert by(parse(text), COST, "project", "model") == by(samples, COST, "project", "model")
    assert stat.S_IMODE(running.file.stat().st_mode) == 0o644
    assert stat.S_IMODE(running.daemon.paths.counters.stat().st_mode) == 0o600


@needs_promtool
def test_promtool_has_no_complaint_about_the_daemon(running: Scraped) -> None:
    assert complaints(get(running.url)) == ""


def test_no_counter_falls_through_crash_rebuild_and_loss(scraped: Scraped) -> None:
    daemon = scraped.daemon
    with scraped.watched():
        scraped.start()
        first = scraped.settled()
        daemon.kill()
        free = "".join(f'[prices."{model}"]\ninput = 0\noutput = 0\n' for (model,) in by(first, COST, "model"))
        daemon.paths.config_file.parent.mkdir(parents=True)
        daemon.paths.config_file.write_text(free)
        scraped.start()
        again = scraped.settled()
        assert total(again, MESSAGES) == total(first, MESSAGES)
        assert total(again, COST) == pytest.approx(total(first, COST), rel=1e-12)
        assert scraped.ask("analytics/sessionCost", id=next(iter(scraped.summary.sessions)))["cost"]["usd"] == 0
        scraped.ask("cache/rebuild")
        assert total(scraped.settled(), MESSAGES) == total(first, MESSAGES)
        daemon.kill(15)
        left = parse(scraped.file.read_text())
        assert total(left, "ccdash_up") == 0
        assert_not_fallen(again, left)
        assert [path.name for path in daemon.folder.iterdir() if ".prom" in path.name] == ["ccdash.prom"]
        daemon.paths.config_file.unlink()
        daemon.paths.database.unlink()
        (largest, *_) = sorted(scraped.logs.rglob("*.jsonl"), key=lambda path: -path.stat().st_size)
        lost = largest.read_bytes()
        largest.unlink()
        scraped.start()
        after = scraped.settled()
        assert scraped.ask("cache/status")["messages"] < total(first, MESSAGES)
        assert total(after, MESSAGES) == total(first, MESSAGES)
        assert total(after, COST) == pytest.approx(total(first, COST), rel=1e-12)
        # What comes after the loss counts on top of what was told before.
        message = json.loads(next(line for line in lost.splitlines() if b'"assistant"' in line))
        message["message"]["id"], message["requestId"], message["uuid"] = "msg_new", "req_new", "new"
        session = largest.with_name("0d3c8b4e-0000-4000-8000-000000000000.jsonl")
        session.write_text(json.dumps({**message, "sessionId": session.stem}) + "\n")
        wait_until(lambda: total(scraped.scrape(), MESSAGES) > total(first, MESSAGES), "the new message")
        assert total(scraped.scrape(), MESSAGES) == total(first, MESSAGES) + 1


def test_no_counter_falls_when_the_daemon_is_killed_at_any_moment(scraped: Scraped) -> None:
    random, daemon = Random(7), scraped.daemon
    log = max(scraped.logs.rglob("*.jsonl"), key=lambda path: path.stat().st_size)
    line = next(line for line in log.read_text().splitlines() if '"type":"assistant"' in line.replace(": ", ":"))
    stop, added = threading.Event(), 0

    def grow() -> None:
        nonlocal added
        while not stop.wait(0.005):
            record = json.loads(line)
            record["message"]["id"], record["requestId"], record["uuid"] = f"msg_{added}", f"req_{added}", f"u{added}"
            with log.open("a") as file:
                file.write(json.dumps(record) + "\n")
            added += 1

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with scraped.watched():
            for _ in range(2):
                scraped.start()
                time.sleep(random.uniform(0.1, 0.5))
                daemon.kill()
            stop.set()
            writer.join()
            scraped.start()
            samples = scraped.settled()
    finally:
        stop.set()
        writer.join()
    assert total(samples, MESSAGES) == scraped.summary.totals["messages"] + added


def test_what_hinders_is_told_and_the_rest_goes_on(scraped: Scraped) -> None:
    scraped.daemon.paths.counters.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", scraped.port)):
        scraped.start(CCDASH_METRICS_FILE=str(scraped.daemon.folder / "nowhere/ccdash.prom"))
        wait_until(lambda: len(scraped.ask("ccdash/status")["problems"]) == 2, "the problems")
        with pytest.raises(Exception, match="cannot be read"):
            scraped.ask("analytics/prometheus")
        problems = {problem["part"]: problem for problem in scraped.ask("ccdash/status")["problems"]}
        assert "in use" in problems["metrics endpoint"]["problem"]
        assert str(scraped.port) in problems["metrics endpoint"]["problem"]
        assert "counters.json cannot be read" in problems["metrics"]["problem"]
        assert scraped.ask("ccdash/status")["metricsUrl"] is None
    counters = scraped.daemon.paths.counters
    counters.rmdir()
    counters.write_text("not ours")
    assert total(scraped.settled(), MESSAGES) == scraped.summary.totals["messages"]
    problems = {problem["part"]: problem for problem in scraped.ask("ccdash/status")["problems"]}
    assert "was damaged" in problems["metrics"]["problem"]
    assert [path.read_text() for path in counters.parent.glob("counters.json.damaged-*")] == ["not ours"]


def expressions() -> list[str]:
    """What the panels of the dashboard ask, with times in place of Grafana's variables."""
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    for name, value in (("$__rate_interval", "1m"), ("$__range", "1h")):
        found = [expression.replace(name, value) for expression in found]
    return [re.sub(r"\$\w+", ".*", expression) for expression in found]


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    names = {family.name for family in FAMILIES}
    asked = {name for expression in expressions() for name in re.findall(r"ccdash_\w+", expression)}
    assert len(asked) > 30
    assert asked <= names
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for variable in board["templating"]["list"][1:]:
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"]).groups()  # type: ignore[union-attr]
        (family,) = (family for family in FAMILIES if family.name == metric)
        assert label in (*family.labels, "instance")
    labels = {label for family in FAMILIES for label in family.labels} | {"instance"}
    assert {name for expression in expressions() for name in re.findall(r'(\w+)(?:=|!=|=~|!~)"', expression)} <= labels
    places = [tuple(panel["gridPos"][key] for key in "xywh") for panel in board["panels"]]
    cells = [(x + dx, y + dy) for x, y, w, h in places for dx in range(w) for dy in range(h)]
    assert len(cells) == len(set(cells)), "panels overlap"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@needs_promtool
def test_promtool_understands_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(expressions())]
    file = tmp_path / "rules.yml"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, "check", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{len(rules)} rules found" in done.stdout


def test_the_page_lists_every_metric() -> None:
    rows = re.findall(r"^\| `(ccdash_\w+)` \| (.*?) ?\| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(family.name, ", ".join(f"`{label}`" for label in family.labels), family.help) for family in FAMILIES]


@needs_prometheus
def test_a_real_prometheus_scrapes_it(running: Scraped, server: Prometheus) -> None:
    samples = running.scrape()
    (whole,) = wait_until(lambda: server.query(f"sum({COST})"), "the first scrape")
    assert float(whole["value"][1]) == pytest.approx(total(samples, COST), rel=1e-12)
    rows = server.query(f"sum by (project) ({MESSAGES})")
    assert {(row["metric"]["project"],): float(row["value"][1]) for row in rows} == by(samples, MESSAGES, "project")
    (up,) = server.query('up{job="ccdash"}')
    assert up["value"][1] == "1"
    for expression in expressions():
        server.query(expression)
    metadata = server.get("targets/metadata")
    assert {row["metric"]: (row["type"], row["help"]) for row in metadata} == {
        family.name: (family.kind, family.help) for family in FAMILIES
    }
