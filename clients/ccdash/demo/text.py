"""Filler text: pools of made-up code, console output and prose, already escaped for JSON.

A pool is built once; a piece of it is a slice between two lines, so that gigabytes cost little more than copying them.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from functools import lru_cache
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NOUNS = _words(
    """
    account adapter agent anchor batch binding branch broker buffer bundle cache channel chunk client cluster
    column command commit config context cursor daemon decoder delta digest dispatch driver edge encoder
    endpoint engine entry epoch event export factory feature fetcher field filter fixture folder frame gateway
    graph group guard handle handler header heap history hook index ingest input invoice journal key label lane
    layer ledger limit link listener loader lock logger manifest marker matrix merge message metric middleware
    migration mirror model module mutex node notice offset option order origin outbox owner packet page parser
    patch path payload peer pipeline plan plugin pointer policy pool port prefix probe process profile project
    prompt proxy queue quota range reader record region registry report request resolver response retry revision
    role root route row rule runner sample scanner scheduler schema scope section segment sequence server
    session shard signal slice snapshot socket source span stage state status storage stream subject summary
    symbol table target task template tenant ticket timer token topic trace track tree trigger tuple unit update
    upload vector version view volume watcher webhook widget window worker workspace writer zone
    """
)
VERBS = _words(
    """
    accept append apply attach build check claim clamp collect commit compact compare compute copy count decode
    derive detect diff drain emit encode ensure evict expand fetch filter find flush fold format gather guess
    handle hydrate import index insert join keep list load lock map match merge move notify open order pack
    parse patch persist poll prune publish pull push queue read rebase rebuild reduce refresh release render
    repair replay report reset resolve restore retry scan schedule seal select send serve skip sort split start
    stop store stream swap sync tail trim unpack update validate verify visit walk watch wrap write
    """
)
ADJECTIVES = _words(
    """
    active broken cached dirty early empty fresh idle late lazy live local loose nested older open partial
    pending pinned plain public quiet ready remote shared sparse stale strict torn unique unread upper valid
    """
)
TYPES = _words("str int float bool bytes Path None dict[str,int] list[str]")
EXTENSIONS = ("py", "py", "py", "ts", "tsx", "go", "rs", "md", "json", "sql", "css")


def escape(text: str) -> str:
    """`text` as the inside of a JSON string, non-ASCII as it is."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def unescape(text: str) -> str:
    """What `escape` was given."""
    return str(json.loads(f'"{text}"')) if "\\" in text else text


class Pool:
    """Escaped lines in one string, with the place where each begins."""

    def __init__(self, lines: list[str], separator: str = "\\n") -> None:
        self.separator = len(separator)
        self.starts = [0]
        for line in lines:
            self.starts.append(self.starts[-1] + len(line) + self.separator)
        self.text = separator.join(lines) + separator
        self.lines = lines

    def take(self, rng: Random, size: int) -> str:
        """About `size` characters of whole lines, at least one line."""
        return self.piece(rng, size)[0]

    def piece(self, rng: Random, size: int) -> tuple[str, int, int]:
        """A piece, the number of its first line (from 0) and how many lines it has."""
        total = len(self.text)
        first = bisect_right(self.starts, int(rng.random() * max(1, total - size))) - 1
        last = max(first + 1, bisect_right(self.starts, min(total, self.starts[first] + size)) - 1)
        return self.text[self.starts[first] : self.starts[last] - self.separator], first, last - first


class Texts:
    """The pools that one generator uses; the same for the same seed."""

    def __init__(self, seed: int, scale: int = 8000) -> None:
        rng = Random(f"text {seed}")
        code = [_code_line(rng) for _ in range(scale)]
        self.code = Pool([escape(line) for line in code])
        self.numbered = Pool([escape(f"{number:6d}→{line}") for number, line in enumerate(code, 1)])
        """The same lines as `code`, as the Read tool shows them."""
        self.log = Pool([escape(_log_line(rng)) for _ in range(scale)])
        self.grep = Pool([escape(f"{path(rng)}:{int(rng.random() * 900)}:{rng.choice(code)}") for _ in range(scale)])
        self.prose = Pool([escape(sentence(rng)) for _ in range(scale // 2)], " ")
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        self.base64 = "".join(rng.choices(letters, k=300_000))

    def blob(self, rng: Random, size: int) -> str:
        """`size` characters that look like base64, repeating after 300,000."""
        start = int(rng.random() * 100_000)
        body = self.base64[start:]
        return (body * (size // len(body) + 1))[:size]


@lru_cache(maxsize=2)
def texts(seed: int) -> Texts:
    """The pools of `seed`, made once per process."""
    return Texts(seed)


def path(rng: Random) -> str:
    """A relative path of a made-up source file."""
    folder = rng.choice(("src", "src", "lib", "tests", "app", "docs", "internal", "packages/core/src"))
    return f"{folder}/{rng.choice(NOUNS)}/{rng.choice(VERBS)}_{rng.choice(NOUNS)}.{rng.choice(EXTENSIONS)}"


def sentence(rng: Random) -> str:
    """A sentence of the kind in which people talk about code."""
    noun, other, third = rng.choice(NOUNS), rng.choice(NOUNS), rng.choice(NOUNS)
    verb, adjective = rng.choice(VERBS), rng.choice(ADJECTIVES)
    form = int(rng.random() * 8)
    if form == 0:
        return f"The {noun} should {verb} the {adjective} {other} before the {third} sees it."
    if form == 1:
        return f"I'll {verb} the `{noun}_{other}` and check that the {third} is still {adjective}."
    if form == 2:
        return f'When the {noun} is {adjective}, "{verb}" leaves the {other} behind; the {third} never notices.'
    if form == 3:
        return f"Now `{verb}_{noun}()` returns the {adjective} {other} — größer als der {third}."
    if form == 4:
        return f"Let me look at how the {noun} and the {other} share a {adjective} {third}."
    if form == 5:
        return f"All tests of the {noun} pass ✅, and the {other} keeps its {adjective} {third}."
    if form == 6:
        return f"- **{noun.title()} {other}**: {verb} it once, so that no {adjective} {third} is left."
    return f"There are {2 + int(rng.random() * 40)} places that {verb} a {noun} without a {adjective} {other}."


def _code_line(rng: Random) -> str:
    indent = "    " * int(rng.random() * 4)
    noun, other, verb = rng.choice(NOUNS), rng.choice(NOUNS), rng.choice(VERBS)
    form = int(rng.random() * 9)
    if form == 0:
        return ""
    if form == 1:
        return f"{indent}def {verb}_{noun}(self, {other}: {rng.choice(TYPES)}) -> {rng.choice(TYPES)}:"
    if form == 2:
        return f"{indent}{noun} = self.{other}.{verb}({rng.choice(NOUNS)}, {int(rng.random() * 5000)})"
    if form == 3:
        return f'{indent}"{noun}_{other}": "{verb} {rng.choice(NOUNS)}",'
    if form == 4:
        return f"{indent}if not {noun}.{other} and {rng.choice(NOUNS)} is not None:"
    if form == 5:
        return f"\t\tconst {noun}{other.title()} = await {verb}{other.title()}({{ {noun}, limit: 20 }});"
    if form == 6:
        return f"{indent}# {sentence(rng)}"
    if form == 7:
        return f'{indent}raise {noun.title()}Error(f"cannot {verb} {{{other}!r}}: {rng.choice(NOUNS)} is gone")'
    return f"{indent}return [{noun}.{verb}() for {noun} in {other}]"


def _log_line(rng: Random) -> str:
    noun, verb, number = rng.choice(NOUNS), rng.choice(VERBS), int(rng.random() * 10_000)
    form = int(rng.random() * 6)
    if form == 0:
        return f"tests/{noun}/test_{verb}.py::test_{verb}_{rng.choice(NOUNS)} PASSED [{number // 100:3d}%]"
    if form == 1:
        return f"\x1b[32m✓\x1b[39m {noun} » {verb}s the {rng.choice(NOUNS)} ({number % 900} ms)"
    if form == 2:
        return (
            f"2026-05-{1 + number % 28:02d} 12:{number % 60:02d}:07,{number % 1000:03d} INFO {noun}.{verb}: {number} rows"
        )
    if form == 3:
        return f"-rw-r--r--  1 dev dev {number:6d} May {1 + number % 28:2d} 10:{number % 60:02d} {path(rng)}"
    if form == 4:
        return f"\tmodified:   {path(rng)}"
    return f"{path(rng)}:{number}:{number % 80}: warning: '{noun}' might {verb} too late"


def title(rng: Random) -> str:
    """A short title of some work."""
    return f"{rng.choice(VERBS).title()} the {rng.choice(NOUNS)} {rng.choice(NOUNS)}"
