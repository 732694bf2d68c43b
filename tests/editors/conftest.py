"""The world that editors look at, and editors that are closed after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.editors.neovim import Neovim, binaries
from tests.editors.world import World, serve

SETUP = 'require("ccdash").setup()'
Start = Callable[..., Neovim]


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """The shop and its daemon, which tests leave as they are."""
    with serve() as world:
        yield world


@pytest.fixture(params=binaries() or [None], ids=lambda path: Path(path).name if path else "missing")
def nvim(request: pytest.FixtureRequest) -> str:
    """The path of a Neovim."""
    if request.param is None:
        pytest.skip("there is no Neovim: install the package neovim")
    return str(request.param)


@pytest.fixture
def start(nvim: str, world: World) -> Iterator[Start]:
    """Starts a Neovim in the shop, with the plugin set up by `setup`, and waits until the last file is attached."""
    running: list[Neovim] = []

    def start(*files: Path, setup: str = SETUP, environ: dict[str, str] | None = None, **options: Any) -> Neovim:
        neovim = Neovim(nvim, world.folder, {**world.environ, **(environ or {})}, *files, cwd=world.shop, **options)
        running.append(neovim)
        neovim.lua(setup)
        if files and environ is None:
            neovim.attached()
        return neovim

    yield start
    for neovim in running:
        neovim.close()
