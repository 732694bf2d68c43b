"""Which feature a document belongs to, by names alone. Pure.

A slug is lower case, its words joined by hyphens, without a date before them. ``x`` and ``x-v1`` are one feature; ``x-v2``
and ``x-v1.5`` are features of their own, versions of it. Features come from plans (PRDs and implementation plans), progress
folders, quick features and documents that name theirs in `feature_slug`; every other document joins the feature that it
names, or whose name is in its path. The outcome depends on the set of documents alone, in no way on their order.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from ccdashd.sources.planning import fields
from ccdashd.sources.planning.model import Document

TOOLING = frozenset({"skill", "agent", "command", "rule", "template", "changelog"})
"""Types of documents that serve all features: they belong to none, whatever a placeholder in them says."""

_PLANS = frozenset({"prd", "implementation_plan"})
_REFS = (*fields.PLAN_REFS, *fields.PRD_REFS, "prd")
_PROGRESS = "progress"
_QUICK = "quick-features"
_GENERIC = re.compile(r"prd|plan|implementation-plan|spec|design|proposal|tasks|index|phase-\d.*")
"""Names that say what kind of document it is: the folder has the feature's name."""

_AROUND = re.compile(r"readme|index|.*summary.*")
"""Names of files that tell of others."""

_DATE = re.compile(r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}-)+(?=.)")
"""Tools put the day before the names of plans, and of those that they archive."""

_VERSION = re.compile(r"-v\d+(?:-\d+)*$")
_FIRST = re.compile(r"(?:-v1(?:-0)*)+$")
_UNNAMED = "unnamed"


class Claim(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a document says of its feature; JSON in `documents.slugs`. Slugs are canonical."""

    doc_type: str = ""
    feature_slug: str = ""
    named: tuple[str, ...] = ()
    """Other slugs that it gives, the most trusted first."""
    refs: tuple[str, ...] = ()
    """Paths of its plan and PRD."""
    lineage: tuple[str, ...] = ()
    """Paths and slugs of what it supersedes or comes from."""
    by_path: str = ""
    """What its path calls its feature, without words for what kind of document it is."""


def claim(document: Document) -> Claim:
    """What `assign` needs of a document."""
    explicit = next((name.slug for name in document.slugs if name.source == "feature_slug"), "")
    others = (name.slug for name in document.slugs if name.source not in ("feature_slug", "path"))
    refs = (ref.path for field in _REFS for ref in document.refs if ref.field == field and ref.path)
    lineage = (name for name in (document.lineage_parent, *document.supersedes) if name)
    return Claim(
        document.doc_type,
        canonical(explicit),
        tuple(dict.fromkeys(filter(None, map(canonical, others)))),
        tuple(dict.fromkeys(refs)),
        tuple(dict.fromkeys(lineage)),
        canonical(next((name.slug for name in document.slugs if name.source == "path"), "")),
    )


@functools.lru_cache(8192)
def canonical(name: str) -> str:
    """The slug of a name as anybody may write it: ``X_v1.0`` and ``2026-02-04-x`` are ``x``, ``X v1.5`` is ``x-v1-5``."""
    return _DATE.sub("", dated(name))


@functools.lru_cache(8192)
def dated(name: str) -> str:
    """The slug of a name with the date before it, if it has one: quick features of one name are others on another day."""
    slug = re.sub(r"[\W_]+", "-", name.lower()).strip("-")
    return _FIRST.sub("", slug) or slug


@functools.lru_cache(8192)
def base(slug: str) -> str:
    """A canonical slug without its version."""
    return _VERSION.sub("", slug) or slug


def assign(claims: Mapping[str, Claim]) -> dict[str, str | None]:
    """The slug of each document's feature, by path; None where it belongs to none."""
    plans = _plans(claims)
    features = _Features(plans.values())
    assigned = plans | _progress(claims, features, plans) | _quick(claims)
    features = _Features(assigned.values())

    loose = {path: claim for path, claim in claims.items() if path not in assigned and claim.doc_type not in TOOLING}
    explicit = {path: _explicit(path, claim, features) for path, claim in loose.items() if claim.feature_slug}
    # What a document says of itself makes a feature; where others are looked for, all of these are there already.
    features = _Features([*assigned.values(), *explicit.values()])
    joined: dict[str, str | None] = {
        path: _join(path, claim, features, assigned) for path, claim in loose.items() if path not in explicit
    }
    return dict.fromkeys(claims) | joined | explicit | assigned


class _Features:
    """Slugs of features that there are."""

    def __init__(self, slugs: Iterable[str]) -> None:
        self.slugs = frozenset(slugs)
        versions: defaultdict[str, list[str]] = defaultdict(list)
        for slug in self.slugs:
            versions[base(slug)].append(slug)
        self._only = {name: slugs[0] for name, slugs in versions.items() if len(slugs) == 1}

    def find(self, slug: str) -> str | None:
        """The feature of that slug. A name without version means the only version there is."""
        return slug if slug in self.slugs else self._only.get(slug)


def _plans(claims: Mapping[str, Claim]) -> dict[str, str]:
    """PRDs and plans, and all plans in a folder of one."""
    own = {
        path: _own(path, claim)
        for path, claim in claims.items()
        if claim.doc_type in _PLANS and not (place := _place(path)).around and not place.progress and not place.quick
    }
    folders = _folders_of_features(claims, own)
    found = {}
    for path, claim in claims.items():
        if claim.doc_type in _PLANS or claim.doc_type == "phase_plan":
            place = _place(path)
            slug = next((folders[folder] for folder in place.folders if folder in folders), own.get(path))
            if slug is not None and not place.progress and not place.quick:
                found[path] = slug
    return found


def _own(path: str, claim: Claim) -> str:
    """The slug of a PRD or plan that lies in no folder of another."""
    place = _place(path)
    stem = place.stem
    if _GENERIC.fullmatch(stem) and place.folders:
        stem = _name(place.folders[0])
    explicit = claim.feature_slug
    # Tools that make slugs of whole paths put the name of the file at the end.
    if not explicit or (explicit.endswith("-md") and canonical(explicit[:-3]).endswith(f"-{stem}")):
        return stem
    return _more_precise(explicit, stem)


def _more_precise(explicit: str, other: str) -> str:
    """The explicit slug; the other one where it is the same with a version."""
    return other if explicit == base(other) else explicit


def _folders_of_features(claims: Mapping[str, Claim], own: Mapping[str, str]) -> dict[str, str]:
    """Folders whose plans are parts of one: beside or around a plan of the folder's name, or with progress of that name."""
    progress = {_name(folder) for path in claims if (folder := _place(path).progress)}
    folders: dict[str, str] = {}
    named: defaultdict[str, set[str]] = defaultdict(set)
    for path, slug in sorted(own.items()):
        folder, stem = path.rpartition("/")[0], _place(path).stem
        named[folder].add(stem)
        folders.setdefault(path.rpartition(".")[0], slug)
        if stem == _name(folder):
            folders.setdefault(folder, slug)
    for folder, stems in named.items():
        name = _name(folder)
        # A folder of many features may by chance have the name of one.
        if folder not in folders and name in progress and not (stems - {name}) & progress:
            folders[folder] = name
    return folders


def _progress(claims: Mapping[str, Claim], features: _Features, plans: Mapping[str, str]) -> dict[str, str]:
    """All files of each progress folder, which go to one feature together."""
    members: defaultdict[str, list[str]] = defaultdict(list)
    for path in claims:
        folder = _place(path).progress
        if folder is not None:
            members[folder].append(path)
    found = {}
    for folder, paths in members.items():
        slug = _of_folder(_name(folder), [claims[path] for path in paths], features, plans)
        found.update(dict.fromkeys(paths, slug))
    return found


def _of_folder(name: str, claims: list[Claim], features: _Features, plans: Mapping[str, str]) -> str:
    """The feature of a progress folder: that of its name, else one that its files name, else a new one of its name."""
    if name in features.slugs:
        return name
    sources = (
        [claim.feature_slug for claim in claims],
        [slug for claim in claims for slug in claim.named],
        [plans[ref] for claim in claims for ref in claim.refs if ref in plans],
    )
    for slugs in sources:
        known = Counter(slug for slug in slugs if slug in features.slugs and not _is_other_version(slug, name))
        if known:
            return min(known, key=lambda slug: (-known[slug], slug))
    return features.find(name) or name


def _is_other_version(slug: str, name: str) -> bool:
    return base(name) != name and base(slug) == base(name)


def _quick(claims: Mapping[str, Claim]) -> dict[str, str]:
    """Quick features: each file is one."""
    return {path: place.dated for path, claim in claims.items() if _is_quick(place := _place(path), claim)}


def _explicit(path: str, claim: Claim, features: _Features) -> str:
    """The feature that a document names as its own; a new one where there is none of that slug."""
    slug = claim.feature_slug
    for other in (*claim.named, *_place(path).names):
        if other in features.slugs and _more_precise(slug, other) == other:
            return other
    return features.find(slug) or slug


def _join(path: str, claim: Claim, features: _Features, assigned: Mapping[str, str]) -> str | None:
    """The feature that a document names, else the one whose plan it refers to, else the one whose name is in its path."""
    for slug in claim.named:
        if found := features.find(slug):
            return found
    for ref in claim.refs:
        if found := assigned.get(ref):
            return found
    return next(filter(None, map(features.find, (*_place(path).names, claim.by_path))), None)


def relatives(claims: Mapping[str, Claim], assigned: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Of each feature that has any: its other versions, and what its documents say that it supersedes or comes from."""
    features = _Features(filter(None, assigned.values()))
    versions: defaultdict[str, list[str]] = defaultdict(list)
    for slug in features.slugs:
        versions[base(slug)].append(slug)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for slugs in versions.values():
        for slug in slugs:
            found[slug].update(slugs)
    for path, claim in claims.items():
        own = assigned[path]
        if own is not None:
            for name in claim.lineage:
                named = assigned.get(name) or features.find(_place(name).stem)
                if named is not None:
                    found[own].add(named)
    return {slug: sorted(slugs - {slug}) for slug, slugs in found.items() if slugs - {slug}}


class _Place(NamedTuple):
    """What a path says."""

    stem: str
    """The slug of the file's name."""
    dated: str
    """With its date."""
    names: tuple[str, ...]
    """Slugs that may be a feature's: of its folders but the first, the nearest first, then its own."""
    folders: tuple[str, ...]
    """The folders above it, the nearest first."""
    progress: str | None
    """The folder of one feature's progress (``.claude/progress/<feature>``) that it lies in."""
    quick: bool
    """It lies in a folder of quick features."""
    around: bool
    """Its name says that it tells of other files."""


@functools.lru_cache(32_768)
def _place(path: str) -> _Place:
    *parts, name = path.split("/")
    bare = name.rpartition(".")[0] or name
    stem = canonical(bare) or _UNNAMED
    slugs = [canonical(part) or _UNNAMED for part in parts]
    folders = ["/".join(parts[:n]) for n in range(len(parts), 0, -1)]
    quick = bool(slugs) and slugs[-1] == _QUICK
    at = parts.index(_PROGRESS) + 1 if _PROGRESS in parts[:-1] else 0
    progress = "/".join(parts[: at + 1]) if at and slugs[at] != _QUICK else None
    names = (*reversed(slugs[1:]), stem)
    return _Place(
        stem, dated(bare) or _UNNAMED, names, tuple(folders), progress, quick, _AROUND.fullmatch(stem) is not None
    )


@functools.lru_cache(8192)
def _name(folder: str) -> str:
    """The slug of a folder's name."""
    return canonical(folder.rpartition("/")[2]) or _UNNAMED


def _is_quick(place: _Place, claim: Claim) -> bool:
    return (place.quick or claim.doc_type == "quick_feature") and not place.around and claim.doc_type not in TOOLING
