"""A room imports from those above it in the table of docs/architecture.md, and from no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def rows() -> list[list[str]]:
    """The paths of each row of the table, those of the daemon, from the top down."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    found = []
    for cell in re.findall(r"^\| (`ccdashd/.*?) \|", text, re.MULTILINE):
        first, *others = re.findall(r"`(.+?)`", cell)
        folder = first.rpartition("/")[0] if first.endswith(".py") else first.rstrip("/").rpartition("/")[0]
        found.append([first, *(other if other.startswith("ccdashd/") else f"{folder}/{other}" for other in others)])
    return found


ROWS = {path.removesuffix(".py"): number for number, row in enumerate(rows()) for path in row}


def room(module: str) -> int | None:
    """The row of a module, or of a name in it: the longest path that begins it."""
    place = module.replace(".", "/") + "/"
    fits = [path for path in ROWS if place.startswith(path.rstrip("/") + "/")]
    return ROWS[max(fits, key=len)] if fits else None


def imports(tree: ast.AST) -> Iterator[str]:
    """What is imported when the code runs, within functions too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        else:
            yield from imports(node)


def test_every_module_has_a_room() -> None:
    files = [path.relative_to(ROOT) for path in sorted((ROOT / "ccdashd").rglob("*.py"))]
    homeless = [str(path) for path in files if room(".".join(path.with_suffix("").parts)) is None]
    assert homeless == ["ccdashd/__init__.py", "ccdashd/__main__.py"]


def test_rooms_import_from_those_above() -> None:
    wrong = []
    for path in sorted((ROOT / "ccdashd").rglob("*.py")):
        own = room(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name in imports(ast.parse(path.read_text(encoding="utf-8"))):
            other = room(name) if name.startswith("ccdashd.") else None
            if own is not None and other is not None and other > own:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []
