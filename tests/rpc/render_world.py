"""Sessions with everything in them that a document can show, and means to look at documents."""

from __future__ import annotations

import base64
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tests.helpers import Client
from tests.sources.logs import text
from tests.store.edited import Clock, Session

LONG = "A long answer. " * 3000
OUTPUT = "line of output\n" * 2000 + "the end"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
SVG = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>").decode()
HOSTILE = (
    "</pre></article></main><script>document.title='pwned'</script><img src=x onerror=alert(1)>"
    "<a href=\"javascript:alert(1)\">x</a> &lt;b&gt; ' onmouseover='alert(1)\n"
    "```\n# no heading\n\x1b[31mred\x1b]0;t\x07\u202eltr"
)


def image(media_type: str, data: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


class World:
    """A session with everything in it, that calls a sub-agent, which calls another."""

    def __init__(self, folder: Path) -> None:
        self.logs = folder / ".claude/projects"
        clock = Clock()
        cwd = f"{folder}/work/shop"
        self.main = Session(clock, cwd)
        self.main.record("custom-title", customTitle=f"Title {HOSTILE}", uuid=None)
        self.main.prompt(HOSTILE)
        self.main.record("user", message={"role": "user", "content": [text("see"), image("image/png", PNG)]})
        self.main.assistant({"type": "thinking", "thinking": HOSTILE}, text(""), text(LONG + HOSTILE))
        self._call(self.main, "Bash", OUTPUT + HOSTILE, command=HOSTILE, description="Say\nso", env={"a": [1, None]})
        self._call(self.main, "Read", [text("seen"), image("image/png", SVG)], file_path=f"{cwd}/a.png")
        self.call = self._call(self.main, "Task", "done", prompt="Look", subagent_type="scout")
        self.agent = Session(clock, cwd, id=self.main.id, agent_id="a1")
        self.agent.prompt("I am the sub-agent.")
        self.inner = self._call(self.agent, "Task", "done", prompt="Look closer")
        self.deep = Session(clock, cwd, id=self.main.id, agent_id="a2")
        self.deep.prompt("I am the sub-agent's.")
        self.agent.say("Found.")
        self.main.edit(f"{cwd}/a.py", "old\nline", "new <line>", None)
        self.main.say(f"Mail me at someone@acme.io, the key is {'AKIA'}{'QZ7XK4LMN2PRST6V'}.")
        self.main.record("future", field=HOSTILE)
        for session, call in ((self.agent, self.call), (self.deep, self.inner), (self.main, "")):
            path = session.save(self.logs)
            if call:
                path.with_suffix(".meta.json").write_text(json.dumps({"agentType": "scout", "toolUseId": call}))
        self.log = self.main.log(self.logs)

    def _call(self, session: Session, name: str, output: Any, **given: Any) -> str:
        id = session.clock.call()
        session.assistant({"type": "tool_use", "id": id, "name": name, "input": given})
        block = {"type": "tool_result", "tool_use_id": id, "content": output, "is_error": name == "Bash"}
        session.record("user", message={"role": "user", "content": [block]})
        return id


def rendered(client: Client, world: World, format: str, **params: Any) -> tuple[str, int, dict[str, int]]:
    """A document, the number of its pieces, and what was taken out."""
    parts: list[str] = []
    counts: dict[str, int] = {}
    start: int | None = 0
    while start is not None:
        piece = client.request("sessions/render", {"id": world.main.id, "format": format, "start": start, **params})
        parts.append(piece["text"])
        for kind, count in (piece["redactions"] or {"counts": {}})["counts"].items():
            counts[kind] = counts.get(kind, 0) + count
        assert piece["next"] is None or piece["next"] > start
        start = piece["next"]
    return "".join(parts), len(parts), counts


class Page(HTMLParser):
    """Elements of a page, checked to be closed in order; and its text."""

    VOID = frozenset({"meta", "input", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.depths: list[int] = []
        """Of each entry, how many sub-agents it is in."""
        self.text = ""
        self.title = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "article":
            self.depths.append(self.open.count("details"))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["title"]:
            self.title += data
        elif "style" not in self.open and "script" not in self.open:
            self.text += data
