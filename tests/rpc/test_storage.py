"""``cache/storage``: it adds up to what is on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ccdashd.archive.copy import Copier
from tests.archive.world import lines
from tests.rpc.conftest import Served
from tests.rpc.test_retention import Shop


def on_disk(folder: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def test_parts_tables_and_projects_are_told(serve: Callable[..., Served]) -> None:
    served = serve(text_index="false", archive="false")
    shop = Shop(served)
    shop.session("First")
    shop.copy()
    stray = Path(served.folder, "stray.jsonl")
    stray.write_bytes(lines(50_000))
    with shop.archive.writing() as staging:
        copier = Copier(shop.archive, staging, lambda: "2026-01-01T00:00:00.000Z")
        copier.copy(str(stray))
        copier.settle()
    served.paths.backups.mkdir(parents=True)
    (served.paths.backups / "one").write_bytes(b"x" * 5000)
    with served.client() as client:
        client.request("cache/rescan")
        client.request("projects/add", {"root": str(shop.root), "name": "Shop"})
        result = client.request("cache/storage")
    parts = {part["name"]: part for part in result["parts"]}
    assert list(parts) == ["cache", "text", "archive", "journal", "backups", "logs"]
    assert result["total"] == sum(part["bytes"] for part in parts.values())
    assert parts["archive"]["bytes"] == on_disk(served.paths.archive) and parts["archive"]["files"] >= 4
    assert parts["backups"] == {
        "name": "backups",
        "bytes": on_disk(served.paths.backups),
        "files": 1,
        "rows": 0,
        "id": None,
    }
    assert parts["journal"]["files"] == 1 and parts["cache"]["files"] >= 1
    tables = {table["name"]: table for table in result["tables"]}
    assert tables["sessions"]["rows"] == 1 and tables["sessions"]["bytes"] >= 4096
    projects = {project["name"]: project for project in result["projects"]}
    assert projects["Shop"]["files"] == 1 and projects["Shop"]["id"].startswith("shop-")
    assert projects["(no project)"]["id"] is None
    held = [on_disk(served.paths.archive / name) for name in ("logs", "chunks")]
    assert sum(project["bytes"] for project in projects.values()) == sum(held)
    assert result["sources"] == sum(path.stat().st_size for path in shop.logs.rglob("*.jsonl"))
    assert result["reclaimable"] >= 0


@pytest.mark.parametrize("missing", ["archive", "text", "backups"])
def test_what_is_not_there_takes_nothing(serve: Callable[..., Served], missing: str) -> None:
    with serve(text_index="false", archive="false").client() as client:
        parts = {part["name"]: part["bytes"] for part in client.request("cache/storage")["parts"]}
    assert parts[missing] == 0
