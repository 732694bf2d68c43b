"""Projects over the wire: what is found on disk, and what the user decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ccdashd.ingest.projects import Roots
from tests.helpers import Client, Daemon, RpcError, wait_until


def test_a_repository_made_later_is_seen_after_forgetting(tmp_path: Path) -> None:
    roots = Roots()
    (tmp_path / "p/a").mkdir(parents=True)
    assert roots.root(str(tmp_path / "p/a")) == str(tmp_path / "p/a")
    (tmp_path / "p/.git").mkdir()
    assert roots.root(str(tmp_path / "p/a")) == str(tmp_path / "p/a")
    roots.forget()
    assert roots.root(str(tmp_path / "p/a")) == str(tmp_path / "p")


def test_a_submodule_is_a_project_of_its_own(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/.git").write_text("gitdir: ../.git/modules/inner\n")
    assert Roots().root(str(tmp_path / "inner/src")) == str(tmp_path / "inner")


def log(daemon: Daemon, session: int, cwd: Path) -> None:
    path = daemon.home / f".claude/projects/x/{session}0000000-0000-4000-8000-000000000000.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'{{"type":"user","uuid":"{session}0000001-0000-4000-8000-000000000000","cwd":"{cwd}",'
        '"timestamp":"2026-01-01T00:00:00.000Z","message":{"role":"user","content":"Hi"}}\n'
    )


def projects(client: Client, **params: bool) -> dict[str, dict[str, Any]]:
    return {project["name"]: project for project in client.request("projects/list", params)["items"]}


def test_projects_are_added_named_hidden_and_let_go(idle_daemon: Daemon) -> None:
    work = idle_daemon.home / "work"
    for number, name in enumerate(("one", "two/deep", "loose"), 1):
        (work / name).mkdir(parents=True)
        log(idle_daemon, number, work / name)
    for repository in ("one", "two"):
        (work / repository / ".git").mkdir()
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")
        client.request("ccdash/subscribe", {"topics": ["projects"]})
        assert projects(client).keys() == {"one", "two", "loose"}

        added = client.request("projects/add", {"root": f"{work}/", "name": " Work "})
        assert (added["name"], added["root"], added["origin"], added["sessions"]) == ("Work", str(work), "added", 1)
        deep = client.request("projects/add", {"root": str(work / "two/deep")})
        assert (deep["sessions"], projects(client).keys()) == (1, {"one", "Work", "deep"})
        changed = [client.notification("ccdash/changed")["changes"] for _ in range(2)]
        assert {change["op"] for changes in changed for change in changes if change["id"].startswith("two-")} == {"delete"}

        one = projects(client)["one"]
        client.request("projects/update", {"id": one["id"], "hidden": True, "name": "Eins"})
        assert projects(client).keys() == {"Work", "deep"}
        assert projects(client, includeHidden=True)["Eins"]["sessions"] == 1
        assert [row["projectName"] for row in client.request("sessions/list")["items"]] == ["Work", "deep"]
        listed = client.request("sessions/list", {"includeHidden": True})["items"]
        assert {row["projectName"] for row in listed} == {"deep", "Eins", "Work"}

        for project in (one, deep, added):
            client.request("projects/remove", {"id": project["id"]})
        assert projects(client).keys() == {"one", "two", "loose"}

        for root in ("relative", str(work / "no")):
            with pytest.raises(RpcError) as caught:
                client.request("projects/add", {"root": root})
            assert (caught.value.code, "root" in caught.value.message) == (-32602, True)
        with pytest.raises(RpcError) as missing:
            client.request("projects/remove", {"id": "nothing"})
        assert "nothing" in missing.value.message
