"""What the archive holds of each log, and whose it is."""

from __future__ import annotations

import os
from pathlib import Path

from ccdashd.archive import holdings
from ccdashd.archive.holdings import Holdings
from tests.archive.world import Place, lines


def test_what_logs_share_is_divided_evenly_and_nothing_is_lost() -> None:
    held = Holdings(
        parts={"/a": frozenset({"x", "both"}), "/b": frozenset({"y", "both"}), "/c": frozenset({"both", "x"})},
        sizes={"x": 10, "y": 20, "both": 5, "unused": 100},
    )
    shares = holdings.divided(held, {"/a": "one", "/b": "two", "/c": "one"})
    assert sum(shares.values()) == 35
    assert shares["one"] in (12, 13) and shares["two"] in (22, 23)


def test_a_survey_tells_every_copy(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("a", lines(600_000))
    place.write("b", lines(600_000))
    place.copy("a", "b")
    found = holdings.survey(place.archive)
    assert found.parts.keys() == {place.log("a"), place.log("b")}
    shared = found.parts[place.log("a")] & found.parts[place.log("b")]
    assert shared == {path.stem for path in place.chunks}
    assert found.size(found.parts[place.log("a")] | found.parts[place.log("b")]) == place.archive.size()
    os.unlink(place.chunks[0])
    (lost,) = [part for part, size in holdings.survey(place.archive).sizes.items() if size == 0]
    assert lost in shared
