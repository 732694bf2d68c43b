"""A transcript as a page, in a real browser: it is the page that was meant, and nothing runs in it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rpc.conftest import Served
from tests.rpc.render_world import Page, World, rendered

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
INTRUDERS = """<script>document.title = "ran"</script><img src="x" onerror="document.title = 'ran'">
<a href="javascript:document.title = 'ran'">x</a><svg onload="document.title = 'ran'"></svg>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: install the package chromium")


def seen(page: str, folder: Path) -> Page:
    """What a browser makes of a page, after its scripts, if any, have run."""
    file = folder / "page.html"
    file.write_text(page)
    # Chromium's own sandbox does not work as root, as in containers.
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=500")
    command = [str(CHROMIUM), *options, f"--user-data-dir={folder}/profile", "--dump-dom", file.as_uri()]
    return Page(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)


def test_nothing_runs_in_a_page(short_folder: Path, tmp_path: Path, serve: Callable[..., Served]) -> None:
    world = World(short_folder)
    with serve().client() as client:
        page = rendered(client, world, "html", subagents=True)[0]
    meant, shown = Page(page), seen(page, tmp_path)
    assert [tag for tag, _ in shown.elements] == [tag for tag, _ in meant.elements]
    assert shown.text.split() == meant.text.split()

    # Even what is not escaped does not run, since the page forbids it; without that it would.
    invaded = page.replace("<main>", f"<main>{INTRUDERS}")
    assert seen(invaded, tmp_path).title == meant.title
    assert seen(invaded.replace("Content-Security-Policy", "x"), tmp_path).title == "ran"
