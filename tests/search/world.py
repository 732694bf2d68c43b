"""Logs that say something: words of every sort in all that people, agents and tools say."""

from __future__ import annotations

import json
from typing import Any

from tests.ingest.world import World
from tests.search.oracle import FORMS


class TextWorld(World):
    """A world whose records hold words of `FORMS`."""

    def _line(self, place: str, kind: str) -> bytes:
        line = super()._line(place, kind)
        # As agents write it. Escapes would become other letters where bytes are changed, some of no known script.
        return json.dumps(json.loads(line), ensure_ascii=False).encode() if line.endswith(b"}") else line

    def _record(self, place: str, kind: str, n: int) -> dict[str, Any]:
        record: dict[str, Any] = self._worded(super()._record(place, kind, n), n)
        return record

    def _worded(self, value: Any, n: int) -> Any:
        if isinstance(value, dict):
            return {key: self._said(item, n) if key in _SAYING else self._worded(item, n) for key, item in value.items()}
        if isinstance(value, list):
            return [self._worded(item, n) for item in value]
        return value

    def _said(self, item: Any, n: int) -> Any:
        if not isinstance(item, str):
            return self._worded(item, n)
        forms = [FORMS[(n * step + step) % len(FORMS)].text for step in (1, 3, 5, 7)]
        return f"{item} {' '.join(forms[: n % 4 + 1])}"


_SAYING = {"content", "text", "summary", "command"}
