"""Text of others in what editors show, and the names of files that are made of it."""

from __future__ import annotations

from ccdashd.lsp import shown_files
from ccdashd.lsp.capabilities import Capabilities
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.page import Page
from ccdashd.lsp.text import uri_of
from ccdashd.protocol import lsp


def test_brackets_of_a_path_do_not_end_a_link() -> None:
    editor = Editor(lsp.InitializeParams(), send=lambda frame: None)
    assert editor.client == Capabilities(markdown=True)
    assert Page(editor).link("a", uri_of("/x/(a) b).md")) == "[a](file:///x/%28a%29%20b%29.md)"


def test_each_rendering_has_a_file_of_its_own() -> None:
    name = shown_files.file_name
    deep = "/".join(["folder"] * 30)
    names = [
        "0123-abc",
        "blame-/a/b_c",
        "blame-/a/b/c",
        f"blame-/{deep}/x",
        f"sessions-/{deep}/x",
        "é" * 300,
        "..",
        ".",
        "-x",
    ]
    made = [name(given) for given in names]
    assert made[0] == names[0]
    assert len(set(made)) == len(names)
    assert all(len(one.encode()) <= 100 and one[0] not in ".-" and "/" not in one for one in made[:6])
    assert all("/" not in one and one.strip(".") for one in made)
