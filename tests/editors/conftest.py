"""The world that editors look at, and editors that are closed after each test.

Each test of an editor runs in the one on the path, and in those that ``CCDASH_TEST_NVIM`` and ``CCDASH_TEST_EMACS`` name,
with colons between.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.editors.emacs import Emacs, has_packages
from tests.editors.neovim import Neovim
from tests.editors.world import World, serve

PAGE = Path(__file__).parents[2] / "docs/editors.md"
SETUP = 'require("ccdash").setup()'
Start = Callable[..., Neovim]


def binaries(name: str, variable: str) -> list[Any]:
    """Each editor to test with, as parameters of a fixture; None where there is none."""
    named = [path for path in os.environ.get(variable, "").split(":") if path]
    found = [path for each in (name, *named) if (path := shutil.which(each))]
    return [pytest.param(path, id=Path(path).name) for path in found] or [pytest.param(None, id="missing")]


def snippets(language: str) -> list[str]:
    """The blocks of a language on the page of editors."""
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return found


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """The shop and its daemon, which tests leave as they are."""
    with serve() as world:
        yield world


@pytest.fixture(params=binaries("nvim", "CCDASH_TEST_NVIM"))
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
    troubles = [neovim.trouble() for neovim in running]
    for neovim in running:
        neovim.close()
    assert not any(troubles), troubles


@pytest.fixture(scope="session", params=binaries("emacs", "CCDASH_TEST_EMACS"))
def emacs(request: pytest.FixtureRequest, world: World) -> Emacs:
    """Emacs with the init file of the page."""
    if request.param is None or not has_packages(request.param):
        pytest.skip("there is no Emacs with eglot: install the packages emacs-nox, elpa-eglot and elpa-markdown-mode")
    (init,) = snippets("elisp")
    return Emacs(request.param, world.folder, world.environ, init)
