"""A Neovim without a screen, driven over its own socket as a person would drive it by keys and commands.

Messages are msgpack, as https://neovim.io/doc/user/api.html says: a request is ``[0, id, method, params]``, its answer
``[1, id, error, result]``.
"""

from __future__ import annotations

import itertools
import os
import re
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.helpers import PATIENCE, wait_until

PLUGIN = Path(__file__).parents[2] / "clients/neovim"

RECORDER = """
-- Looking for a Python, for files of Python, takes seconds.
vim.g.loaded_python3_provider = 0
notes, asked, choice = {}, {}, nil
vim.notify = function(text, level) table.insert(notes, { text = text, level = level or 2 }) end
vim.ui.select = function(items, options, chosen)
  local texts = vim.tbl_map(options.format_item or tostring, items)
  table.insert(asked, { prompt = options.prompt, texts = texts })
  for place, text in ipairs(texts) do
    if choice and text:find(choice, 1, true) then
      choice = nil
      return chosen(items[place], place)
    end
  end
  chosen(nil, nil)
end
"""
"""Keeps what the user would be told and asked; of what is asked, what holds the text of `choice` is chosen, once."""


_numbers = itertools.count()


class NeovimError(Exception):
    """What Neovim says went wrong."""


class Neovim:
    """One Neovim: with the plugin on its path and no settings, or with the `settings` of the user alone.

    `folder` must be short for the socket below it.
    """

    def __init__(
        self, binary: str, folder: Path, environ: Mapping[str, str], *files: Path, cwd: Path, settings: bool = False
    ) -> None:
        self.socket_path = folder / f"n{next(_numbers)}"
        recorder = folder / "recorder.lua"
        recorder.write_text(RECORDER)
        plugin = [] if settings else ["--clean", "--cmd", f"set runtimepath^={PLUGIN}"]
        self.process = subprocess.Popen(
            [binary, "-n", "--headless", "--listen", self.socket_path, *plugin, "--cmd", f"luafile {recorder}", *files],
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._socket: socket.socket = wait_until(self._connected, "Neovim's socket")
        self._number = 0

    def _connected(self) -> socket.socket | None:
        if self.process.poll() is not None:
            raise AssertionError(f"Neovim ended with {self.process.returncode}: {self._said()}")
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        try:
            connection.connect(os.fspath(self.socket_path))
        except OSError:
            connection.close()
            return None
        return connection

    def _said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.read().decode(errors="replace")

    def request(self, method: str, *params: Any) -> Any:
        """Call a function of Neovim's API. Raises `NeovimError`."""
        self._number += 1
        self._socket.sendall(msgspec.msgpack.encode([0, self._number, method, params]))
        data = b""
        while True:
            data += self._socket.recv(1 << 20)
            try:
                # Numbers of buffers and windows are of types of their own.
                _, number, error, result = msgspec.msgpack.decode(data, ext_hook=lambda code, raw: raw[0])
            except msgspec.DecodeError:
                continue  # not all of it is there yet
            assert number == self._number
            if error is not None:
                raise NeovimError(error[1])
            return result

    def lua(self, code: str, *arguments: Any) -> Any:
        """What a chunk of Lua returns; its arguments are ``...``."""
        return self.request("nvim_exec_lua", code, arguments)

    def value(self, expression: str, *arguments: Any) -> Any:
        """The value of a Lua expression."""
        return self.lua(f"return {expression}", *arguments)

    def until(self, expression: str, *arguments: Any) -> Any:
        """Wait for the first true value of a Lua expression."""
        try:
            return wait_until(lambda: self.value(expression, *arguments), expression)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said {self.notes()}") from None

    def command(self, line: str) -> None:
        """Run a command of the command line."""
        self.request("nvim_command", line)

    def keys(self, typed: str) -> None:
        """Type; returns at once."""
        self.request("nvim_input", typed)

    def edit(self, path: Path) -> None:
        """Open a file in the current window."""
        self.command(f"edit {path}")

    def lines(self) -> list[str]:
        """The text of the current buffer."""
        found: list[str] = self.request("nvim_buf_get_lines", 0, 0, -1, True)
        return found

    def to(self, text: str) -> None:
        """Put the cursor on the first line that holds a text."""
        number = next(number for number, line in enumerate(self.lines(), 1) if text in line)
        self.request("nvim_win_set_cursor", 0, [number, 0])

    def screen(self) -> list[str]:
        """The rows of the screen."""
        code = """
        vim.cmd("redraw!")
        local rows = {}
        for row = 1, vim.o.lines do
          local cells = {}
          for column = 1, vim.o.columns do table.insert(cells, vim.fn.screenstring(row, column)) end
          table.insert(rows, (table.concat(cells):gsub("%s+$", "")))
        end
        return rows
        """
        found: list[str] = self.lua(code)
        return found

    def seen(self, *texts: str) -> str:
        """Wait until a row of the screen holds all these texts; returns it."""

        def found() -> str | None:
            return next((row for row in self.screen() if all(text in row for text in texts)), None)

        try:
            return str(wait_until(found, f"a row with {texts}"))
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *self.screen(), *self.notes()])) from None

    def floating(self) -> str:
        """Wait for a floating window; returns its text."""
        code = """
        for _, window in ipairs(vim.api.nvim_list_wins()) do
          if vim.api.nvim_win_get_config(window).relative ~= "" then
            local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, true)
            return table.concat(lines, "\\n")
          end
        end
        """
        return str(wait_until(lambda: self.lua(code), "a floating window"))

    def choose(self, text: str) -> None:
        """Choose the item that holds a text from what is offered next."""
        self.lua("choice = ...", text)

    def offered(self, prompt: str) -> list[str]:
        """Wait until something is offered under a prompt that holds a text; returns its items."""

        def found() -> list[str] | None:
            return next((list(call["texts"]) for call in self.value("asked") if prompt in call["prompt"]), None)

        try:
            return list(wait_until(found, f"an offer of {prompt!r}"))
        except AssertionError as error:
            raise AssertionError(f"{error}; it said {self.notes()}") from None

    def notes(self) -> list[str]:
        """What the user was told."""
        return [note["text"] for note in self.value("notes")]

    def note(self, text: str) -> str:
        """Wait until the user is told something that holds a text; returns all of it."""

        def found() -> str | None:
            return next((note for note in self.notes() if text in note), None)

        try:
            return str(wait_until(found, f"a note of {text!r}"))
        except AssertionError as error:
            raise AssertionError(f"{error}; it said {self.notes()}") from None

    def attached(self) -> None:
        """Wait until the current buffer belongs to an initialized client."""
        self.until("require('ccdash.client').current() ~= nil and #require('ccdash.compat').clients(0) > 0")

    def trouble(self) -> str:
        """What Neovim complains of where nobody asked, as of errors in callbacks; empty where all is well, or it ended."""
        if self.process.poll() is not None:
            return ""
        said = str(self.value("vim.fn.execute('messages')"))
        return said if re.search(r"\bE\d+:|[Ee]rror|stack traceback|deprecated", said) else ""

    def close(self) -> int:
        """End it as a person does; returns the exit code."""
        if self.process.poll() is None:
            try:
                self._socket.sendall(msgspec.msgpack.encode([2, "nvim_command", ["qall!"]]))
                self.process.wait(10)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
        self._socket.close()
        code = self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code
