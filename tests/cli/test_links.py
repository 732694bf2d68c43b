"""Links and trees on the command line, on two made-up projects and the real daemon."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdash.trees import draw_tree
from tests.cli import plans
from tests.cli.conftest import Done, Window, run_process
from tests.cli.world import World, serve
from tests.helpers import wait_until
from tests.sources.logs import Writer, call, write

Run = Callable[..., Done]

EDITOR = "ed170000-1111-4222-8333-444455556666"
"""The session that edited a file of the shop."""

PRD = "docs/project_plans/PRDs/checkout-v1.md"
PLAN = "docs/project_plans/implementation_plans/checkout-v1.md"
PHASE_2 = ".claude/progress/checkout/phase-2-progress.md"
WEB = "https://github.com/me/shop/pull/42"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with serve() as world:
        write_editor(world.daemon.home, world.shop)
        wait_until(lambda: world.ask("sessions/list")["total"] == 2, "the session that edits")
        yield world


def write_editor(home: Path, root: Path) -> None:
    writer, place = Writer(1), {"cwd": str(root), "sessionId": EDITOR}
    edit = call("t1", "Edit", file_path=str(root / "src/till.py"), old_string="a", new_string="b")
    records = [
        writer.user("Mend the till", **place),
        writer.assistant(edit, id="e1", **place),
        writer.result("t1", **place),
    ]
    log = home / f".claude/projects/-editor/{EDITOR}.jsonl"
    log.parent.mkdir(parents=True)
    log.write_bytes(write(*records))


@pytest.fixture
def home(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The daemon's home in place of an empty one; the current folder is the shop."""
    return world.enter(monkeypatch)


@pytest.fixture
def linked(run: Run) -> Iterator[Callable[..., dict[str, Any]]]:
    """Make links that are deleted in the end; returns each as the daemon gave it."""
    made: list[str] = []

    def link(*arguments: str) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(run("link", *arguments, "--json").out)
        made.append(result["id"])
        return result

    yield link
    for id in made:
        run("unlink", id)


def links(run: Run, *arguments: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(run("links", *arguments, "--json").out)["items"]
    return items


def rows(done: Done) -> list[list[str]]:
    """The cells of a table. Its columns are apart by two spaces, and its cells have no two together."""
    return [re.split(" {2,}", line) for line in done.out.splitlines()[1:]]


# --- link ---


def test_a_link_between_entities(run: Run, world: World) -> None:
    done = run("link", "checkout", "refunds", "--type", "blocks", "--note", "money first")
    (link,) = links(run, "checkout", "--type", "blocks")
    assert done == Done(0, f"feature:checkout blocks feature:refunds (link {link['id']}).\n", "")
    assert (link["origin"], link["confidence"], link["note"]) == ("manual", 1.0, "money first")
    assert link["source"]["title"] == "Checkout" and link["target"]["title"] == "Refunds"
    assert world.ask("links/audit", id=link["id"])["link"] == link
    assert run("unlink", link["id"]).out == "Deleted: feature:checkout blocks feature:refunds.\n"


def test_json_is_the_link_as_the_daemon_gave_it(run: Run, world: World, linked: Callable[..., dict[str, Any]]) -> None:
    link = linked("checkout", "task:T2-002")
    assert link == world.ask("links/audit", id=link["id"])["link"]
    assert link["linkType"] == "related"
    web = linked("checkout", WEB)
    assert web in world.ask("externalLinks/list")["items"]


def test_a_parent_is_named_from_the_side_of_the_child(run: Run, linked: Callable[..., dict[str, Any]]) -> None:
    link = linked("refunds", "checkout", "--type", "parent")
    assert (link["source"]["title"], link["linkType"], link["target"]["title"]) == ("Checkout", "child", "Refunds")
    assert [row[2:4] for row in rows(run("links", "refunds", "--type", "parent"))] == [["parent", "feature:checkout"]]
    assert [link["id"]] == [row[0] for row in rows(run("links", "checkout", "--type", "child", "--with", "feature"))]
    assert run("links", "checkout", "--type", "parent").err == "No link of feature:checkout fits.\n"


@pytest.mark.parametrize(
    ("arguments", "label", "category"),
    [
        ((), "GitHub PR #42", "vcs"),
        (("--label", "The review"), "The review", "vcs"),
        (("--category", "ci", "--label", "Checks"), "Checks", "ci"),
    ],
)
def test_a_link_to_the_web(run: Run, arguments: tuple[str, ...], label: str, category: str) -> None:
    done = run("link", "task:T2-001", WEB, *arguments)
    task = f"task:{PHASE_2}#T2-001"
    assert done.out.startswith(f"{task} is linked to {WEB}: {label}, {category} (link ")
    shown = run("links", "T2-001").out
    web = shown.partition("On the web\n")[2].splitlines()
    assert web[0].split() == ["ID", "CATEGORY", "LABEL", "URL"]
    assert web[1].split()[1:] == [category, *label.split(), WEB]
    assert run("unlink", "T2-001", WEB).out == f"Deleted: {task} is linked to {WEB} ({label}).\n"
    assert "On the web" not in run("links", "T2-001").out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("checkout", "checkout"), 1, "target: is the source itself; a link needs two entities"),
        (
            ("checkout", "ftp://example.com"),
            1,
            "url: must begin with http://, https:// or mailto: (got ftp://example.com).",
        ),
        (("checkout", "https://"), 1, "url: names no host; write https://host/path"),
        (("checkout", "mailto:nobody"), 1, "url: names no mail address; write mailto:name@host"),
        (("checkout", f"{WEB} x"), 1, "url: has spaces or control characters"),
        (("checkout", WEB, "--type", "blocks"), 2, "--type and --note are for links between entities"),
        (
            ("checkout", "refunds", "--label", "x"),
            2,
            "--label and --category are for links to the web, and refunds is no URL.",
        ),
        (("checkout", "zzz"), 1, "Nothing is called 'zzz'."),
        (("feature:zzz", "checkout"), 1, "no feature 'zzz'. `ccdash features --everywhere --all` lists them."),
        (("checkout", "refunds", "--type", "likes"), 2, "--type: there is no 'likes'; there are related, child"),
        (("checkout", "file:/elsewhere/x.py"), 1, "no file '/elsewhere/x.py'; it lies in no project"),
    ],
)
def test_links_that_cannot_be_made(run: Run, arguments: tuple[str, ...], code: int, told: str) -> None:
    done = run("link", *arguments)
    assert (done.code, done.out) == (code, "")
    assert told in done.err and done.err.count("\n") == 1


def test_nothing_becomes_its_own_parent(run: Run) -> None:
    done = run("link", "phase:checkout/2", "checkout", "--type", "child")
    assert done.code == 1 and "would be a parent of itself: feature 'Checkout' → phase" in done.err


def test_a_long_note_is_refused(run: Run) -> None:
    done = run("link", "checkout", "refunds", "--note", "x" * 100_000)
    assert done.code == 1 and "note: has 100,000 bytes; at most 65,536" in done.err and len(done.err) < 400


# --- links ---


def test_links_are_listed_as_seen_from_the_entity(run: Run) -> None:
    done = run("links", "checkout")
    assert done.out.splitlines()[0].split() == ["ID", "LINK", "ENTITY", "TITLE", "STATUS", "SURE", "ORIGIN", "BY"]
    found = {row[3]: row[1:3] + row[4:] for row in rows(done)}
    assert found[f"phase:{PHASE_2}#phase-2"] == ["→", "child", "Phase 2: Payment", "in_progress", "100 %", "auto", "phase"]
    assert found[f"doc:{PRD}"][:4] == ["→", "child", "Checkout", "todo"]
    assert found["session:0c0ffee0"][:2] == ["←", "implements"] and found["session:0c0ffee0"][-1] == "command"
    assert done.err == ""


def test_links_are_filtered(run: Run) -> None:
    every = {link["id"] for link in links(run, "checkout")}
    out, back = ({link["id"] for link in links(run, "checkout", option)} for option in ("--out", "--in"))
    assert out and back and out | back == every and not out & back
    assert {link["source"]["type"] for link in links(run, "checkout", "--with", "session")} == {"session"}
    assert {link["target"]["type"] for link in links(run, "checkout", "--with", "doc")} == {"document"}
    assert {link["linkType"] for link in links(run, "checkout", "--type", "implements")} == {"implements"}
    sure = links(run, "checkout", "--min-confidence", "0.97")
    assert sure and all(link["confidence"] >= 0.97 for link in sure) and len(sure) < len(every)
    done = run("links", "checkout", "--limit", "2")
    assert len(done.out.splitlines()) == 3
    assert done.err == f"1-2 of {len(every)} links of feature:checkout; `--all` shows every one.\n"


def test_why_shows_evidence_with_its_places(run: Run, world: World, linked: Callable[..., dict[str, Any]]) -> None:
    log = world.daemon.home / f".claude/projects/-shop/{plans.SESSION}.jsonl"
    (link,) = links(run, "session:0c0ffee0", "--with", "feature", "--why")
    said, *evidence = run("links", "session:0c0ffee0", "--with", "feature", "--why").out.splitlines()
    assert said == f"session:0c0ffee0 implements feature:checkout ({round(100 * link['confidence'])} %, link {link['id']})"
    assert evidence[:2] == [f"    command 96 %: /execute-phase 2 {PRD}", f"        {log} (byte 0)"]
    assert [piece["signal"] for piece in link["evidence"]] == ["command"]
    text = run("links", f"doc:{PLAN}", "--with", "doc", "--why").out
    assert f"        {PLAN}:6\n" in text, "the line of the frontmatter"
    linked("checkout", "refunds", "--note", "they go together")
    text = run("links", "refunds", "--why").out
    assert "feature:checkout is related to feature:refunds (100 %, link" in text
    assert re.search(r"\n    linked by you on [-\d]+ [:\d]+: they go together\n", text)


def test_links_of_nothing_are_refused(run: Run) -> None:
    assert run("links", "refunds", "--with", "commit") == Done(0, "", "No link of feature:refunds fits.\n")
    assert run("links", "commit:abc1234").err == "Nothing is linked with commit:abc1234.\n"
    done = run("links", "session:zzz")
    assert (done.code, done.err) == (
        1,
        "ccdash: no session 'zzz'; nothing is linked with it either. `ccdash sessions --all` lists them.\n",
    )
    assert "minConfidence: must be between 0 and 1 (got 3.0)" in run("links", "refunds", "--min-confidence", "3").err
    assert "one direction only" in run("links", "refunds", "--type", "child", "--in").err


def test_links_of_what_is_gone_are_shown(run: Run, world: World) -> None:
    plans.write(world.shop, {"docs/brief.md": "# Brief\n"})
    wait_until(lambda: run("doc", "docs/brief.md").code == 0, "the brief")
    link = json.loads(run("link", "doc:docs/brief.md", "checkout", "--json").out)
    whole = link["source"]["id"]
    (world.shop / "docs/brief.md").unlink()
    wait_until(lambda: run("doc", "docs/brief.md").code, "the end of the brief")
    (row,) = rows(run("links", "checkout", "--with", "doc", "--type", "related"))
    assert row[1:7] == ["←", "related", "doc:docs/brief.md", "-", "missing", "100 %"]
    assert [found["id"] for found in links(run, f"doc:{whole}")] == [link["id"]]
    assert [found["id"] for found in links(run, "doc:docs/brief.md")] == [link["id"]]
    assert (
        run("unlink", "doc:docs/brief.md", "checkout").out == "Deleted: doc:docs/brief.md is related to feature:checkout.\n"
    )


# --- unlink ---


def test_a_link_that_was_found_is_dismissed_and_brought_back(run: Run) -> None:
    pair = ("session:0c0ffee0", "feature:checkout")
    (link,) = links(run, *pair[:1], "--with", "feature")
    said = "session:0c0ffee0 implements feature:checkout"
    done = run("unlink", *pair)
    assert done.out == f"Dismissed: {said}, found by command. `ccdash unlink {link['id']} --undo` brings it back.\n"
    assert links(run, *pair[:1], "--with", "feature") == []
    assert [row[7] for row in rows(run("links", *pair[:1], "--with", "feature", "--dismissed"))] == ["dismissed"]
    assert "(dismissed, link" in run("links", *pair[:1], "--with", "feature", "--dismissed", "--why").out
    names = "session:0c0ffee0 and feature:checkout"
    assert run("unlink", *pair).err == f"ccdash: The link of {names} is dismissed already.\n"
    assert run("unlink", link["id"]).out == f"Dismissed already: {said}.\n"
    assert run("unlink", *pair, "--undo").out == f"Brought back: {said}.\n"
    assert links(run, *pair[:1], "--with", "feature") == [link]
    assert run("unlink", *pair, "--undo").err == f"ccdash: No link of {names} is dismissed.\n"
    assert run("unlink", link["id"], "--undo").code == 2
    done = run("unlink", link["id"], "--json")
    assert json.loads(done.out) == {"deleted": [], "dismissed": [link | {"dismissed": True}], "restored": []}
    done = run("unlink", link["id"], "--undo", "--json")
    assert json.loads(done.out) == {"deleted": [], "dismissed": [], "restored": [link]}


def test_a_link_that_was_both_found_and_made_is_deleted_and_dismissed(run: Run) -> None:
    pair = ("session:0c0ffee0", "feature:checkout")
    made = json.loads(run("link", *pair, "--type", "implements", "--json").out)
    assert made["origin"] == "manual"
    deleted, dismissed = run("unlink", *pair).out.splitlines()
    assert deleted == "Deleted: session:0c0ffee0 implements feature:checkout."
    assert dismissed.startswith("Dismissed: session:0c0ffee0 implements feature:checkout, found by command.")
    assert links(run, *pair[:1], "--with", "feature") == []
    run("unlink", *pair, "--undo")
    assert [link["origin"] for link in links(run, *pair[:1], "--with", "feature")] == ["auto"]


def test_of_several_links_one_type_is_chosen(run: Run, linked: Callable[..., dict[str, Any]]) -> None:
    for type_ in ("related", "blocks", "child"):
        linked("checkout", "refunds", "--type", type_)
    assert run("unlink", "refunds", "checkout", "--type", "parent").out == (
        "Deleted: feature:checkout has the child feature:refunds.\n"
    )
    assert run("unlink", "refunds", "checkout", "--type", "child").err == (
        "ccdash: feature:refunds and feature:checkout are not linked as child.\n"
    )
    assert run("unlink", "checkout", "refunds", "--type", "blocks").out.count("\n") == 1
    assert run("unlink", "checkout", "refunds").out == "Deleted: feature:checkout is related to feature:refunds.\n"
    assert run("unlink", "checkout", "refunds").err == "ccdash: feature:checkout and feature:refunds are not linked.\n"


def test_what_a_session_did_to_a_file_cannot_be_unlinked(run: Run) -> None:
    file = ("session:ed17", "file:src/till.py")
    (row,) = rows(run("links", "file:src/till.py"))
    assert row == ["-", "←", "references", "session:ed170000", "Mend the till", "completed", "95 %", "auto", "edit"]
    done = run("unlink", *file)
    assert done.code == 2 and "what a session did to a file is told by its log, and cannot be unlinked" in done.err
    assert run("link", *file, "--type", "related").code == 0
    assert run("unlink", *file).out == "Deleted: session:ed170000 is related to file:src/till.py.\n"


def test_links_that_are_not_there_cannot_be_unlinked(run: Run, linked: Callable[..., dict[str, Any]]) -> None:
    assert "There is no link 'zzz'. `ccdash links ENTITY` lists" in run("unlink", "zzz").err
    assert f"feature:checkout is not linked to {WEB}." in run("unlink", "checkout", WEB).err
    assert "name both of them" in run("unlink", "zzz", "--type", "blocks").err
    web = linked("checkout", WEB)
    assert "--undo brings back what was dismissed" in run("unlink", web["id"], "--undo").err
    assert json.loads(run("unlink", web["id"], "--json").out)["deleted"] == [web]


# --- tree ---

BELOW = f"""\
Checkout  in_progress  feature:checkout
├─ Phase 2: Payment  in_progress  phase:{PHASE_2}#phase-2
│  ├─ Take cards  done  task:{PHASE_2}#T2-001
│  ├─ Give change  todo  task:{PHASE_2}#T2-002
│  └─ Print receipts  blocked  task:{PHASE_2}#T2-003
└─ … 5 siblings
"""


def test_a_tree_has_parents_above_and_children_below(run: Run) -> None:
    assert run("tree", "phase:checkout/2") == Done(0, BELOW, "")
    answer = json.loads(run("tree", "phase:checkout/2", "--json").out)
    assert [len(answer["siblings"]), len(answer["node"]["children"])] == [5, 3]
    assert [parent["title"] for parent in answer["parents"]] == ["Checkout"]


def test_a_tree_is_cut_at_a_depth(run: Run) -> None:
    lines = run("tree", "checkout", "--depth", "1").out.splitlines()
    assert lines[:3] == ["Checkout  in_progress  feature:checkout", lines[1], "│  └─ … 1 more"]
    assert run("tree", "checkout", "--depth", "0").out.splitlines()[1:] == ["└─ … 6 more"]
    assert "depth: must be between 0 and 10" in run("tree", "checkout", "--depth", "11").err


def test_a_tree_is_ascii_where_the_encoding_lacks_lines(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    drawn = run_process("tree", "phase:checkout/2").out
    for line, plain in (("├─", "|-"), ("└─", "`-"), ("│", "|"), ("…", "...")):
        assert line in BELOW
        drawn = drawn.replace(plain, line)
    assert drawn == BELOW
    assert "<-" in run_process("links", "phase:checkout/2").out


def test_an_entity_alone_is_no_tree(run: Run) -> None:
    done = run("tree", "session:ed17")
    assert done.out == "Mend the till  completed  session:ed170000\n"
    assert done.err == "It has neither parents nor children.\n"


@pytest.mark.parametrize("cells", [30, 40, 60, 80, 200])
def test_a_tree_fits_the_window(world: World, cells: int) -> None:
    (feature,) = (row["id"] for row in world.ask("features/list")["items"] if row["slug"] == "checkout")
    tree = world.ask("links/tree", type="feature", id=feature)
    out = Window(cells)
    draw_tree(out, tree, lambda node: f"{node['type']}:{node['id']}")
    assert all(len(line) <= cells for line in out.text)
    assert out.text[0].startswith("Checkout  in_progress")
    assert any("#T2-001" in line for line in out.text) == (cells >= 60), "the end of a name is shown where there is room"
