"""Bad parameters: which field, what is wrong with it, what was given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.rpc.params import ParamsDecoder


def problem_of(kind: type[t.Wire], params: Any) -> tuple[str, str, Any]:
    with pytest.raises(InvalidParams) as caught:
        ParamsDecoder(kind).decode(params if isinstance(params, bytes) else json.dumps(params).encode())
    assert set(caught.value.data) == {"field", "problem", "got"}
    return caught.value.data["field"], caught.value.data["problem"], caught.value.data["got"]


@pytest.mark.parametrize(
    ("kind", "params", "expected"),
    [
        (t.SessionsList, {"limit": "x"}, ("limit", "must be a whole number, not text", "x")),
        (t.SessionsList, {"limit": 0}, ("limit", "must be between 1 and 500", 0)),
        (t.SessionsList, {"limit": 501}, ("limit", "must be between 1 and 500", 501)),
        (t.SessionsList, {"offset": -1}, ("offset", "must be 0 or more", -1)),
        (t.SessionsList, {"offset": 2**63}, ("offset", f"must be at most {2**53 - 1}", 2**63)),
        (t.SessionsList, {"order": "up"}, ("order", "must be one of asc, desc", "up")),
        (t.SessionsList, {"status": "x"}, ("status", "must be one of active, completed, empty", "x")),
        (t.SessionsList, {"limt": 5}, ("limt", "is not known here; did you mean 'limit'?", 5)),
        (t.SessionParams, {}, ("id", "is missing", None)),
        (t.SessionParams, {"id": None}, ("id", "must be text, not null", None)),
        (t.SubscribeParams, {"topics": ["a", 1]}, ("topics[1]", "must be text, not a whole number", 1)),
        (t.NoParams, {"x": [1]}, ("x", "is not known here; this method takes no parameters", [1])),
        (t.SessionParams, 5, ("params", "must be an object, not a whole number", 5)),
        (t.TranscriptParams, {"id": "s", "from": 1}, ("from", "must be text or null, not a whole number", 1)),
    ],
)
def test_problems_in_plain_words(kind: type[t.Wire], params: Any, expected: tuple[str, str, Any]) -> None:
    assert problem_of(kind, params) == expected


def test_literals_in_lists_name_the_choices() -> None:
    field, problem, got = problem_of(t.TranscriptParams, {"id": "s", "kinds": ["prompt", "nope"]})
    assert (field, got) == ("kinds[1]", "nope")
    assert problem.startswith("must be one of prompt, ")


def test_a_large_value_is_not_sent_back_whole() -> None:
    _, _, got = problem_of(t.SessionsList, {"limit": "y" * 100_000})
    assert len(got) < 300


@pytest.mark.parametrize("raw", [b'{"id":"\xff"}', b'{"id":"\\ud800"}', b'{"id":' + b"[" * 50_000])
def test_what_cannot_be_decoded(raw: bytes) -> None:
    assert problem_of(t.SessionParams, raw)[0] in ("params", "id")


def test_min_revision_is_found_where_the_method_has_it() -> None:
    listing, project = ParamsDecoder(t.SessionsList), ParamsDecoder(t.ProjectId)
    assert listing.min_revision(listing.decode(b'{"minRevision":7}')) == 7
    assert listing.min_revision(listing.decode(b"{}")) is None
    assert project.min_revision(project.decode(b'{"id":"x"}')) is None
