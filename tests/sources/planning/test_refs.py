from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.sources.planning import frontmatter
from ccdashd.sources.planning.body import scan
from ccdashd.sources.planning.refs import MAX_REFS, of_body, of_frontmatter, resolve

HERE = "docs/plans/auth/phase-1.md"


@pytest.mark.parametrize(
    ("raw", "link", "path"),
    [
        ("docs/prds/auth.md", False, "docs/prds/auth.md"),
        ("/docs/prds/auth.md#goals", False, "docs/prds/auth.md"),
        ("src/auth.py", False, "src/auth.py"),
        ("phase-2.md", False, "docs/plans/auth/phase-2.md"),
        ("./phase-2.md", False, "docs/plans/auth/phase-2.md"),
        ("../auth.md", False, "docs/plans/auth.md"),
        ("CLAUDE.md", False, "CLAUDE.md"),
        (".claude/progress/auth/", False, ".claude/progress/auth"),
        ("phase-2.md?plain=1#top", True, "docs/plans/auth/phase-2.md"),
        ("sub/part%20two.md", True, "docs/plans/auth/sub/part two.md"),
        ("docs/prds/auth.md", True, "docs/prds/auth.md"),
        ("../../../README.md", True, "README.md"),
        ("../../../../elsewhere.md", True, ""),
        ("/Users/ann/project/a.md", False, ""),
        ("~/notes.md", False, ""),
        ("C:\\notes.md", False, ""),
        ("https://example.org/a.md", False, ""),
        ("src/**/*.md", False, ""),
        ("#anchor", True, ""),
        ("", False, ""),
    ],
)
def test_a_reference_is_resolved_in_the_project(raw: str, link: bool, path: str) -> None:
    assert resolve(raw, HERE, link=link) == path


def test_a_document_at_the_root_refers_from_there() -> None:
    assert resolve("PLAN.md", "README.md") == "PLAN.md"
    assert resolve("./PLAN.md", "README.md", link=True) == "PLAN.md"
    assert resolve("../PLAN.md", "README.md", link=True) == ""


FRONT = b"""\
---
prd_ref: docs/prds/auth.md
plan_ref: null
prd: auth-v1
related_documents:
  - /docs/adr/one.md (draft)
  - path: ../two.md
  - some words
  - four.md: what it says
references:
  spec: https://example.org/spec
  specs: [three.md]
commit_refs: [abcdef1]
status: done
---
"""


def test_frontmatter_refers_by_many_keys() -> None:
    refs = of_frontmatter(frontmatter.read(FRONT), HERE)
    assert [(ref.field, ref.raw, ref.path, ref.line) for ref in refs] == [
        ("prd_ref", "docs/prds/auth.md", "docs/prds/auth.md", 2),
        ("related_documents", "/docs/adr/one.md", "docs/adr/one.md", 6),
        ("related_documents", "../two.md", "docs/plans/two.md", 7),
        ("related_documents", "four.md", "docs/plans/auth/four.md", 9),
        ("references", "https://example.org/spec", "", 11),
        ("references", "three.md", "docs/plans/auth/three.md", 12),
    ]


BODY = b"""\
# Plan
See [the PRD](../../prds/auth.md "title"), [web](https://example.org), [top](#plan) and `docs/adr/one.md#why`.
Also `docs/prds/auth.md` again, `.claude/progress/{name}/x.md`, `two words.md`, and `phase-1.md`, which is this.
```
[not](a/link.md)
```
`@.claude/rules/web.md`
"""


def test_the_text_refers_by_links_and_paths() -> None:
    refs = of_body(scan(BODY), HERE, 10)
    assert [(ref.field, ref.raw, ref.path, ref.line) for ref in refs] == [
        ("body", "docs/adr/one.md#why", "docs/adr/one.md", 2),
        ("body", "docs/prds/auth.md", "docs/prds/auth.md", 3),
        ("body", ".claude/rules/web.md", ".claude/rules/web.md", 7),
    ]


def test_references_are_bounded() -> None:
    body = scan(b"".join(b"[a](%d.md)\n" % n for n in range(50)))
    assert len(of_body(body, HERE, 7)) == 7
    front = b"---\nrelated:\n" + b"".join(b"- a/%d.md\n" % n for n in range(MAX_REFS + 50)) + b"---\n"
    assert len(of_frontmatter(frontmatter.read(front), HERE)) == MAX_REFS


@given(st.text(max_size=60), st.text(max_size=60), st.booleans())
def test_no_reference_leaves_the_project(raw: str, document: str, link: bool) -> None:
    path = resolve(raw, document, link=link)
    assert not path.startswith(("/", "../"))
    assert path not in (".", "..")


@pytest.mark.parametrize(
    "data", [b".md#" * 60_000, b"](" * 500_000, b'](x "' * 60_000, b"`" * 1_000_000, b"`a.md`" * 50_000]
)
def test_a_hostile_text_takes_no_more_time_than_its_size_asks_for(data: bytes) -> None:
    """What is quadratic in the size takes minutes, and runs into the timeout."""
    assert len(of_body(scan(data), HERE, MAX_REFS)) <= 1
