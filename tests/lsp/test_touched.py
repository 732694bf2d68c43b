"""What is known of a file as a whole, and when that is something else than before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from ccdashd.lsp import touched as module
from ccdashd.lsp.touched import UNTOUCHED, Touched
from tests.rpc.blame_world import BlameWorld, blame_world


@pytest.fixture(scope="module")
def world() -> Iterator[BlameWorld]:
    with blame_world() as world:
        yield world


def known(world: BlameWorld, path: str) -> Touched:
    def read(connection: sa.Connection, revision: int) -> Touched:
        return world.served.app.touched.of(connection, revision, path)

    return world.served.do(lambda: world.served.app.database.read(read))


def state(world: BlameWorld, path: str) -> bytes:
    def read(connection: sa.Connection, revision: int) -> bytes:
        return world.served.app.touched.state(connection, revision, path)

    return world.served.do(lambda: world.served.app.database.read(read))


def test_it_is_looked_up_once_in_a_revision(world: BlameWorld) -> None:
    file, session = world.file(), world.session()
    file.written(session, 0, 3)
    world.save(file, session)
    first = known(world, file.path)
    assert known(world, file.path) is first
    session.say("Done.")
    world.logged(session)
    assert known(world, file.path) is not first


def test_few_files_are_remembered(world: BlameWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    file, session = world.file(), world.session()
    file.written(session, 0, 3)
    world.save(file, session)
    first = known(world, file.path)
    for name in ("a", "b"):
        assert known(world, f"/nowhere/{name}") == UNTOUCHED
    assert known(world, file.path) is not first


def test_the_state_is_another_one_where_more_is_shown(world: BlameWorld) -> None:
    file, session = world.file(), world.session()
    assert state(world, file.path) == b""
    session.prompt("Write it")
    file.written(session, 0, 3)
    world.save(file, session)
    written = state(world, file.path)
    assert written
    session.say("It is written.")
    world.logged(session)
    dearer = state(world, file.path)
    assert dearer != written, "the turn cost more"
    session.prompt("Something else")
    session.say("It is done.")
    world.logged(session)
    assert state(world, file.path) == dearer, "another turn has nothing to do with the file"
    reader = world.session()
    reader.call("Read", {}, file_path=file.path)
    world.logged(reader)
    assert state(world, file.path) != dearer


def test_what_changes_elsewhere_is_not_in_it(world: BlameWorld) -> None:
    one, other, session = world.file(), world.file(), world.session()
    one.written(session, 0, 3)
    world.save(one, session)
    before = state(world, one.path)
    another = world.session()
    other.written(another, 0, 3)
    world.save(other, another)
    assert state(world, one.path) == before
    world.put(one.path, b"other text\n")
    assert state(world, one.path) == before, "editors ask anew when the text changes"
