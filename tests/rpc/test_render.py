"""``sessions/render``: documents that are whole in any pieces, from logs or copies, without what must not be in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ccdashd.rendering import documents
from tests.helpers import Client, RpcError
from tests.rpc.conftest import Served
from tests.rpc.render_world import HOSTILE, LONG, OUTPUT, PNG, Page, World, rendered


@pytest.fixture
def world(short_folder: Path) -> World:
    return World(short_folder)


@pytest.fixture
def client(world: World, serve: Callable[..., Served]) -> Client:
    return serve(text_cap_bytes="256").client()


def test_pieces_of_any_size_make_the_same_document(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with client:
        for format in ("markdown", "html", "json"):
            for params in ({}, {"subagents": True}, {"subagents": True, "redact": True}):
                monkeypatch.setattr(documents, "PIECE", 1 << 30)
                whole, pieces, counts = rendered(client, world, format, **params)
                assert pieces == 1
                monkeypatch.setattr(documents, "PIECE", 1)
                cut, pieces, cut_counts = rendered(client, world, format, **params)
                assert pieces > 10
                assert cut == whole
                # What is taken out of the head, and for headings of sub-agents, is counted where these stand.
                assert cut_counts == counts


def test_a_page_is_well_formed_and_nothing_in_it_can_act(world: World, client: Client) -> None:
    with client:
        page = Page(rendered(client, world, "html", subagents=True)[0])
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "iframe", "object", "embed", "form", "link", "base", "svg"}
    names = {name for _, attributes in page.elements for name in attributes}
    assert not any(name.startswith("on") for name in names)
    for tag, attributes in page.elements:
        if tag == "a":
            assert re.fullmatch(r"#e-[0-9a-f-]+", attributes["href"] or "")
        if tag == "img":
            assert (attributes["src"] or "").startswith("data:image/png;base64,")
    assert [attributes["alt"] for tag, attributes in page.elements if tag == "img"] == ["image/png, 48 bytes"]
    assert "[application/octet-stream, 59 bytes]" in page.text
    assert not set(page.text) & set("\x1b\x07\u202e\x00")
    assert "<script>document.title='pwned'</script>" in page.text
    assert LONG.strip() in page.text
    assert OUTPUT in page.text
    ids = [attributes["id"] for tag, attributes in page.elements if tag == "article"]
    assert len(set(ids)) == len(ids)
    assert {f"#{id}" for id in ids} == {attributes["href"] for tag, attributes in page.elements if tag == "a"}


def test_sub_agents_stand_behind_their_calls(world: World, client: Client) -> None:
    with client:
        page = Page(rendered(client, world, "html", subagents=True)[0])
        alone = Page(rendered(client, world, "html")[0])
        markdown = rendered(client, world, "markdown", subagents=True)[0]
    assert set(alone.depths) == {0}
    inside = [depth for depth in page.depths if depth]
    assert inside == [1, 1, 2, 1, 1]
    headings = [line for line in markdown.splitlines() if re.match("#+ (Sub-agent|End)", line)]
    assert [line.split(" ·")[0] for line in headings] == [
        "## Sub-agent",
        "### Sub-agent",
        "### End of the sub-agent",
        "## End of the sub-agent",
    ]


def test_markdown_keeps_what_others_wrote_in_code(world: World, client: Client) -> None:
    with client:
        text = rendered(client, world, "markdown")[0]
    own = [line for line in text.splitlines() if line and not line.startswith("    ")]
    assert own[0].startswith("# Title \\</pre\\>")
    assert all(line.startswith(("# ", "- ", "## ")) for line in own)
    assert "    # no heading" in text
    assert f"    {LONG.strip()}" in text
    assert "    the end" in text
    assert "    description:\n        Say\n        so" in text
    assert "sha256" in text
    assert not set(text) & set("\x1b\x07\u202e\x00")


def test_json_has_all_and_more(world: World, client: Client) -> None:
    with client:
        document = json.loads(rendered(client, world, "json", subagents=True)[0])
        entries = client.request("sessions/transcript", {"id": world.main.id, "subagents": True, "limit": 500})["items"]
        session = client.request("sessions/get", {"id": world.main.id})
    assert {**document["session"], "revision": 0} == {**session, "revision": 0}
    assert document["cost"]["usd"] > 0
    told = document["entries"]
    assert [entry["id"] for entry in told] == [entry["id"] for entry in entries]
    assert not any(entry["truncated"] for entry in told)
    same = ("index", "kind", "timestamp", "tool", "toolUseId", "sessionId", "depth", "offset")
    assert [[entry[name] for name in same] for entry in told] == [[entry[name] for name in same] for entry in entries]
    bash = next(entry for entry in told if entry["tool"] == "Bash" and entry["kind"] == "toolCall")
    assert bash["input"] == {"command": HOSTILE, "description": "Say\nso", "env": {"a": [1, None]}}
    result = next(entry for entry in told if entry["toolUseId"] == bash["toolUseId"] and entry["kind"] == "toolResult")
    assert result["text"] == OUTPUT + HOSTILE
    assert [blob["mediaType"] for entry in told for blob in entry["blobs"]] == ["image/png", "application/octet-stream"]


@pytest.mark.parametrize("format", ["markdown", "html", "json"])
def test_secrets_are_taken_out(format: str, world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(world.logs.parent.parent))
    with client:
        text, _, counts = rendered(client, world, format, subagents=True, redact=True)
    for secret in ("someone@acme.io", "QZ7XK4LMN2PRST6V", str(world.logs.parent.parent), PNG):
        assert secret not in text
    assert counts["email"] == 1
    assert counts["image"] == 2
    assert counts["home-path"] > 5
    assert sum(counts.values()) > 9


def test_where_the_log_is_gone_what_the_cache_has_is_shown(world: World, client: Client) -> None:
    with client:
        world.log.unlink()
        client.request("cache/rescan")
        for format, note in (
            ("markdown", "[cut: the log is gone"),
            ("html", "Cut: the log is gone"),
            ("json", '"truncated":true'),
        ):
            text, _, _ = rendered(client, world, format)
            assert note in text
            assert LONG not in text
            assert "A long answer. A long answer." in text


def test_what_cannot_be_asked_is_told(client: Client, world: World) -> None:
    with client:
        for params, message in (
            ({"id": "none", "format": "html"}, "no session 'none'"),
            ({"id": world.main.id, "format": "pdf"}, "format: must be one of markdown, html, json"),
            ({"id": world.main.id, "format": "html", "start": 999}, "start: is beyond the end: the transcript has"),
            ({"id": world.main.id, "format": "html", "start": -1}, "start: must be at least 0"),
        ):
            with pytest.raises(RpcError, match=message):
                client.request("sessions/render", params)
