"""Roll-ups of real logs, against figures that were counted independently; see `tests/sources/test_truth.py`.

Each log is taken alone, so that all that it tells counts. Usage that is known from mirrors only belongs to logs of
sub-agents and is no part of the truth about this one; it is summed up apart.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ccdashd.derive.pricing import Prices
from ccdashd.ingest.parse import read_log
from ccdashd.settings import ModelPrice
from ccdashd.store import rollups, rows
from ccdashd.store.connection import raw_connection
from tests.store.plans import cache

pytestmark = pytest.mark.corpus

CORPUS = os.environ.get("CCDASH_CORPUS")

USED = """
SELECT COALESCE(SUM(messages), 0), COALESCE(SUM(input), 0), COALESCE(SUM(output), 0), COALESCE(SUM(cache_read), 0),
       COALESCE(SUM(cache_write), 0) FROM usage_slots WHERE NOT mirror
"""


def figures(connection: sa.Connection) -> dict[str, Any]:
    """The truth's figures, from roll-ups alone."""
    raw = raw_connection(connection)
    messages, *tokens = raw.execute(USED).fetchone()
    (prompts, errors) = (
        raw.execute(f"SELECT COALESCE(SUM({column}), 0) FROM {table}").fetchone()[0]
        for column, table in (("prompts", "activity_slots"), ("errors", "tool_slots"))
    )
    return {
        "assistant_messages": messages,
        "tokens": dict(zip(("input", "output", "cache_read", "cache_creation"), tokens, strict=True)),
        "models": dict(
            raw.execute("SELECT model, SUM(messages) FROM usage_slots WHERE NOT mirror GROUP BY model").fetchall()
        ),
        "tool_calls": dict(raw.execute("SELECT tool, SUM(calls) FROM tool_slots GROUP BY tool").fetchall()),
        "tool_errors": errors,
        "prompts": prompts,
    }


@pytest.mark.skipif(not CORPUS, reason="CCDASH_CORPUS names no folder of real logs")
def test_genuine_logs(tmp_path: Path) -> None:
    sessions = Path(CORPUS or "") / "sessions"
    truth = json.loads((sessions / "truth.json").read_text(encoding="utf-8"))["files"]
    with (sessions / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file, delimiter="\t"))
    genuine = [row["path"] for row in listed if row["agent"].startswith("claude") and row["genuine"].startswith("genuine")]
    prices = Prices({"claude-opus-4-5": ModelPrice(input=5, output=25)})
    wrong = []
    alone = tmp_path / "log.jsonl"
    with cache() as connection:
        for path in genuine:
            # Under a name that says nothing, as the truth was counted.
            alone.unlink(missing_ok=True)
            alone.symlink_to(sessions / path)
            stored = rows.store(connection, read_log(str(alone), 4096))
            rollups.roll_up(connection, prices, stored.file_id)
            for name, value in figures(connection).items():
                expected = [truth[path][reading][name] for reading in ("strict", "lenient") if reading in truth[path]]
                if value not in expected:
                    wrong.append(f"{path}: {name} is {value!r}, expected {expected!r}")
            rows.forget(connection, stored.file_id)
    assert genuine
    assert wrong == []
