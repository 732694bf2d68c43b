"""Real logs of Claude Code, from a folder that is laid out as for the tests of the reader."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any


def install(corpus: Path, home: Path) -> dict[Path, dict[str, Any]]:
    """Copy every genuine log of a corpus to where it was, below another home folder; what is known of each copy.

    ``sessions/MANIFEST.tsv`` lists the logs and says where they were, ``sessions/truth.json`` tells their figures.
    """
    sessions = corpus / "sessions"
    known = json.loads((sessions / "truth.json").read_text(encoding="utf-8"))["files"]
    with (sessions / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["agent"].startswith("claude")]
    installed = {}
    for row in rows:
        if row["genuine"].startswith("genuine") and row["install_as"].endswith(".jsonl"):
            path = home / row["install_as"]
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(sessions / row["path"], path)
            installed[path] = known[row["path"]]
    return installed
