"""The branches of a transcript: where the user went back and said something else, compactions, sub-agents inside. Pure.

Records name the one that they follow (``parentUuid``, after a compaction ``logicalParentUuid``), which makes a graph and
not a list: results of tools that ran at the same time and notes of hooks hang beside the line of the conversation. So a
second record below another begins a branch only where the conversation itself went on below both.

Not every record becomes an entry, so the record that an entry follows may be unknown. Such an entry is taken to follow the
one before it, and is counted as `unjoined`; others that name the same unknown record follow the same entry.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from ccdashd.sources.model import KIND

BranchKind = Literal["main", "rewind", "compaction", "sidechain"]

_AGENT: Final = frozenset(KIND[name] for name in ("assistant", "thinking", "toolCall"))
_CONVERSATION: Final = _AGENT | {
    KIND[name] for name in ("prompt", "bash", "steering", "image", "compactSummary", "compaction")
}
_CALL: Final = KIND["toolCall"]
_RESULT: Final = KIND["toolResult"]
_COMPACTION: Final = KIND["compaction"]
_SUMMARY: Final = KIND["compactSummary"]


class Step(Protocol):
    """What is needed of an entry."""

    @property
    def uuid(self) -> str | None: ...
    @property
    def parent(self) -> str | None: ...
    @property
    def kind(self) -> int: ...
    @property
    def sidechain(self) -> bool: ...


class Branch(msgspec.Struct, gc=False):
    """A branch; entries are told by their place in the transcript, branches by their place in `Branches.items`."""

    kind: BranchKind
    at: int | None
    """The entry that it follows; None where it follows nothing."""
    joined: bool
    """Whether the log tells that; else it follows what stands before it."""
    parent: int | None = None
    """The branch of that entry."""
    first: int = -1
    last: int = -1
    entries: int = 0
    before: int = 0
    """Entries on other branches that lead to it."""
    unjoined: int = 0


class Branches(NamedTuple):
    """The branches of a transcript in the order in which they begin, and which of them each entry is on."""

    items: list[Branch]
    of: array[int]
    current: int | None
    """That of what was said last; None in an empty transcript."""

    def path(self, number: int) -> list[range]:
        """The entries that lead to the end of a branch, in order: its own, and of each branch before it the part up to
        where it is left."""
        limits = {}
        at: int | None = len(self.of)
        while at is not None:
            limits[number] = at
            branch = self.items[number]
            at, number = branch.at, branch.parent if branch.parent is not None else number
        return _ranges(index for index, branch in enumerate(self.of) if index <= limits.get(branch, -1))


def derive(steps: Sequence[Step]) -> Branches:
    """The branches of a transcript, whose entries of one record stand side by side."""
    # In the transcript of a sub-agent all is a sidechain, and so nothing is.
    mixed = any(not step.sidechain and step.kind in _CONVERSATION for step in steps)
    tree = _Tree()
    for step in steps:
        tree.add(step, mixed and step.sidechain)
    return tree.branches()


def _ranges(indexes: Iterable[int]) -> list[range]:
    found: list[range] = []
    for index in indexes:
        if found and found[-1].stop == index:
            found[-1] = range(found[-1].start, index + 1)
        else:
            found.append(range(index, index + 1))
    return found


class _Node(msgspec.Struct, gc=False):
    """A record with its entries."""

    number: int
    parent: int
    """Number of the node that it follows; -1 where it follows nothing."""
    branch: int
    begin: int
    end: int
    kind: int
    """Of its first entry."""
    side: bool
    called: bool = False
    """Whether it holds a tool call."""
    went_on: bool = False
    """Whether the conversation went on below it, beside results of its calls."""

    @property
    def beside(self) -> bool:
        """Whether it stands beside the conversation, as a note or a command does, so that what comes below it goes on below
        the node that it follows."""
        return self.kind != _RESULT and self.kind not in _CONVERSATION


class _Tree:
    def __init__(self) -> None:
        self._branches: list[Branch] = []
        self._of = array("I")
        self._unjoined: list[int] = []
        self._nodes: list[_Node] = []
        self._numbers: dict[str, int] = {}
        """Nodes by uuid."""
        self._unknown: dict[str, int] = {}
        """The nodes that stand for records without entry, by their uuid."""
        self._ends = [-1, -1]
        """The node that the conversation is at, and that of the sidechain that was written last."""
        self._last: str | None = None

    def add(self, step: Step, side: bool) -> None:
        """The next entry; `side` where it belongs to a sidechain."""
        index = len(self._of)
        if step.uuid is None:
            end = self._ends[False]
            self._of.append(self._nodes[end].branch if end >= 0 else self._main())
        elif step.uuid in self._numbers:
            node = self._nodes[self._numbers[step.uuid]]
            node.end = index
            node.called = node.called or step.kind == _CALL
            self._of.append(node.branch)
        else:
            node = self._node(step, side, index)
            self._numbers[step.uuid] = node.number
            end = self._ends[side]
            if step.kind in _CONVERSATION or end < 0 or self._nodes[end].branch == node.branch:
                self._ends[side] = node.number

    def branches(self) -> Branches:
        """What there is now."""
        counts: dict[int, int] = {}
        left = {branch.at for branch in self._branches}
        for index, number in enumerate(self._of):
            branch = self._branches[number]
            branch.first = index if branch.first < 0 else branch.first
            branch.last = index
            branch.entries += 1
            if index in left:
                counts[index] = branch.entries
        for branch in sorted(self._branches, key=lambda branch: branch.first):
            if branch.at is not None:
                branch.parent = self._of[branch.at]
                branch.before = self._branches[branch.parent].before + counts[branch.at]
        for index in self._unjoined:
            self._branches[self._of[index]].unjoined += 1
        main = self._ends[False]
        current = self._nodes[main].branch if main >= 0 else 0 if self._branches else None
        return Branches(self._branches, self._of, current)

    def _node(self, step: Step, side: bool, index: int) -> _Node:
        parent, known = self._follows(step, side)
        fresh = not known and (step.parent is None or step.parent not in self._unknown)
        node = _Node(len(self._nodes), parent, -1, index, index, step.kind, side, step.kind == _CALL)
        self._nodes.append(node)
        compacted = step.kind == _COMPACTION or (step.kind == _SUMMARY and step.parent is None)
        if side and (parent < 0 or not self._nodes[parent].side):
            parent = parent if parent >= 0 else self._ends[False]
            node.branch, node.parent = self._branch("sidechain", parent, known), -1
        elif parent < 0:
            node.branch = self._main()
        elif compacted:
            node.branch = self._branch("compaction", parent, known)
            self._nodes[parent].went_on = True
        else:
            node.branch = self._nodes[parent].branch
            if not known:
                self._unjoined.append(index)
        self._of.append(node.branch)
        if step.kind in _CONVERSATION and node.parent >= 0 and not compacted:
            self._go_on(node, known, fresh)
        if not known and step.parent is not None and parent >= 0:
            self._unknown.setdefault(step.parent, parent)
        return node

    def _follows(self, step: Step, side: bool) -> tuple[int, bool]:
        """The node that a new one follows, and whether the log says so."""
        if step.parent is not None:
            number = self._numbers.get(step.parent)
            if number is not None and (side or not self._nodes[number].side):
                return number, True
            number = self._unknown.get(step.parent)
            if number is not None:
                return number, False
        elif side:
            return -1, False  # a sidechain begins
        return self._ends[side], False

    def _go_on(self, node: _Node, known: bool, fresh: bool) -> None:
        """Note that the conversation went on with a node: on its branch, or on a new one where it did so before.

        What stands beside the conversation and leads to the node goes along.
        """
        chain: list[_Node] = []
        top = self._nodes[node.parent]
        while top.beside and not top.went_on and top.parent >= 0 and self._nodes[top.parent].branch == top.branch:
            chain.append(top)
            top = self._nodes[top.parent]
        # Calls that run at the same time hang below each other, and what comes after them below any of them.
        meanwhile = top.called and node.kind in _AGENT
        if top.went_on and not meanwhile and not fresh:
            number = self._branch("rewind", top.number, known)
            self._move(chain[-1] if chain else node, node.branch, number)
        top.went_on = True
        for other in chain:
            other.went_on = True

    def _move(self, root: _Node, old: int, new: int) -> None:
        """Put a node, and what follows it on its branch, on another branch."""
        moved = {root.number}
        for node in self._nodes[root.number :]:
            if node.number in moved or (node.parent in moved and node.branch == old):
                moved.add(node.number)
                node.branch = new
                for index in range(node.begin, node.end + 1):
                    self._of[index] = new

    def _main(self) -> int:
        for number, branch in enumerate(self._branches):
            if branch.kind == "main":
                return number
        self._branches.append(Branch("main", None, True))
        return len(self._branches) - 1

    def _branch(self, kind: BranchKind, parent: int, joined: bool) -> int:
        at = self._nodes[parent].end if parent >= 0 else None
        self._branches.append(Branch(kind, at, joined))
        return len(self._branches) - 1
