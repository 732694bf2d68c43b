"""Lines of an older text found again in a newer one: in their place, moved, indented otherwise, or changed. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final, Literal, NamedTuple

NOBODY: Final = -1
"""Origin of a line that no recorded edit wrote: it was there before, or a person or a program wrote it."""

Fit = Literal["same", "moved", "indented", "changed"]
"""How a line of now compares with the line that was written. ``indented``: only its indentation differs, here or moved."""

ALIKE: Final = 0.6
"""Lines in the same place count as one that was changed from this similarity on (`difflib.SequenceMatcher.ratio`)."""

_AHEAD: Final = 12
"""Changed lines are looked for so many lines ahead in their gap."""

_PAIRED: Final = 40_000
"""Pairs of lines of one gap that are compared, at most."""

_CANDIDATES: Final = 16
"""Places that a moved line is looked for at, at most: lines that stand in more are too common to say anything."""

_ALONE: Final = 8
"""Characters of a line from which on it may be found alone."""

_LONG: Final = 500
"""Characters of a line from which on only its beginning and end are compared: all of it would take minutes where a whole
file stands on one line."""

_ORDER: Final[dict[Fit, int]] = {"same": 0, "moved": 1, "indented": 2, "changed": 3}


class Line(NamedTuple):
    """Where a line comes from."""

    origin: int
    """Number of the edit, or `NOBODY`."""
    fit: Fit = "same"


class Target:
    """A text in which lines of older ones are looked for, one older text after the other."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.found: list[Line | None] = [None] * len(lines)
        """Where each line comes from; None while it was found in no older text."""
        self._indexes: dict[bool, tuple[Sequence[str], dict[str, list[int]]]] = {}

    def index(self, *, strip: bool) -> tuple[Sequence[str], dict[str, list[int]]]:
        """The lines, without their indentation if wanted, and the places of each that says something."""
        if strip not in self._indexes:
            lines = [line.strip() for line in self.lines] if strip else self.lines
            places: dict[str, list[int]] = defaultdict(list)
            for j, line in enumerate(lines):
                if self.found[j] is None and _says(line):
                    places[line].append(j)
            self._indexes[strip] = lines, places
        return self._indexes[strip]


def lay(old: Sequence[str], origins: Sequence[Line], target: Target, *, whole: bool) -> None:
    """Note the origin of each line of the target that is found among `old`, and has none yet.

    `whole`: both are whole texts, so that lines in the same order are the same ones however common they are. Else `old` is
    a fragment, which may stand anywhere.
    """
    new, found = target.lines, target.found
    used = [False] * len(old)
    pairs: list[tuple[int, int]] = []

    def take(i: int, j: int, fit: Fit) -> None:
        known = origins[i]
        used[i] = True
        pairs.append((i, j))
        found[j] = known if _ORDER[known.fit] >= _ORDER[fit] else known._replace(fit=fit)

    if whole:
        for i, j in in_order(old, new):
            if found[j] is None:
                found[j], used[i] = origins[i], True
                pairs.append((i, j))
    if all(used) or None not in found:
        return
    for strip in (False, True):
        for i, j in _runs(old, target, used, strip=strip):
            take(i, j, "indented" if old[i] != new[j] else "moved" if whole else "same")
    for i, j in _changed(old, target, used, pairs, whole=whole):
        take(i, j, "indented" if old[i].strip() == new[j].strip() else "changed")


def in_order(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of equal lines in the order of both texts: those that stand once in each first (patience diff), so that common
    lines such as braces pair only between them."""
    work = [(0, len(old), 0, len(new))]
    pairs: list[tuple[int, int]] = []
    while work:
        a, a_end, b, b_end = work.pop()
        while a < a_end and b < b_end and old[a] == new[b]:
            pairs.append((a, b))
            a, b = a + 1, b + 1
        while a < a_end and b < b_end and old[a_end - 1] == new[b_end - 1]:
            a_end, b_end = a_end - 1, b_end - 1
            pairs.append((a_end, b_end))
        if a == a_end or b == b_end:
            continue
        split = _unique(old, new, a, a_end, b, b_end)
        if not split:
            if (a_end - a) * (b_end - b) <= 40_000:
                matcher = SequenceMatcher(None, old[a:a_end], new[b:b_end], autojunk=False)
                for i, j, size in matcher.get_matching_blocks():
                    pairs += [(a + i + n, b + j + n) for n in range(size)]
            continue
        for i, j in split:
            if a < i and b < j:
                work.append((a, i, b, j))
            pairs.append((i, j))
            a, b = i + 1, j + 1
        work.append((a, a_end, b, b_end))
    yield from sorted(pairs)


def _unique(old: Sequence[str], new: Sequence[str], a: int, a_end: int, b: int, b_end: int) -> list[tuple[int, int]]:
    """Pairs of lines that stand once in each part: the longest chain of them in the order of both."""
    ours, theirs = Counter(old[a:a_end]), Counter(new[b:b_end])
    places = {old[i]: i for i in range(a, a_end) if ours[old[i]] == 1 and theirs.get(old[i]) == 1}
    common = [(places[new[j]], j) for j in range(b, b_end) if new[j] in places]
    return _chain(common)


def _chain(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest chain of pairs, given in the order of the newer text, that is in the order of both."""
    if all(one[0] < other[0] for one, other in pairwise(pairs)):
        return list(pairs)
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for n, (i, _) in enumerate(pairs):
        pile = bisect_left(tops, i)
        before.append(piles[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [i]
        piles[pile : pile + 1] = [n]
    chain: list[tuple[int, int]] = []
    n = piles[-1] if piles else -1
    while n >= 0:
        chain.append(pairs[n])
        n = before[n]
    return chain[::-1]


def _runs(old: Sequence[str], target: Target, used: Sequence[bool], *, strip: bool) -> Iterator[tuple[int, int]]:
    """Pairs of lines that stand elsewhere, as the longest runs there are: of two lines that say something at least, or of
    one that stands nowhere else. The caller marks both sides as pairs are given out."""
    free = [i for i in range(len(old)) if not used[i]]
    if not free:
        return
    found = target.found
    ours = [line.strip() for line in old] if strip else old
    theirs, places = target.index(strip=strip)
    times = Counter(ours)
    for i in free:
        if used[i]:
            continue  # it is part of a run that began before it
        line = ours[i]
        candidates = [j for j in places.get(line, ()) if found[j] is None]
        best, length, weight = -1, 0, 0
        if len(candidates) <= _CANDIDATES:
            for j in candidates:
                size = saying = 0
                while (
                    i + size < len(ours)
                    and j + size < len(theirs)
                    and not used[i + size]
                    and found[j + size] is None
                    and ours[i + size] == theirs[j + size]
                ):
                    saying += _says(ours[i + size])
                    size += 1
                if saying > weight:
                    best, length, weight = j, size, saying
        if weight > 1 or (weight == 1 and len(candidates) == times[line] == 1 and len(line.strip()) >= _ALONE):
            for n in range(length):
                yield i + n, best + n


def _says(line: str) -> bool:
    """Whether a line is more than punctuation."""
    return sum(map(str.isalnum, line)) >= 3


def _changed(
    old: Sequence[str], target: Target, used: Sequence[bool], pairs: Sequence[tuple[int, int]], *, whole: bool
) -> Iterator[tuple[int, int]]:
    """Pairs of lines that stand in the same gap between lines that were found, in their order, and are alike."""
    new, found = target.lines, target.found
    chain = _chain(sorted(pairs, key=lambda pair: pair[1]))
    if not chain and not whole:
        return
    for (a, b), (a_end, b_end) in zip([(-1, -1), *chain], [*chain, (len(old), len(new))], strict=True):
        mine = [i for i in range(a + 1, a_end) if not used[i]]
        if not mine:
            continue
        if not whole:  # nothing bounds what stands around a fragment
            b = max(b, b_end - len(mine) - 1) if a < 0 else b
            b_end = min(b_end, b + len(mine) + 1) if a_end == len(old) else b_end
        theirs = [j for j in range(b + 1, b_end) if found[j] is None]
        if len(mine) * len(theirs) > _PAIRED:
            continue
        next_ = 0
        for j in theirs:
            best, ratio = -1, ALIKE
            for n in range(next_, min(next_ + _AHEAD, len(mine))):
                alike = _alike(old[mine[n]], new[j], ratio)
                if alike > ratio or (alike == ratio and best < 0):
                    best, ratio = n, alike
            if best >= 0:
                yield mine[best], j
                next_ = best + 1


def _alike(one: str, other: str, least: float) -> float:
    """How alike two lines are, from 0 to 1, whatever their indentation; 0 where that is below `least`."""
    one, other = one.strip(), other.strip()
    if one == other:
        return 1.0 if one else 0.0
    if max(len(one), len(other)) > _LONG:
        ratio = _ends_alike(one, other)
        return ratio if ratio >= least else 0.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= least else 0.0


def shared(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _ends_alike(one: str, other: str) -> float:
    """The share of two lines that is the same at their beginning and their end, from 0 to 1."""
    begin = shared(one, other)
    end = shared(one[begin:][::-1], other[begin:][::-1])
    return 2 * (begin + end) / (len(one) + len(other))
