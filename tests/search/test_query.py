from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.errors import InvalidParams
from ccdashd.search.query import DEEPEST, FILTERS, MOST_WORDS, And, Filter, Node, Not, Or, Words, parse


def words(text: str, column: int, *, quoted: bool = False, prefix: bool = False) -> Words:
    return Words(text, column, quoted, prefix)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("foo", words("foo", 1)),
        ("  foo\tbar\n", And((words("foo", 3), words("bar", 7)))),
        ('"foo bar"', words("foo bar", 1, quoted=True)),
        ('"foo ba"*', words("foo ba", 1, quoted=True, prefix=True)),
        ("foo*", words("foo", 1, prefix=True)),
        ("f*oo", words("f*oo", 1)),
        ("*", words("*", 1)),
        ("-foo", Not(words("foo", 2))),
        ("- foo", And((words("-", 1), words("foo", 3)))),
        ("--no-verify", words("--no-verify", 1)),
        ('-"a b"', Not(words("a b", 2, quoted=True))),
        ("a OR b c", Or((words("a", 1), And((words("b", 6), words("c", 8)))))),
        ("a (b OR c)", And((words("a", 1), Or((words("b", 4), words("c", 9)))))),
        ("-(a b)", Not(And((words("a", 3), words("b", 5))))),
        ("ORDER or", And((words("ORDER", 1), words("or", 7)))),
        ("print(x, y)", And((words("print(x,", 1), words("y)", 10)))),
        ("(print(x) OR y)", Or((words("print(x)", 2), words("y", 14)))),
        ('key="a b"', And((words("key=", 1), words("a b", 5, quoted=True)))),
        ("std::vector https://x.y/z", And((words("std::vector", 1), words("https://x.y/z", 13)))),
        ("status:done", words("status:done", 1)),
        ("Project: shop", And((words("Project:", 1), words("shop", 10)))),
        ('"project:shop"', words("project:shop", 1, quoted=True)),
    ],
)
def test_what_is_typed_becomes_a_tree(text: str, node: Node) -> None:
    assert parse(text).node == node
    assert parse(text).filters == ()


def test_filters_stand_apart_from_the_words() -> None:
    query = parse('error project:"my shop" -tool:Bash OR in:prompt -in:tool warning')
    assert query.node == Or((words("error", 1), words("warning", 58)))
    assert query.filters == (
        Filter("project", "my shop", 7),
        Filter("tool", "Bash", 25, negated=True),
        Filter("in", "prompt", 39),
        Filter("in", "tool", 49, negated=True),
    )
    assert [one.value for one in query.values("in")] == ["prompt"]
    assert [one.value for one in query.values("in", negated=True)] == ["tool"]


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_takes_the_value_that_is_given_as_an_example(name: str) -> None:
    assert parse(f"{name}:{FILTERS[name]}").filters == (Filter(name, FILTERS[name], 1),)


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        ('foo "bar', 5, "never closed"),
        ('foo project:"bar', 13, "never closed"),
        ("foo (bar", 5, "never closed"),
        ("foo )", 5, "nothing is open"),
        ("foo ( )", 5, "nothing between"),
        ("OR foo", 1, "both sides"),
        ("foo OR", 5, "both sides"),
        ("foo OR OR bar", 5, "both sides"),
        ("foo OR agent:x", 5, "filters hold for the whole query"),
        ("(foo agent:x)", 6, "outside of parentheses"),
        ("foo project:", 5, "project:shop"),
        ("foo project: shop", 5, "right after it"),
        ('in:""', 1, "needs a value"),
        ("foo in:everywhere", 5, "prompt, answer"),
        ("foo projct:shop", 5, "did you mean project:"),
        ("after:1d foo after:2d", 14, "second time"),
        ("after:1d -after:2d", 10, "second time"),
        ("(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1), DEEPEST + 1, "more than 16 times"),
        ("a " * (MOST_WORDS + 1), 2 * MOST_WORDS + 1, "more than 64 words"),
    ],
)
def test_an_error_says_where_and_what_to_do(text: str, column: int, told: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        parse(text)
    assert caught.value.data["field"] == "query"
    assert caught.value.data["column"] == column
    assert f"column {column}: " in caught.value.message
    assert told in caught.value.message


@pytest.mark.parametrize("text", ["", " \t\n", "a" * 1001])
def test_an_empty_or_endless_query_is_an_error_of_the_whole(text: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        parse(text)
    assert caught.value.data["field"] == "query"


PIECES = st.sampled_from(
    ['"', "(", ")", "-", "--", "*", "OR", " ", "\t", ":", "a", "foo", "Ünï", "検", "\0", "in:", "prompt", "project:", "x)"]
)


@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=14).map("".join)))
def test_any_text_gives_a_tree_or_a_clear_error(text: str) -> None:
    try:
        query = parse(text)
    except InvalidParams as error:
        assert error.data["field"] == "query"
        assert error.data.get("column", 1) in range(1, len(text) + 1) or not text.strip()
        return
    assert query.node is not None or query.filters
    for leaf in leaves(query.node):
        start = leaf.column - 1 + leaf.quoted
        assert text[start : start + len(leaf.text)] == leaf.text


def leaves(node: Node | None) -> list[Words]:
    match node:
        case None:
            return []
        case Words():
            return [node]
        case Not():
            return leaves(node.node)
        case And() | Or():
            return [leaf for part in node.nodes for leaf in leaves(part)]


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8), min_size=1, max_size=6))
def test_plain_words_are_themselves(given: list[str]) -> None:
    if "OR" not in given:
        assert [leaf.text for leaf in leaves(parse(" ".join(given)).node)] == given
