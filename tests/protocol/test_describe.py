"""What the generators read from the types."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from ccdashd import errors
from ccdashd.protocol import describe
from ccdashd.protocol import types as t


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        (str, "string"),
        (int, "integer"),
        (float, "number"),
        (Any, "unknown"),
        (str | None, "string | null"),
        (list[str | None], "(string | null)[]"),
        (dict[str, list[int]], "Record<string, integer[]>"),
        (Literal["a", "b"], '"a" | "b"'),
        (t.SessionStatus | None, "SessionStatus | null"),
        (t.Page[t.SessionRow], "Page<SessionRow>"),
    ],
)
def test_the_name_of_a_type(hint: Any, name: str) -> None:
    assert describe.type_name(hint) == name


@pytest.mark.parametrize("hint", [bytes, set[str], dict[int, str], tuple[int, str]])
def test_a_type_that_json_cannot_say_is_refused(hint: Any) -> None:
    with pytest.raises(TypeError, match="no form on the wire"):
        describe.type_name(hint)


def test_a_field_is_described_as_it_stands_in_json() -> None:
    fields = {field.name: field for field in describe.shape(t.TranscriptParams).fields}
    assert fields["id"].required
    assert (fields["from"].required, fields["from"].default) == (False, None)
    assert fields["limit"].default_json == "100"
    assert fields["minRevision"].doc == "Wait until the cache is at least at this revision."


def test_everything_that_crosses_the_wire_is_found() -> None:
    names = {struct.__name__ for struct in describe.structs()}
    assert {"SessionsList", "Page", "SessionRow", "Tokens", "ToolCall", "TranscriptNotification"} <= names


def test_the_tree_of_errors_names_the_codes_of_the_classes() -> None:
    listed = describe.error_list()
    assert errors.__doc__ is not None
    for error in listed:
        assert any(
            line.split()[1:3] == [error.name, str(error.code)] for line in errors.__doc__.splitlines() if "── " in line
        ), error.name
    assert len({error.code for error in listed}) == len(listed) == errors.__doc__.count("── ")
    assert {error.name: error.data for error in listed}["NotFound"] == "{type, id, candidates?}"
