"""Results for other programs: JSON, CSV and Parquet hold the same values, and a file is written whole."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdash.analytics_records import breakdown_records, column, trend_records
from ccdash.export import FORMULA, Field, Records, Value, replace, to_csv, to_parquet
from tests.cli.conftest import Done
from tests.cli.daemon import FakeDaemon

Run = Callable[..., Done]
FIELDS = (
    Field("name"), Field("tokens", "integer"), Field("share", "number"), Field("cost_usd", "money"), Field("start", "time"),
    Field("active", "boolean"),
)  # fmt: skip
STAMPS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)).map(
    lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
)
MONEY = st.integers(0, 10**15).map(lambda micro: micro / 10**6)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ROWS = st.lists(
    st.tuples(
        st.none() | TEXT, st.none() | st.integers(0, 2**62), st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | MONEY, st.none() | STAMPS, st.none() | st.booleans(),
    ),
    max_size=8,
)  # fmt: skip
METRICS = [
    {"id": "cost", "unit": "usd", "aggregation": "sum"},
    {"id": "tokens", "unit": "tokens", "aggregation": "sum"},
    {"id": "cacheHitShare", "unit": "share", "aggregation": "ratio"},
]


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def from_csv(kind: str, text: str) -> Any:
    """The value of a cell, as CSV tells it: nothing and the empty text are the same there."""
    if text == "":
        return None
    if kind == "integer":
        return int(text)
    if kind == "number":
        return float(text)
    if kind == "money":
        return Decimal(text)
    if kind == "time":
        return datetime.fromisoformat(text)
    if kind == "boolean":
        return text == "true"
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


@given(ROWS)
@settings(deadline=None)  # the first one imports pyarrow
def test_every_form_holds_the_same_values(rows: list[tuple[Value, ...]]) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    records = Records(FIELDS, rows)
    table = parquet.read_table(io.BytesIO(to_parquet(records))).to_pylist()
    in_csv = read_csv(to_csv(records))
    assert len(table) == len(in_csv) == len(rows)
    for row, of_parquet, of_csv in zip(rows, table, in_csv, strict=True):
        for field, value in zip(FIELDS, row, strict=True):
            wanted: Any = value
            if value is not None and field.kind == "money":
                wanted = Decimal(f"{value:.6f}")
            elif isinstance(value, str) and field.kind == "time":
                wanted = datetime.fromisoformat(value)
            assert of_parquet[field.name] == wanted
            assert from_csv(field.kind, of_csv[field.name]) == (wanted if wanted != "" else None)


def test_parquet_has_types() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    schema = parquet.read_table(io.BytesIO(to_parquet(Records(FIELDS, [])))).schema
    assert schema.types == [
        pyarrow.string(), pyarrow.int64(), pyarrow.float64(), pyarrow.decimal128(18, 6), pyarrow.timestamp("ms", tz="UTC"),
        pyarrow.bool_(),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert read_csv(to_csv(Records([Field("title")], [[text]])))[0]["title"] == f"'{text}"


def test_numbers_are_no_formulas() -> None:
    records = Records([Field("n", "integer"), Field("usd", "money"), Field("share", "number")], [[-5, -0.5, -1e-07]])
    assert to_csv(records) == "n,usd,share\n-5,-0.500000,-1e-07\n"


@pytest.mark.parametrize(
    ("identifier", "unit", "name"),
    [("cost", "usd", "cost_usd"), ("cacheHitShare", "share", "cache_hit_share"), ("tokens", "tokens", "tokens")],
)
def test_columns_are_called_by_metric_and_unit(identifier: str, unit: str, name: str) -> None:
    assert column({"id": identifier, "unit": unit}) == name


def told(cost: float, tokens: int | None) -> dict[str, Any]:
    sure = {"usd": cost, "provenance": "lower_bound", "unpricedModels": ["x-1", "x-2"]}
    return {"values": {"cost": cost, "tokens": tokens, "cacheHitShare": 0.5}, "cost": sure}


def test_a_trend_is_a_row_a_point_and_one_for_what_has_no_time() -> None:
    points = [{"start": f"2026-03-0{day}T00:00:00.000Z", "label": f"2026-03-0{day}", **told(day, day)} for day in (1, 2)]
    trend = {"series": [{"key": "m", "label": "M", "points": points}], "undated": told(0.25, None)}
    whole = trend_records(trend, METRICS, None)
    assert [field.name for field in whole.fields] == [
        "start", "label", "cost_usd", "tokens", "cache_hit_share", "cost_provenance", "unpriced_models",
    ]  # fmt: skip
    assert whole.rows[1] == ["2026-03-02T00:00:00.000Z", "2026-03-02", 2, 2, 0.5, "lower_bound", "x-1 x-2"]
    assert whole.rows[2][:4] == [None, "undated", 0.25, None]
    split = trend_records(trend, METRICS, "model")
    assert [field.name for field in split.fields[:4]] == ["start", "label", "model", "model_label"]
    assert [row[2:4] for row in split.rows] == [["m", "M"], ["m", "M"], [None, None]]


def test_a_breakdown_by_feature_tells_of_shared_sessions_and_may_be_broken() -> None:
    item = {"key": "s/f", "label": "F", "share": 0.5, "sessions": 3, "shared": 1, "previous": {"cost": 2.0}, **told(1.5, 7)}
    found = breakdown_records({"by": "feature", "items": [item]}, METRICS, compare=True)
    row = dict(zip((field.name for field in found.fields), found.rows[0], strict=True))
    assert (row["sessions_linked"], row["sessions_shared"]) == (3, 1)
    assert (row["previous_cost_usd"], row["previous_tokens"]) == (2.0, None)
    kinds = {field.name: field.kind for field in found.fields}
    assert (kinds["tokens"], kinds["previous_tokens"], kinds["cost_usd"]) == ("number", "number", "money")


def test_a_file_is_replaced_whole_and_a_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "real.csv", tmp_path / "link.csv"
    target.write_text("old")
    link.symlink_to(target)
    replace(link, b"new")
    assert target.read_text() == "new" and link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.csv", "real.csv"]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as raised:
        replace(tmp_path / "nowhere" / "x.csv", b"")
    assert raised.value.filename == str(tmp_path / "nowhere" / "x.csv")


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        replace(pipe, b"rows")
        assert reader.stdout is not None and reader.stdout.read() == b"rows"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--json", "--csv"), "--json and --csv are two forms of the same: give one of them."),
        (("--csv", "--parquet", "x"), "--csv and --parquet are two forms of the same: give one of them."),
        (("--parquet", "x", "--output", "y"), "--parquet names its file itself: leave out --output."),
        (("--output", "x.txt"), "--output needs --json or --csv, or a FILE that ends in .json, .csv or .parquet."),
    ],
)
def test_forms_that_contradict_each_other_are_told(
    run: Run, fake: FakeDaemon, arguments: tuple[str, ...], text: str
) -> None:
    assert run("cost", *arguments) == Done(2, "", f"ccdash: {text}\n")
    assert not fake.methods()


def test_the_ending_of_a_file_names_its_form(run: Run, fake: FakeDaemon, tmp_path: Path) -> None:
    answer = json.loads(run("models", "--json").out)
    assert run("models", "--output", str(tmp_path / "x.json")).err == f"Wrote the result to {tmp_path}/x.json.\n"
    assert json.loads((tmp_path / "x.json").read_text()) == answer
    text = run("models", "--csv").out
    assert run("models", "--output", str(tmp_path / "x.CSV")).err == f"Wrote 2 rows to {tmp_path}/x.CSV.\n"
    assert (tmp_path / "x.CSV").read_text() == text
    assert run("models", "--csv", "--output", str(tmp_path / "rows")).code == 0
    assert (tmp_path / "rows").read_text() == text


def test_parquet_is_an_extra(run: Run, fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccdash.export.find_spec", lambda name: None)
    done = run("cost", "--parquet", "x.parquet")
    assert done.code == 1
    assert done.err.endswith("pyarrow, which is not installed. Run: pip install 'ccdash[parquet]'\n")
    assert not fake.methods()


def test_csv_is_utf_8_wherever_it_goes(fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.answers["analytics/breakdown"]["items"][0]["label"] = "日本"
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = subprocess.run([sys.executable, "-m", "ccdash", "models", "--csv"], capture_output=True, check=True)
    assert "日本" in done.stdout.decode()
