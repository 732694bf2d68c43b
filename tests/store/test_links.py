"""Links as clients ask for them: lists, evidence, trees, what is related, and how many sessions a feature has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdashd.derive.link_ids import link_id
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import types as t
from ccdashd.store import link_trees, links
from ccdashd.store.connection import raw_connection
from ccdashd.store.projects import project_id
from tests.sources.logs import Writer, call
from tests.store.link_world import APP, SESSIONS, Cache, Logs
from tests.store.plans import cache, document, file

ID = project_id(APP)
MAIN, AGENT, OTHER = SESSIONS[0], f"{SESSIONS[0]}/agent-a0", SESSIONS[1]
PRD, PROGRESS, LOOSE = "docs/PRDs/till.md", ".claude/progress/till/phase-1-progress.md", "docs/loose.md"
FEATURE, PHASE = f"{ID}/till", f"{ID}/{PROGRESS}#phase-1"
TASKS = [f"{ID}/{PROGRESS}#T{n}" for n in range(3)]
SOURCE = f"{APP}/src/till.py"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Cache]:
    """A feature with a PRD, a phase of three tasks, and a loose report; a session with a sub-agent, and another session."""
    logs = Logs(tmp_path)
    w = Writer(1)

    def work(place: str, session: str, calls: list[tuple[str, str, str]], **fields: Any) -> None:
        common = {"sessionId": session, "cwd": APP, **fields}
        records = [w.user("Go", **common)]
        for id, tool, path in calls:
            records += [w.assistant(call(id, tool, file_path=f"{APP}/{path}"), id=id, **common), w.result(id, **common)]
        logs.append(place, records)

    work(f"app/{MAIN}.jsonl", MAIN, [("a", "Write", PROGRESS), ("b", "Read", PRD), ("c", "Edit", "src/till.py")])
    agent = {"isSidechain": True, "agentId": "a0"}
    work(
        f"app/{MAIN}/subagents/agent-a0.jsonl", MAIN, [("d", "Read", "src/till.py"), ("e", "Read", "src/till.py")], **agent
    )
    work(f"app/{OTHER}.jsonl", OTHER, [("f", "Read", "src/till.py"), ("g", "Read", LOOSE)])
    progress = document(PROGRESS, "progress", tasks=["done", "todo", "todo"], phase="1")
    progress.tasks[1].depends_on = ["T0"]
    progress.tasks[2].parent = "T1"
    progress.tasks[0].files = ["src/till.py"]
    with cache() as connection:
        one = Cache(connection)
        one.write(APP, [file(document(PRD, "prd")), file(progress), file(document(LOOSE, "report"))])
        one.read(sorted(tmp_path.rglob("*.jsonl")))
        yield one


def say(shop: Cache, source: tuple[str, str], target: tuple[str, str], link_type: str, state: str, note: str = "") -> str:
    """The user makes or dismisses a link; returns its id."""
    id = link_id(*source, *target, link_type)
    statement = "INSERT OR REPLACE INTO user_links VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    row = (*source, *target, link_type, id, state, note, "2026-01-02T03:04:05Z")
    raw_connection(shop.connection).execute(statement, row)
    return id


def listed(shop: Cache, type: t.EntityType, id: str, **filters: Any) -> t.Page[t.Link]:
    return links.page(shop.connection, t.LinksList(type=type, id=id, **filters), 7)


def ends(page: t.Page[t.Link], own: str) -> list[tuple[str, str, float]]:
    """Of each link its type, the other end and its confidence."""
    return [
        (link.link_type, (link.target if link.source.id == own else link.source).id.removeprefix(f"{ID}/"), link.confidence)
        for link in page.items
    ]


# --- lists ---


def test_links_of_a_feature(shop: Cache) -> None:
    page = listed(shop, "feature", FEATURE)
    assert ends(page, FEATURE) == [
        ("child", f"{PROGRESS}#phase-1", 1.0),
        ("child", PROGRESS, 0.9),
        ("child", PRD, 0.9),
        ("implements", MAIN, 0.8),
        ("implements", AGENT, 0.64),
    ]
    assert (page.total, page.revision, page.next_cursor) == (5, 7, None)
    session = page.items[3]
    assert (session.source.title, session.target.title, session.origin) == ("Go", "Title of docs/PRDs/till.md", "auto")
    assert session.signals == ["write", "read"]


def test_filters(shop: Cache) -> None:
    assert [link.target.id for link in listed(shop, "feature", FEATURE, direction="out").items] == [
        PHASE,
        f"{ID}/{PROGRESS}",
        f"{ID}/{PRD}",
    ]
    assert [link.source.id for link in listed(shop, "feature", FEATURE, direction="in").items] == [MAIN, AGENT]
    assert listed(shop, "feature", FEATURE, link_type="implements").total == 2
    assert listed(shop, "feature", FEATURE, other_type="phase").total == 1
    assert listed(shop, "feature", FEATURE, min_confidence=0.9).total == 3
    assert listed(shop, "feature", FEATURE, origin="manual").total == 0
    page = listed(shop, "feature", FEATURE, offset=1, limit=2)
    assert (len(page.items), page.total) == (2, 5)


def test_tasks_wait_for_each_other(shop: Cache) -> None:
    assert ends(listed(shop, "task", TASKS[1], link_type="blocks"), TASKS[1]) == [("blocks", f"{PROGRESS}#T0", 1.0)]
    assert [link.target.id for link in listed(shop, "task", TASKS[0], link_type="blocks").items] == [TASKS[1]]


def test_sessions_and_files(shop: Cache) -> None:
    page = listed(shop, "file", SOURCE)
    assert {(link.source.id, tuple(link.signals), link.confidence) for link in page.items} == {
        (MAIN, ("edit",), 0.95),
        (AGENT, ("read",), 0.46),
        (OTHER, ("read",), 0.46),
        (TASKS[0], ("frontmatter",), 0.9),
    }
    assert {link.target.id for link in listed(shop, "session", MAIN, other_type="file").items} == {
        SOURCE,
        f"{APP}/{PROGRESS}",
        f"{APP}/{PRD}",
    }
    assert listed(shop, "session", MAIN, direction="in").total == 0
    assert listed(shop, "file", SOURCE, direction="out").total == 0


def test_manual_and_dismissed_links(shop: Cache) -> None:
    made = say(shop, ("session", MAIN), ("feature", FEATURE), "implements", "made", "I did it")
    gone = say(shop, ("session", AGENT), ("feature", FEATURE), "implements", "dismissed")
    say(shop, ("session", OTHER), ("feature", FEATURE), "related", "dismissed")
    page = listed(shop, "feature", FEATURE, other_type="session")
    assert [(link.id, link.origin, link.confidence, link.note, link.created_at) for link in page.items] == [
        (made, "manual", 1.0, "I did it", "2026-01-02T03:04:05Z")
    ]
    assert page.items[0].signals == ["write", "read"]
    every = listed(shop, "feature", FEATURE, other_type="session", include_dismissed=True)
    assert [(link.id, link.dismissed, link.confidence) for link in every.items[:2]] == [
        (made, False, 1.0),
        (gone, True, 0.64),
    ]
    assert (every.total, every.items[2].confidence) == (3, 0.0)
    assert [link.id for link in listed(shop, "feature", FEATURE, origin="manual").items] == [made]


def test_a_manual_link_of_session_and_file(shop: Cache) -> None:
    made = say(shop, ("session", MAIN), ("file", SOURCE), "references", "made")
    (link,) = listed(shop, "session", MAIN, origin="manual").items
    assert (link.id, link.signals, link.confidence) == (made, ["edit"], 1.0)
    answer = links.audit(shop.connection, made, 7)
    assert [(piece.signal, piece.count) for piece in answer.evidence] == [("edit", 1)]


def test_entities_that_nothing_knows(shop: Cache) -> None:
    with pytest.raises(NotFound):
        listed(shop, "feature", f"{ID}/nothing")
    with pytest.raises(NotFound):
        links.audit(shop.connection, "0123456789ab", 7)
    with pytest.raises(InvalidParams):
        listed(shop, "file", "src/till.py")
    say(shop, ("feature", FEATURE), ("feature", f"{ID}/nothing"), "related", "made")
    assert listed(shop, "feature", f"{ID}/nothing").items[0].target.missing


# --- evidence ---


def test_evidence_of_a_found_link(shop: Cache) -> None:
    (link, _) = listed(shop, "feature", FEATURE, other_type="session").items
    answer = links.audit(shop.connection, link.id, 7)
    assert answer.link == link
    assert [(piece.signal, piece.weight, piece.detail) for piece in answer.evidence] == [
        ("write", 0.95, PROGRESS),
        ("read", 0.46, PRD),
    ]
    assert answer.evidence[0].place.endswith(f"{MAIN}.jsonl")


def test_evidence_of_sessions_and_files(shop: Cache) -> None:
    for link in listed(shop, "file", SOURCE, other_type="session").items:
        answer = links.audit(shop.connection, link.id, 7)
        assert answer.link == link
        (piece,) = answer.evidence
        assert (piece.signal, piece.detail) == (link.signals[0], SOURCE)
        assert piece.count == (2 if link.source.id == AGENT else 1)
        assert piece.offset is not None


@pytest.mark.parametrize(
    "id", ["", "touch:", "touch:x:y", "touch:3:abc/nothing", "touch:99999:a", "touch:²:ab", "touch:1:a"]
)
def test_ids_of_no_link(shop: Cache, id: str) -> None:
    with pytest.raises(NotFound):
        links.audit(shop.connection, id, 7)


def test_evidence_of_a_link_by_hand(shop: Cache) -> None:
    made = say(shop, ("session", OTHER), ("document", f"{ID}/{PRD}"), "related", "made")
    answer = links.audit(shop.connection, made, 7)
    assert (answer.link.origin, answer.evidence) == ("manual", [])


# --- trees ---


def tree(shop: Cache, type: t.EntityType, id: str, depth: int = 3) -> t.LinkTree:
    return link_trees.tree(shop.connection, t.LinksTree(type=type, id=id, depth=depth), 7)


def shape(node: t.TreeNode) -> Any:
    """Ids of a node and of all below it, and how many are left out."""
    return {node.id.removeprefix(f"{ID}/"): [shape(child) for child in node.children]} | (
        {"more": node.more} if node.more else {}
    )


def test_the_tree_of_a_feature(shop: Cache) -> None:
    answer = tree(shop, "feature", FEATURE)
    assert shape(answer.node) == {
        "till": [
            {f"{PROGRESS}#phase-1": [{f"{PROGRESS}#T0": []}, {f"{PROGRESS}#T1": [{f"{PROGRESS}#T2": []}]}]},
            {PROGRESS: []},
            {PRD: []},
        ]
    }
    assert (answer.parents, answer.siblings) == ([], [])
    assert answer.node.title == "Title of docs/PRDs/till.md"


def test_the_tree_is_cut_at_its_depth(shop: Cache) -> None:
    assert shape(tree(shop, "feature", FEATURE, 0).node) == {"till": [], "more": 3}
    assert shape(tree(shop, "feature", FEATURE, 1).node) == {
        "till": [{f"{PROGRESS}#phase-1": [], "more": 2}, {PROGRESS: []}, {PRD: []}]
    }


def test_parents_and_siblings(shop: Cache) -> None:
    answer = tree(shop, "task", TASKS[2])
    assert [entity.id for entity in answer.parents] == [TASKS[1], PHASE, FEATURE]
    assert answer.siblings == []
    assert [entity.id for entity in tree(shop, "task", TASKS[0]).siblings] == [TASKS[1]]
    assert [entity.id for entity in tree(shop, "phase", PHASE).parents] == [FEATURE]


def test_links_of_the_user_change_the_tree(shop: Cache) -> None:
    say(shop, ("feature", FEATURE), ("document", f"{ID}/{PRD}"), "child", "dismissed")
    say(shop, ("feature", FEATURE), ("document", f"{ID}/{LOOSE}"), "child", "made")
    assert [child.id for child in tree(shop, "feature", FEATURE).node.children] == [
        PHASE,
        f"{ID}/{PROGRESS}",
        f"{ID}/{LOOSE}",
    ]
    assert tree(shop, "document", f"{ID}/{PRD}").parents == []


def test_circles_end(shop: Cache) -> None:
    say(shop, ("task", TASKS[2]), ("feature", FEATURE), "child", "made")
    answer = tree(shop, "phase", PHASE, 10)
    assert [entity.id for entity in answer.parents] == [FEATURE, TASKS[2], TASKS[1]]
    assert shape(answer.node) == {f"{PROGRESS}#phase-1": [{f"{PROGRESS}#T0": []}]}


# --- related ---


def related(shop: Cache, type: t.EntityType, id: str, limit: int = 50) -> list[tuple[str, float, str | None]]:
    answer = link_trees.related(shop.connection, t.RelatedParams(type=type, id=id, limit=limit), 7)
    assert answer.revision == 7
    return [
        (item.entity.id.removeprefix(f"{ID}/"), item.score, item.via.id.removeprefix(f"{ID}/") if item.via else None)
        for item in answer.items
    ]


def test_related_directly_and_over_one_entity(shop: Cache) -> None:
    found = related(shop, "document", f"{ID}/{PRD}")
    assert found[:2] == [("till", 0.9, None), (f"{PROGRESS}#phase-1", 0.9, "till")]
    assert (PROGRESS, 0.81, "till") in found
    assert (MAIN, 0.72, "till") in found
    assert len({id for id, _, _ in found}) == len(found)
    assert [score for _, score, _ in found] == sorted((score for _, score, _ in found), reverse=True)
    assert related(shop, "document", f"{ID}/{PRD}", 2) == found[:2]


def test_what_is_dismissed_is_not_related(shop: Cache) -> None:
    say(shop, ("feature", FEATURE), ("document", f"{ID}/{PRD}"), "child", "dismissed")
    assert [id for id, _, via in related(shop, "document", f"{ID}/{PRD}") if via is None] == [MAIN]


def test_files_and_sessions_are_related(shop: Cache) -> None:
    found = related(shop, "file", SOURCE)
    assert [item for item in found if item[2] is None] == [
        (MAIN, 0.95, None),
        (f"{PROGRESS}#T0", 0.9, None),
        (AGENT, 0.46, None),
        (OTHER, 0.46, None),
    ]
    assert ("till", 0.76, MAIN) in found


# --- how many sessions ---


def test_sessions_of_a_feature_are_counted(shop: Cache) -> None:
    def count() -> tuple[set[str], int]:
        changed = links.recount(shop.connection, {FEATURE, f"{ID}/nothing"})
        return changed, shop.sessions_of_features()[FEATURE]

    assert count() == (set(), 1)
    say(shop, ("feature", FEATURE), ("session", OTHER), "related", "made")
    say(shop, ("session", MAIN), ("feature", FEATURE), "related", "made")
    say(shop, ("session", "gone"), ("feature", FEATURE), "related", "made")
    assert count() == ({FEATURE}, 2)
    say(shop, ("session", MAIN), ("feature", FEATURE), "related", "dismissed")
    say(shop, ("session", MAIN), ("feature", FEATURE), "implements", "dismissed")
    assert count() == ({FEATURE}, 1)
    assert links.linked_by_hand(shop.connection, [OTHER, MAIN]) == {FEATURE}
