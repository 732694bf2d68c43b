"""Entities by what users call them, and what they are called in print."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ccdash.context import Context
from ccdash.entities import Entity, Finder
from ccdash.errors import Error, NotThere, RpcError, UsageError
from ccdash.output import Output
from tests.cli import plans
from tests.cli.world import World, serve
from tests.helpers import wait_until

OTHER = "0c0ffee1-1111-4222-8333-444455556666"
NOTES = "docs/project_plans/reports/notes.md"
PHASE_1 = ".claude/progress/checkout/phase-1-progress.md"
PHASE_2 = ".claude/progress/checkout/phase-2-progress.md"
LOADING = ".claude/progress/loading/phase-1-progress.md"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Both projects, with a session of each, and a file in the shop that is no planning file."""
    with serve() as world:
        (world.shop / "src").mkdir()
        (world.shop / "src/till.py").touch()
        plans.write_session(world.daemon.home, world.depot, OTHER)
        wait_until(lambda: world.ask("sessions/list")["total"] == 2, "the session of the depot")
        yield world


@pytest.fixture
def here(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Commands talk to the daemon, from the folder of the shop."""
    world.enter(monkeypatch)
    return world


@pytest.fixture
def shop(here: World) -> str:
    return project(here, "shop")


@pytest.fixture
def depot(here: World) -> str:
    return project(here, "depot")


def project(world: World, name: str) -> str:
    (found,) = [row["id"] for row in world.ask("projects/list")["items"] if row["root"].endswith(name)]
    return str(found)


@contextmanager
def finding(within: str | None = None) -> Iterator[Finder]:
    context = Context(argparse.Namespace(profile=None, project=within), Output())
    with context.connect(autostart=False) as client:
        yield Finder(context, client)


def find(text: str, within: str | None = None, *, gone: bool = False) -> Entity:
    with finding(within) as finder:
        return finder.find(text, gone=gone)


@pytest.mark.parametrize(
    ("text", "type_", "id"),
    [
        ("feature:checkout", "feature", "{shop}/checkout"),
        ("feature:Checkout-v1", "feature", "{shop}/checkout"),
        ("feature:{shop}/checkout", "feature", "{shop}/checkout"),
        ("feature:shop/checkout", "feature", "{shop}/checkout"),
        ("checkout", "feature", "{shop}/checkout"),
        ("feature:loading", "feature", "{depot}/loading"),
        ("loading", "feature", "{depot}/loading"),
        ("depot/loading", "feature", "{depot}/loading"),
        ("session:0c0ffee0", "session", plans.SESSION),
        ("0c0ffee1-1111", "session", OTHER),
        (f"session:{OTHER}", "session", OTHER),
        ("task:T2-002", "task", f"{{shop}}/{PHASE_2}#T2-002"),
        ("T1-001", "task", f"{{shop}}/{PHASE_1}#T1-001"),
        ("task:checkout/phase-1-progress.md#T1-001", "task", f"{{shop}}/{PHASE_1}#T1-001"),
        (f"{PHASE_1}#T1-001", "task", f"{{shop}}/{PHASE_1}#T1-001"),
        (f"task:depot/{LOADING}#T1-001", "task", f"{{depot}}/{LOADING}#T1-001"),
        ("doc:notes.md", "document", f"{{shop}}/{NOTES}"),
        ("document:reports/notes.md", "document", f"{{shop}}/{NOTES}"),
        (NOTES, "document", f"{{shop}}/{NOTES}"),
        (f"../depot/{LOADING}", "document", f"{{depot}}/{LOADING}"),
        ("phase:checkout/2", "phase", f"{{shop}}/{PHASE_2}#phase-2"),
        (f"phase:{PHASE_2}#phase-2", "phase", f"{{shop}}/{PHASE_2}#phase-2"),
        ("checkout/phase-2-progress.md#phase-2", "phase", f"{{shop}}/{PHASE_2}#phase-2"),
        ("file:src/till.py", "file", "{root}/src/till.py"),
        ("file:src/../gone.py", "file", "{root}/gone.py"),
        (f"file:{NOTES}", "file", f"{{root}}/{NOTES}"),
        ("src/till.py", "file", "{root}/src/till.py"),
        ("commit:ABC1234", "commit", "{shop}/abc1234"),
        ("commit:abc12345678", "commit", "{shop}/abc1234"),
        ("commit:depot/abc1234", "commit", "{depot}/abc1234"),
        ("project:depot", "project", "{depot}"),
        ("project:../depot/docs", "project", "{depot}"),
        ("project:.", "project", "{shop}"),
        ("Shop", "project", "{shop}"),
        ("{depot}", "project", "{depot}"),
    ],
)
def test_an_entity_has_many_names(here: World, shop: str, depot: str, text: str, type_: str, id: str) -> None:
    names = {"shop": shop, "depot": depot, "root": str(here.shop)}
    assert find(text.format(**names)) == Entity(type_, id.format(**names))


@pytest.mark.parametrize("folder", ["/", "shop", "depot"])
def test_what_is_printed_can_be_typed(here: World, shop: str, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    texts = (
        "checkout",
        "0c0ffee0",
        "task:T2-002",
        "phase:checkout/1",
        "doc:notes.md",
        "src/till.py",
        "Shop",
        "commit:abc1234",
    )
    entities = [find(text) for text in texts]
    monkeypatch.chdir(here.shop.parent / folder)
    with finding() as finder:
        names = [finder.name(entity) for entity in entities]
        assert [finder.find(name) for name in names] == entities
    at_home = folder == "shop"
    assert names[0] == ("feature:checkout" if at_home else f"feature:{shop}/checkout")
    assert names[1] == "session:0c0ffee0"
    assert names[4] == (f"doc:{NOTES}" if at_home else f"doc:{shop}/{NOTES}")
    assert (
        names[5]
        == {
            "/": f"file:{str(here.shop)[1:]}/src/till.py",
            "shop": "file:src/till.py",
            "depot": f"file:{here.shop}/src/till.py",
        }[folder]
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "nothing",
            "Nothing is called 'nothing'. `ccdash features`, .* list what there is. A file",
        ),
        ("check", "Nothing is called 'check'. .* Did you mean checkout?"),
        ("feature:chekout", "There is no feature 'chekout'; did you mean checkout?"),
        ("feature:zzz", "no feature 'zzz'; see features/list"),
        ("session:zzz", "no session 'zzz'; see sessions/list"),
        ("task:zzz", "no task 'zzz'; see tasks/list"),
        ("doc:zzz.md", "no document 'zzz.md'; see documents/list"),
        ("phase:checkout/9", "checkout has no phase '9'. Its phases: 1, 2."),
        ("phase:zzz/1", "no feature 'zzz'"),
        (f"phase:{PHASE_1}#phase-2", "There is no phase"),
        ("commit:abc123", "'abc123' is no commit. Write at least 7 of its hexadecimal digits."),
        ("commit:zzz/abc1234", "There is no project 'zzz'. `ccdash projects` lists them."),
        ("project:zzz", "There is no project 'zzz'. `ccdash projects` lists them."),
        ("project:/", "/ is in no project."),
        ("feature:", "feature: names no feature. Write its id after the colon."),
        ("", "Nothing is called ''."),
        ("ffff", "Nothing is called 'ffff'."),
        ("0c0", "Nothing is called '0c0'."),
        ("deadbee", "Nothing is called 'deadbee'."),
        ("session:0c0ffee", "'session:0c0ffee' may mean session:0c0ffee., session:0c0ffee.. Write which one."),
        ("0c0ffee", "'0c0ffee' may mean session:0c0ffee., session:0c0ffee.. Write which one."),
    ],
)
def test_a_name_of_nothing_or_of_several_is_refused(here: World, text: str, told: str) -> None:
    with pytest.raises(Error, match=told):
        find(text)


def test_what_several_projects_have_is_told_apart(
    here: World, shop: str, depot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    with pytest.raises(UsageError) as caught:
        find("task:T1-001")
    both = f"task:{depot}/{LOADING}#T1-001, task:{shop}/{PHASE_1}#T1-001"
    assert str(caught.value) == f"'task:T1-001' may mean {both}. Write which one."
    assert find("task:T1-001", "depot") == Entity("task", f"{depot}/{LOADING}#T1-001")
    with pytest.raises(RpcError, match="no feature 'checkout'"):
        find("feature:checkout", "depot")


def test_things_of_one_name_but_of_several_types_are_told_apart(here: World, depot: str) -> None:
    here.ask("projects/update", id=depot, name="Loading")
    try:
        with pytest.raises(UsageError) as caught:
            find("loading")
        assert str(caught.value) == f"'loading' may mean feature:{depot}/loading, project:{depot}. Write which one."
        assert find("feature:loading").type == "feature"
    finally:
        here.ask("projects/update", id=depot, name="")


def test_more_than_some_are_not_named(here: World, depot: str) -> None:
    plans.write(here.depot, {f"docs/notes/{number}/same.md": "# Same\n" for number in range(7)})
    params = {"path": "docs/notes", "project": depot}
    wait_until(lambda: here.ask("documents/list", **params)["total"] == 7, "the notes")
    with pytest.raises(UsageError, match=rf"may mean (doc:{depot}/docs/notes/\d/same.md, ){{5}}…\. Write which one"):
        find("same.md")


def test_a_commit_is_of_the_project_where_it_is_linked(
    here: World, shop: str, depot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    with pytest.raises(UsageError, match="Of which project is the commit"):
        find("commit:abc1234")
    made = here.ask(
        "links/create",
        source={"type": "commit", "id": f"{depot}/abc1234"},
        target={"type": "feature", "id": f"{depot}/loading"},
    )
    assert find("commit:abc1234") == find("abc1234") == Entity("commit", f"{depot}/abc1234")
    here.ask("links/delete", id=made["id"])


def test_what_is_gone_is_named_by_its_whole_id(here: World, shop: str) -> None:
    assert find(f"doc:{shop}/docs/gone.md", gone=True) == Entity("document", f"{shop}/docs/gone.md")
    assert find("session:zzz", gone=True) == Entity("session", "zzz")
    assert find("doc:docs/gone.md", gone=True) == Entity("document", f"{shop}/docs/gone.md")
    assert find("phase:docs/gone.md#phase-1", gone=True) == Entity("phase", f"{shop}/docs/gone.md#phase-1")
    with pytest.raises(NotThere, match="did you mean checkout"):
        find("feature:chekout", gone=True)
    with pytest.raises(NotThere, match="Nothing is called"):
        find(f"{shop}/docs/gone.md", gone=True)


def test_names_of_others_are_cleaned(here: World, tmp_path: Path) -> None:
    with finding() as finder:
        assert finder.name(Entity("feature", "p/a\x1b[2Jb")) == "feature:p/ab"
        assert finder.name(Entity("file", f"{tmp_path}/a\x1b]0;x\x07b")) == f"file:{tmp_path}/ab"
    with pytest.raises(NotThere, match="Nothing is called 'ab'"):
        find("a\x1b[2Jb")
