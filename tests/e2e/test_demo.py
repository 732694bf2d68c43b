"""What the daemon answers about the demo's plans, against what its generator states."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdash.demo import PRESETS, Summary, generate_preset
from tests.helpers import Client, Daemon, wait_until

Projects = dict[str, str]
"""Ids of projects by their roots."""


@pytest.fixture
def demo(idle_daemon: Daemon) -> Summary:
    work = idle_daemon.home / "work"
    return generate_preset(idle_daemon.home, PRESETS["demo"], seed=1, work=work)


@pytest.fixture
def client(demo: Summary, idle_daemon: Daemon) -> Iterator[Client]:
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index", 55)
        yield client


@pytest.fixture
def projects(client: Client) -> Projects:
    return {project["root"]: project["id"] for project in client.request("projects/list")["items"]}


def everything(client: Client, method: str, **params: object) -> list[dict[str, Any]]:
    page = client.request(method, {**params, "limit": 500})
    assert page["total"] == len(page["items"])
    items: list[dict[str, Any]] = page["items"]
    return items


def test_plans_of_the_demo(demo: Summary, client: Client, projects: Projects) -> None:
    assert projects.keys() == demo.projects.keys()
    for root, truth in demo.projects.items():
        documents = everything(client, "documents/list", project=projects[root])
        assert {document["path"] for document in documents} == {
            path.relative_to(root).as_posix() for path in Path(root).rglob("*.md")
        }
        assert len(documents) == truth.documents
        features = {row["slug"]: row for row in everything(client, "features/list", project=projects[root])}
        assert {slug: row["status"] for slug, row in features.items()} == {
            slug: feature.status for slug, feature in truth.features.items()
        }
        for slug, feature in truth.features.items():
            row = features[slug]
            counted = {status: number for status, number in row["tasks"].items() if number and status != "total"}
            assert counted == {_wire(status): number for status, number in feature.tasks.items()}, slug
            assert (row["documents"], row["mismatches"] > 0) == (feature.documents, feature.mismatch), slug
            assert row["sessions"] == len(feature.sessions), slug
        tasks = everything(client, "tasks/list", project=projects[root])
        assert len(tasks) == sum(sum(feature.tasks.values()) for feature in truth.features.values())
    (broken,) = [row for row in everything(client, "documents/list") if row["recovered"]]
    assert broken["path"] == ".claude/progress/offline-sync/phase-2-progress.md"


def test_sessions_are_linked_with_what_they_worked_on(demo: Summary, client: Client, projects: Projects) -> None:
    worked: defaultdict[str, set[str]] = defaultdict(set)
    for root, project in demo.projects.items():
        for feature in project.features.values():
            for session in feature.sessions:
                worked[session].add(f"{projects[root]}/{feature.slug}")
    for session in demo.sessions:
        links = everything(client, "links/list", type="session", id=session)
        assert {link["target"]["id"] for link in links if link["target"]["type"] == "feature"} == worked[session]
    for key in demo.agents:
        session, agent = key.split("/")
        links = everything(client, "links/list", type="session", id=f"{session}/agent-{agent}", otherType="feature")
        assert {link["target"]["id"] for link in links} == worked[session]


def test_links_of_who_executed_a_plan_have_all_the_evidence(demo: Summary, client: Client, projects: Projects) -> None:
    executed = [(root, feature) for root, project in demo.projects.items() for feature in project.features.values()]
    for root, feature in executed:
        if not feature.executed_by:
            continue
        links = everything(client, "links/list", type="session", id=feature.executed_by)
        (link,) = [link for link in links if link["target"]["type"] == "feature"]
        assert link["confidence"] >= 0.9 and link["linkType"] == "implements", feature.slug
        assert {"command", "write", "commit", "branch", "read"} <= set(link["signals"]), feature.slug
        assert f"{projects[root]}/{feature.commit}" in {link["target"]["id"] for link in links}
        sessions = client.request("features/get", {"id": f"{projects[root]}/{feature.slug}"})["sessions"]
        assert sessions[0]["session"]["id"] == feature.executed_by


def _wire(status: str) -> str:
    """A status as the field of `Counts` is called on the wire."""
    first, *rest = status.split("_")
    return first + "".join(word.title() for word in rest)


def test_history_of_the_demo(idle_daemon: Daemon) -> None:
    """Its journal says of the last day what the daemon finds, so that there is nothing to add; and an alert begins."""
    idle_daemon.environ["TZ"] = "UTC"
    journal = idle_daemon.paths.journal
    now = int(time.time() * 1000)
    work = idle_daemon.home / "work"
    truth = generate_preset(idle_daemon.home, PRESETS["demo"], seed=1, work=work, now=now, journal=journal)
    before = journal.read_bytes()
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index", 55)
        fired = wait_until(lambda: client.request("alerts/list")["firing"], "the alert")
        assert {alert["rule"] for alert in fired} == {"long-session"}
        trend = client.request("analytics/trends", {"metrics": ["tasksDone", "taskCompletion"], "step": "day"})
    assert idle_daemon.kill(signal.SIGTERM) == 0
    added = [json.loads(line)["type"] for line in journal.read_bytes().removeprefix(before).splitlines()]
    assert set(added) == {"alerted"}
    features = [feature for project in truth.projects.values() for feature in project.features.values()]
    points = {point["label"]: point["values"]["tasksDone"] for point in trend["series"][0]["points"]}
    for day, number in sum((Counter(feature.completed) for feature in features), Counter()).items():
        assert not day or points[day] >= number
    done = sum(feature.tasks.get("done", 0) for feature in features)
    assert trend["total"]["values"]["tasksDone"] == sum(points.values()) == done
    part_of = sum(number for feature in features for state, number in feature.tasks.items() if state != "deferred")
    assert trend["total"]["values"]["taskCompletion"] == done / part_of
