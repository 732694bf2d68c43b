"""Frontmatter that is right, and the ways in which people's is broken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.sources.planning.frontmatter import MAX_BYTES, Frontmatter, read
from ccdashd.sources.planning.yaml import Value

CORPUS = os.environ.get("CCDASH_CORPUS")


def findings(found: Frontmatter) -> list[tuple[int, str]]:
    return [(finding.line, finding.code) for finding in found.findings]


@pytest.mark.parametrize(
    ("data", "yaml", "body", "body_line"),
    [
        (b"---\na: 1\n---\nText\n", b"a: 1\n", b"Text\n", 4),
        (b"---\na: 1\n...\nText", b"a: 1\n", b"Text", 4),
        (b"---  \na: 1\n---\t \nText\n", b"a: 1\n", b"Text\n", 4),
        (b"---\r\na: 1\r\n---\r\nText\r\n", b"a: 1\r\n", b"Text\r\n", 4),
        (b"\xef\xbb\xbf---\na: 1\n---\nText\n", b"a: 1\n", b"Text\n", 4),
        (b"---\na: 1\n---", b"a: 1\n", b"", 3),
        (b"---\na: 1\n----\n---\nText\n", b"a: 1\n----\n", b"Text\n", 5),
        (b"---\na: 1\n ---\n---\n", b"a: 1\n ---\n", b"", 5),
        (b"---\na: |\n  ---\n---\n---\n", b"a: |\n  ---\n", b"---\n", 5),
        (b"---\n---\nText\n", b"", b"Text\n", 3),
        (b"---\n# only a comment\n---\n", b"# only a comment\n", b"", 4),
    ],
)
def test_where_it_is(data: bytes, yaml: bytes, body: bytes, body_line: int) -> None:
    found = read(data)
    assert found.exists
    assert data[found.start : found.end] == yaml
    assert data[found.body_start :] == body
    assert found.body_line == body_line
    assert set(found.values) <= {"a"}


@pytest.mark.parametrize(
    ("data", "body_start"),
    [
        (b"", 0),
        (b"# Title\n", 0),
        (b"\xef\xbb\xbfText\n---\na: 1\n---\n", 3),
        (b"\n---\na: 1\n---\n", 0),
        (b" ---\na: 1\n---\n", 0),
        (b"----\na: 1\n----\n", 0),
        (b"--- # comment\na: 1\n---\n", 0),
        (b"---", 0),
        (b"---\n", 0),
        (b"---\n\nText below a rule: it never closes.\n", 0),
        (b"---\na: 1\n----\n", 0),
        (b"---\n\nText between\ntwo rules.\n\n---\n", 0),
        (b"---\n- a list\n- between rules: no keys\n---\n", 0),
        (b"---\n\n![badge]({{ url }}) and `code`: text\n\n---\n", 0),
    ],
)
def test_text_is_no_frontmatter(data: bytes, body_start: int) -> None:
    assert read(data) == Frontmatter(exists=False, body_start=body_start)


def test_places_are_lines_of_the_file() -> None:
    found = read(b"---\ntitle: x\ntasks:\n  - id: 1\n    status: todo\n---\n")
    lines = {(): 2, ("title",): 2, ("tasks",): 3, ("tasks", 0): 4, ("tasks", 0, "status"): 5}
    assert {path: found.line_of(path) for path in lines} == lines
    # Of what is not there, the line of what encloses it.
    assert found.line_of(("tasks", 0, "name")) == 4
    assert found.line_of(("other",)) == 2
    assert read(b"Text").line_of(("a",)) == 1


@pytest.mark.parametrize(
    ("data", "values", "codes"),
    [
        ("a: 1\nb: 2\na: 3\n", {"a": 3, "b": 2}, [(4, "duplicate-key")]),
        (b"a: x\nb: caf\xe9\n", {"a": "x", "b": "caf\ufffd"}, [(3, "not-utf8")]),
        ("a: x\nb: y\0z\n", {"a": "x", "b": "y\0z"}, [(3, "control-character")]),
        # UTF-8 that was once taken for Windows-1252 stays as it is.
        ("a: itâ€™s\n", {"a": "itâ€™s"}, []),
        ("a: x\u2028y: z\n", None, [(2, "unquoted-text")]),
    ],
)
def test_what_is_understood_and_wrong_all_the_same(
    data: str | bytes, values: dict[str, Value] | None, codes: list[tuple[int, str]]
) -> None:
    found = read(b"---\n" + (data if isinstance(data, bytes) else data.encode()) + b"---\n")
    assert findings(found) == codes
    assert values is None or (found.values == values and not found.recovered)


BROKEN = {
    "backtick": (
        "a:\n  - `make all` works\n  - plain\nb: 1\n",
        {"a": ["`make all` works", "plain"], "b": 1},
        [(3, "unquoted-text")],
    ),
    "backtick and comment": ("a: `x` # note\n", {"a": "`x`"}, [(2, "unquoted-text")]),
    "at sign": ("owner: @someone\nb: 1\n", {"owner": "@someone", "b": 1}, [(2, "unquoted-text")]),
    "at sign in a list": (
        'owners: [ann, @bob, "c"]\nb: 1\n',
        {"owners": ["ann", "@bob", "c"], "b": 1},
        [(2, "unquoted-text")],
    ),
    "template": ("badge: ![{{name}}](x)\nb: 1\n", {"badge": "![{{name}}](x)", "b": 1}, [(2, "unquoted-text")]),
    "link": ("- [text](url) more\n", None, []),
    "link of a key": ("a: [text](url) more\nb: 1\n", {"a": "[text](url) more", "b": 1}, [(2, "unquoted-text")]),
    "bold": ("a: **bold** text\n", {"a": "**bold** text"}, [(2, "unquoted-text")]),
    "glob": ("files:\n  - *.md\n  - x\n", {"files": ["*.md", "x"]}, [(3, "unquoted-text")]),
    "percent": ("a:\n- %done\n", {"a": ["%done"]}, [(3, "unquoted-text")]),
    "text behind a fold mark": ("a: > text\nb: 1\n", {"a": "> text", "b": 1}, [(2, "unquoted-text")]),
    "colon": (
        'a: Use it when: needed, e.g. user: "x"\nb: 1\n',
        {"a": 'Use it when: needed, e.g. user: "x"', "b": 1},
        [(2, "unquoted-text")],
    ),
    "colon in an item": ("a:\n- Use it: always: here\n- x\n", {"a": ["Use it: always: here", "x"]}, [(3, "unquoted-text")]),
    "colon below": (
        "a: text\n  that goes on: here\n  'n more\nb: 1\n",
        {"a": "text that goes on: here 'n more", "b": 1},
        [(3, "unquoted-text")],
    ),
    "text after a quote": ('a:\n- "Smart" by use\n- x\n', {"a": ['"Smart" by use', "x"]}, [(3, "text-after-quote")]),
    "two quoted words": ('a: "x" and "y"\n', {"a": '"x" and "y"'}, [(2, "text-after-quote")]),
    "quotes in quotes": ('a: "say "hi" now"\n', {"a": 'say "hi" now'}, [(2, "text-after-quote")]),
    "apostrophe": ("a: 'it's here'\nb: 1\n", {"a": "it's here", "b": 1}, [(2, "text-after-quote")]),
    "backslash": ('a: "C:\\path"\nb: 1\n', {"a": "C:\\path", "b": 1}, [(2, "text-after-quote")]),
    "unclosed": ('a: "never closed\nb: 1\n', {"a": "never closed", "b": 1}, [(2, "unclosed-quote")]),
    "unclosed, closed far below": ('a: "never\nb: "x"\nc: 1\n', {"a": "never", "b": "x", "c": 1}, [(2, "unclosed-quote")]),
    "unclosed list": ("a: [x, y\nb: 1\n", {"a": ["x", "y"], "b": 1}, [(2, "unclosed-bracket")]),
    "unclosed mapping": ("a: {x: 1\nb: 1\n", {"a": {"x": 1}, "b": 1}, [(2, "unclosed-bracket")]),
    "key in a list": (
        "run:\n  one:\n    - A\n    note: why\n  two:\n    - B\n    more:\n      - C\n    last: d\nb: 1\n",
        {"run": {"one": ["A"], "two": ["B"]}, "b": 1},
        [(5, "key-in-list"), (8, "key-in-list"), (10, "key-in-list")],
    ),
    "item among keys": ("a:\n  b: 1\n  - c: 2\n    d: 3\n  e: 4\n", {"a": {"b": 1, "e": 4}}, [(4, "unreadable-line")]),
    "tab": ("a:\n\tb: 1\n\tc: 2\n", {"a": {"b": 1, "c": 2}}, [(3, "tab-indentation"), (4, "tab-indentation")]),
    "tabs, deeper": (
        "t:\n\t- id: x\n\t  s: y\n",
        {"t": [{"id": "x", "s": "y"}]},
        [(3, "tab-indentation"), (4, "tab-indentation")],
    ),
    "tab in an empty line": ("a: 1\n\t\nb: 2\n", {"a": 1, "b": 2}, [(3, "tab-indentation")]),
    "no space after a colon": ("a: 1\nstatus:done\nb: 2\n", {"a": 1, "status": "done", "b": 2}, [(3, "missing-space")]),
    "no space in the first line": ("status:done\nb: 2\n", {"status": "done", "b": 2}, [(2, "missing-space")]),
    "no space after a dash": (
        "t:\n- id: x\n-id: y\n  s: z\n",
        {"t": [{"id": "x"}, {"id": "y", "s": "z"}]},
        [(4, "missing-space")],
    ),
    "one blank too few": (
        "t:\n- id: x\n  n: y\n s: z\n",
        {"t": [{"id": "x", "n": "y", "s": "z"}]},
        [(5, "bad-indentation")],
    ),
    "one blank too many": (
        "t:\n- id: x\n  n: y\n   s: z\n- id: w\n",
        {"t": [{"id": "x", "n": "y", "s": "z"}, {"id": "w"}]},
        [(5, "bad-indentation")],
    ),
    "text among keys": ("a: 1\nnot a key\nb: 2\n", {"a": 1, "b": 2}, [(3, "unreadable-line")]),
    "text before keys": ("not a key\nb: 2\nc: 3\n", {"b": 2, "c": 3}, [(2, "unreadable-line")]),
    "another document": ("a: 1\n--- x\nb: 2\n", {"a": 1, "b": 2}, [(3, "unreadable-line")]),
    "conflict": (
        "<<<<<<< ours\na: 1\n=======\na: 2\n>>>>>>> theirs\nb: 1\n",
        {"a": 2, "b": 1},
        [(2, "merge-conflict"), (4, "merge-conflict"), (5, "duplicate-key"), (6, "merge-conflict")],
    ),
    "several": (
        "a: `x`\nb: 1\nc: @y\nd:\n- [ ] box\n- 2\n",
        {"a": "`x`", "b": 1, "c": "@y", "d": ["[ ] box", 2]},
        [(2, "unquoted-text"), (4, "unquoted-text"), (6, "unquoted-text")],
    ),
}


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(("yaml", "values", "codes"), BROKEN.values(), ids=BROKEN)
def test_broken_yaml_is_repaired(
    yaml: str, values: dict[str, Value] | None, codes: list[tuple[int, str]], ending: str
) -> None:
    data = f"---\n{yaml}---\nBody\n".replace("\n", ending).encode()
    found = read(data)
    if values is None:
        assert not found.exists
        return
    assert found.values == values
    assert findings(found) == codes
    assert found.recovered
    assert data[found.body_start :].startswith(b"Body")
    assert all(finding.message and finding.hint for finding in found.findings)
    assert all(found.was_repaired(line) for line, code in codes if code != "duplicate-key")
    assert not found.was_repaired(found.body_line)


def test_a_hint_shows_what_to_write() -> None:
    (finding,) = read(b'---\na: `x` "y"\nb: 1\n---\n').findings
    assert finding.hint == "write: a: '`x` \"y\"'"
    assert finding.severity == "warning"
    (finding,) = read(b"---\na: 1\nno key\n---\n").findings
    assert finding.severity == "error"


def test_places_stay_right_after_repairs() -> None:
    found = read(b"---\na:\n- `x`\n- y\n key: in a list\nb:\n  c: 1\n---\n")
    assert found.recovered
    assert found.line_of(("a", 1)) == 4
    assert found.line_of(("b", "c")) == 7


def test_what_cannot_be_repaired_costs_what_follows_only() -> None:
    lines = "".join(f'k{n}: "x" y "z" {n}: [\n' for n in range(200))
    found = read(f"---\ntitle: x\n{lines}---\nBody\n".encode())
    assert found.values["title"] == "x"
    assert len(found.findings) <= 51
    assert found.findings[-1].message.startswith("this line is no YAML; left out, with the ")


def test_what_is_too_much_is_not_read() -> None:
    found = read(b"---\na: " + b"[" * 1000 + b"\n---\nBody")
    assert (found.exists, found.values, found.recovered, findings(found)) == (
        True,
        {},
        False,
        [(2, "unreadable-frontmatter")],
    )
    found = read(b"---\na: '" + b"x" * MAX_BYTES + b"'\n---\nBody")
    assert (found.exists, found.values, findings(found)) == (True, {}, [(1, "unreadable-frontmatter")])
    bomb = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9) if n else 'x'}]\n" for n in range(9))
    assert findings(read(f"---\na: `b`\n{bomb}---\n".encode()))[-1][1] == "unreadable-frontmatter"


pieces = st.lists(
    st.sampled_from([*"abé:-#'\"[]{},|>`@%?\\\0\x85\r\t ", "key", "&a", "*a", "!t", "<<: ", "<<<<<<< ", "..."])
    | st.sampled_from([": ", "- ", " #", "\n", "\n  ", "\n- ", "\r\n", "\n---\n"]),
    max_size=40,
).map("".join)


@given(st.binary(max_size=60) | pieces.map(str.encode), st.booleans())
def test_any_bytes_are_read(inner: bytes, closed: bool) -> None:
    data = b"---\n" + inner + (b"\n---\nBody" if closed else b"")
    found = read(data)
    msgspec.json.encode(found.values)
    assert 0 <= found.start <= found.end <= found.body_start <= len(data)
    assert data.count(b"\n", 0, found.body_start) + 1 == found.body_line
    last = data.count(b"\n", 0, found.end) + 1
    assert all(1 <= finding.line <= last for finding in found.findings)
    assert found.recovered == bool(found.repaired_lines)
    assert all(2 <= line <= last for line in found.repaired_lines)


@given(pieces, pieces)
def test_a_bad_line_is_reported_and_others_stay(one: str, other: str) -> None:
    bad = one.replace("\n", "").replace("\r", "")
    found = read(f"---\nfirst: 1\nx{bad}\nlast: 2\n{other}\n---\n".encode())
    if found.exists and found.yaml is not None and found.recovered:
        assert found.findings
        assert found.values.get("first") == 1


@pytest.fixture(scope="module")
def corpus() -> dict[str, bytes]:
    if CORPUS is None:
        pytest.skip("CCDASH_CORPUS is not set")
    root = Path(CORPUS) / "skillmeat"
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.md")) if path.is_file()}


@pytest.mark.corpus
def test_of_real_files_all_are_read_and_few_are_repaired(corpus: dict[str, bytes]) -> None:
    found = {path: read(data) for path, data in corpus.items()}
    repaired = {path: one for path, one in found.items() if one.recovered}
    assert {path.rpartition("/")[2]: findings(one)[0] for path, one in repaired.items()} == {
        "gemini-orchestrator.md": (3, "unquoted-text"),
        "phase-5-progress.md": (14, "key-in-list"),
        "all-phases-progress.md": (652, "key-in-list"),
        "similar-artifacts-v1.md": (81, "text-after-quote"),
        "marketplace-embedded-artifacts-v1.md": (2, "merge-conflict"),
        "phase-5-6-git-crypto.md": (35, "unquoted-text"),
        "phase-2-schema.md": (22, "unquoted-text"),
        "phase-3-4-core-repos.md": (16, "unquoted-text"),
        "phase-7-testing.md": (17, "unquoted-text"),
    }
    assert sum(len(tasks) for one in repaired.values() if isinstance(tasks := one.values.get("tasks"), list)) == 44
    assert {path for path, one in found.items() if one.findings} == set(repaired)


@pytest.mark.corpus
def test_real_files_read_as_by_another_reader(corpus: dict[str, bytes]) -> None:
    """Texts and structure are those that PyYAML's own loader of plain text gives."""
    read_by_both = 0
    for data in corpus.values():
        found = read(data)
        if found.exists and not found.recovered:
            expected = pyyaml.load(data[found.start : found.end].decode(), pyyaml.CBaseLoader)
            assert list(leaves(found.values)) == list(leaves(expected))
            read_by_both += 1
    assert read_by_both > 900


def leaves(value: Value, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """All values as text, in order; words that stand for true, false and nothing in one spelling."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inner is None:
        word = "" if value is None else str(value)
        yield (
            path,
            word.lower().replace("null", "").replace("~", "") if word.lower() in ("true", "false", "null", "~") else word,
        )
    else:
        for step, item in inner:
            yield from leaves(item, (*path, step))
