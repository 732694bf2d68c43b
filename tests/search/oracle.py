"""What fits a query, told word by word from a table of words that was written by hand: neither tokenizer nor index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from hypothesis import strategies as st


class Form(NamedTuple):
    """What stands in a text, its words, and the parts of the identifier that it is."""

    text: str
    words: tuple[str, ...]
    parts: tuple[str, ...] = ()


FORMS = (
    Form("the", ("the",)),
    Form("user", ("user",)),
    Form("Name", ("name",)),
    Form("get", ("get",)),
    Form("getUserName", ("getusername",), ("get", "user", "name")),
    Form("getusername", ("getusername",)),
    Form("userName", ("username",), ("user", "name")),
    Form("HTTPServer2Go", ("httpserver2go",), ("http", "server2", "go")),
    Form("get_user_name", ("get", "user", "name")),
    Form("src/app/x.py", ("src", "app", "x", "py")),
    Form("x.py", ("x", "py")),
    Form("--no-verify", ("no", "verify")),
    Form("café", ("cafe",)),
    Form("cafe\u0301", ("cafe",)),
    Form("CAFE", ("cafe",)),
    Form("Größe", ("große",)),
    Form("日本語", ("日", "本", "語")),
    Form("本日", ("本", "日")),
    Form("ab日c", ("ab", "日", "c")),
    Form("한국", ("한", "국")),
    Form("Привет", ("привет",)),
    Form("I'm", ("i", "m")),
    Form("OR", ("or",)),
    Form("NEAR", ("near",)),
    Form('"text"', ("text",)),
    Form("42", ("42",)),
    Form("=>", ()),
    Form("😀", ()),
)


class Text(NamedTuple):
    """A text put together of forms."""

    forms: tuple[Form, ...]

    @property
    def text(self) -> str:
        return " ".join(form.text for form in self.forms)

    @property
    def words(self) -> list[str]:
        return [word for form in self.forms for word in form.words]

    @property
    def identifiers(self) -> list[tuple[str, ...]]:
        return [form.parts for form in self.forms if form.parts]


texts = st.lists(st.sampled_from(FORMS), max_size=6).map(tuple).map(Text)


class Asked(NamedTuple):
    """A query as it is typed, and whether a text fits it."""

    typed: str
    fits: Callable[[Text], bool]
    says: bool = True
    """False where it holds no letter and no digit."""


def _next_to_each_other(words: Sequence[str], wanted: Sequence[str], prefix: bool) -> bool:
    for at in range(len(words) - len(wanted) + 1):
        found = words[at : at + len(wanted)]
        same = list(found[:-1]) == list(wanted[:-1])
        if same and (found[-1].startswith(wanted[-1]) if prefix else found[-1] == wanted[-1]):
            return True
    return False


def _word(form: Form, prefix: bool) -> Asked:
    wanted = [form.words]
    if form.parts:
        wanted.append(form.parts)

    def fits(text: Text) -> bool:
        places = [text.words, *text.identifiers]
        return any(_next_to_each_other(place, one, prefix) for one in wanted for place in places)

    return Asked(form.text + "*" * prefix, fits, bool(form.words))


def _phrase(forms: Sequence[Form], prefix: bool) -> Asked:
    wanted = [word for form in forms for word in form.words]
    typed = " ".join(form.text for form in forms)
    return Asked(f'"{typed}"{"*" * prefix}', lambda text: _next_to_each_other(text.words, wanted, prefix), bool(wanted))


def _not(asked: Asked) -> Asked:
    return Asked(f"-{asked.typed}", lambda text: not asked.fits(text), asked.says)


def _and(several: Sequence[Asked]) -> Asked:
    saying = [one for one in several if one.says]
    return Asked(" ".join(one.typed for one in several), lambda text: all(one.fits(text) for one in saying), bool(saying))


def _or(several: Sequence[Asked]) -> Asked:
    saying = [one for one in several if one.says]
    return Asked(
        " OR ".join(one.typed for one in several), lambda text: any(one.fits(text) for one in saying), bool(saying)
    )


def _group(asked: Asked) -> Asked:
    return Asked(f"({asked.typed})", asked.fits, asked.says)


def _of(forms: Iterable[Form], *, plain: bool) -> st.SearchStrategy[Form]:
    """Forms that can be typed so: what is syntax only in quotes, and what is quoted only without."""
    left = [form for form in forms if '"' not in form.text and not (plain and form.text == "OR")]
    return st.sampled_from(left)


_words = st.builds(_word, _of(FORMS, plain=True), st.booleans())
_phrases = st.builds(_phrase, st.lists(_of(FORMS, plain=False), min_size=1, max_size=3), st.booleans())
_leaves = _words | _phrases


def _grown(inner: st.SearchStrategy[Asked]) -> st.SearchStrategy[Asked]:
    parts = st.lists(inner | _leaves.filter(lambda one: one.typed[0] != "-").map(_not), min_size=1, max_size=3)
    together = parts.map(_and)
    either = st.lists(together, min_size=2, max_size=3).map(_or)
    groups = (together | either).map(_group)
    return groups | groups.map(_not)


queries = st.lists(st.recursive(_leaves, _grown, max_leaves=6), min_size=1, max_size=3).map(_and)
