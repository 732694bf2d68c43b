"""What a document is, by its path and by what its frontmatter calls it, and which feature its path names. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from ccdashd.sources.planning.places import AGENT_FOLDERS

Boxes = Literal["tasks", "criteria", "none"]
"""What the boxes ``[ ]`` in the text of a document are, where its frontmatter has no tasks."""


class Kind(NamedTuple):
    """What a path tells of a document."""

    doc_type: str
    """``document`` where it tells nothing."""
    slug: str = ""
    """Name of the feature that the path is of, as written."""
    boxes: Boxes = "none"
    fixed: bool = False
    """Whether the frontmatter cannot say otherwise, as in a template for plans, which is no plan."""


_ALIASES: Final = {
    alias: doc_type
    for doc_type, aliases in {
        "prd": "product_requirements product_requirements_document requirements",
        "implementation_plan": "plan implementation impl_plan implementation_plans",
        "phase_plan": "phase",
        "progress": "phase_progress progress_tracking all_phases_progress",
        "quick_feature": "quick_feature_plan quick",
        "context": "context_notes phase_context",
        "worknote": "worknotes notes work_notes observations bug_fixes",
        "report": "technical_analysis analysis findings audit completion_report retro retrospective review verification",
        "adr": "decision decision_record architecture_decision_record decisions_block",
        "spike": "research technical_spike",
        "design_spec": "design design_doc design_document ui_spec",
        "spec": "specification",
        "feature_contract": "contract",
        "human_brief": "brief",
        "exploration": "exploration_charter charter",
        "meta_plan": "",
        "idea": "ideas request_log",
        "bug": "bug_report",
        "refactor": "refactoring",
        "architecture": "",
        "guide": "execution_guide testing_guide how_to tutorial",
        "reference": "gotcha",
        "task_list": "tasks todo",
        "changelog": "",
        "readme": "index",
    }.items()
    for alias in [doc_type, *aliases.split()]
}

_TOOLS: Final = {
    "skills": "reference",
    "agents": "agent",
    "commands": "command",
    "rules": "rule",
    "templates": "template",
    "examples": "template",
    "output-styles": "output_style",
    "hooks": "hook",
    "prompts": "prompt",
    "agent-memory": "memory",
    "memory": "memory",
    "config": "reference",
    "scripts": "reference",
}
"""Folders of an agent's folder that hold no plans, whatever the frontmatter of their files says."""

_FOLDERS: Final = {
    folder: doc_type
    for doc_type, folders in {
        "prd": "prds prd",
        "implementation_plan": "implementation-plans implementation-plan plans plan",
        "progress": "progress",
        "worknote": "worknotes notes",
        "quick_feature": "quick-features",
        "context": "context key-context",
        "report": "reports report findings analysis audits validation investigations retros postmortems reviews",
        "exploration": "explorations exploration",
        "adr": "adrs adr decisions",
        "spike": "spikes research",
        "design_spec": "design-specs design designs wireframes rfcs",
        "architecture": "architecture",
        "spec": "specs",
        "feature_contract": "feature-contracts contracts",
        "human_brief": "human-briefs briefs",
        "meta_plan": "meta-plans",
        "idea": "ideas",
        "bug": "bugs",
        "refactor": "refactors",
        "template": "templates",
        "guide": "guides tutorials how-to howto runbooks",
        "reference": "references reference",
    }.items()
    for folder in folders.split()
}

_HOLDERS: Final = frozenset({"prd", "implementation_plan", "progress", "worknote", "quick_feature"})
"""Types whose folder is above folders of categories and features: it counts, not what lies between it and the file."""

_CATEGORIES: Final = frozenset(
    (
        *("active", "archive", "archived", "backlog", "bug-fixes", "bugs", "chores", "completed", "docs", "done", "drafts"),
        *("enhancements", "features", "fixes", "harden-polish", "impl", "infrastructure", "init", "integrations"),
        *("maintenance", "refactors", "remediations", "scripts", "tech-debt"),
    )
)
"""Folders between the folder of PRDs or plans and a file that name no feature."""

_HINTS: Final = tuple(
    (re.compile(pattern), doc_type)
    for pattern, doc_type in (
        (r"adr[-_]?\d|.*[-_]adr$", "adr"),
        (r".*(?:implementation|work)[-_]plan", "implementation_plan"),
        (r"(?:.*[-_])?prd(?:[-_].*)?$", "prd"),
        (r"(?:.*[-_])?spike(?:[-_].*)?$", "spike"),
        (r".*exploration", "exploration"),
        (r".*(?:quick[-_]?ref|cheat[-_]?sheet)", "reference"),
        (
            r".*(?:report|summary|analysis|assessment|findings|audit|retro|post-?mortem|investigation|review|diagnosis|triage"
            r"|completion|verification|evidence|results|smoke)",
            "report",
        ),
        (r".*(?:design|wireframe|ui-spec|mockup)", "design_spec"),
        (r".*(?:guide|quickstart|tutorial|playbook|runbook|how-?to|install)", "guide"),
        (r".*architecture", "architecture"),
        (r"(?:todos?|tasks?|backlog|roadmap)$", "task_list"),
        (r".*(?:[-_]plan|^plan)$|plan$", "implementation_plan"),
        (r".*[-_]spec(?:ification)?$|spec$", "spec"),
        (r"context|.*[-_]context$", "context"),
    )
)
"""What the name of a file says where its folder says nothing; the first that fits."""

_FILES: Final = {
    **dict.fromkeys(("SKILL", "skill"), "skill"),
    **dict.fromkeys(("CLAUDE", "CLAUDE.local", "AGENTS", "GEMINI"), "instructions"),
    **dict.fromkeys(("README", "Readme", "readme", "INDEX", "index"), "readme"),
    **dict.fromkeys(("CHANGELOG", "Changelog", "changelog", "CHANGES", "HISTORY"), "changelog"),
}

_SPEC_KIT: Final = {"spec": "prd", "plan": "implementation_plan", "tasks": "task_list", "research": "spike"}
"""Files of a folder ``specs/<number>-<name>`` by Spec Kit (github.com/github/spec-kit)."""

_OPEN_SPEC: Final = {"proposal": "prd", "design": "design_spec", "tasks": "task_list", "spec": "spec"}
"""Files of a folder ``openspec/changes/<name>`` by OpenSpec (github.com/Fission-AI/OpenSpec)."""

_CRITERIA: Final = frozenset(
    {"prd", "implementation_plan", "phase_plan", "design_spec", "spec", "feature_contract", "spike", "adr", "exploration"}
)
_TASKS: Final = frozenset({"progress", "quick_feature", "task_list"})

_NAMED_ALIKE: Final = frozenset({"design_spec", "spike", "feature_contract", "human_brief", "exploration", "meta_plan"})
"""Types whose files are named after a feature, with a word for the type behind it."""

_TYPE_WORD: Final = re.compile(r"[-_](?:spike|design|design-spec|spec|exploration|contract|brief|charter)$", re.IGNORECASE)
_PHASE: Final = re.compile(
    r"(?<![a-z])phases?[-_ ]?(?P<first>\d{1,2}(?:\.\d{1,2})?[a-z]?|m\d)"
    r"(?:[-_](?P<last>\d{1,2}(?:\.\d{1,2})?))?(?![\da-z.])",
    re.IGNORECASE,
)


def classify(path: str) -> Kind:
    """What the path of a document, relative to the project, says of it."""
    *above, name = path.split("/")
    stem = name.rpartition(".")[0] or name
    folders = [folder.lower().replace("_", "-") for folder in above]
    for n, folder in enumerate(folders):
        if folder in AGENT_FOLDERS | {".specify"} and n + 1 < len(folders) and folders[n + 1] in _TOOLS:
            return Kind(_tool_type(folders[n + 1 :], stem), fixed=True)
    if "openspec" in folders:
        return _open_spec(above, stem)
    if len(above) > 1 and folders[-2] == "specs" and re.match(r"\d{3}-", folders[-1]):
        doc_type = _SPEC_KIT.get(stem.lower(), _hint(stem) or "document")
        return Kind(doc_type, above[-1], _boxes(doc_type))
    known = [n for n, folder in enumerate(folders) if folder in _FOLDERS]
    holders = [n for n in known if _FOLDERS[folders[n]] in _HOLDERS]
    at = (holders or known or [-1])[-1]
    if at < 0:
        doc_type = _FILES.get(stem) or _hint(stem) or "document"
        return Kind(doc_type, boxes="tasks" if doc_type == "implementation_plan" else _boxes(doc_type))
    holder = _FOLDERS[folders[at]]
    doc_type = _FILES.get(stem) or _type_below(holder, folders[at + 1 :], stem)
    slug = _slug(doc_type if doc_type in _NAMED_ALIKE and holder not in _HOLDERS else holder, above[at + 1 :], stem)
    # Elsewhere than below `implementation_plans`, where the tasks have progress files, a plan's boxes are its steps.
    steps = doc_type in ("implementation_plan", "phase_plan") and folders[at] in ("plan", "plans")
    return Kind(
        doc_type, slug, "tasks" if steps else _boxes(doc_type), fixed=doc_type in ("skill", "instructions", "template")
    )


def type_of(kind: Kind, names: Sequence[str]) -> str:
    """The type of a document of this kind by its path, whose frontmatter calls it `names`, the most trusted first."""
    if kind.fixed:
        return kind.doc_type
    for name in names:
        found = _ALIASES.get(re.sub(r"[\s\-]+", "_", name.strip().lower()))
        if found:
            return found
    return kind.doc_type


def boxes_of(kind: Kind, doc_type: str) -> Boxes:
    """What the boxes of a document are, once its type is known."""
    return kind.boxes if doc_type == kind.doc_type else _boxes(doc_type)


def phase_of(path: str) -> str:
    """The phase that the name of a file tells: ``2``, ``2.5``, ``1-2``, ``all``; empty where it tells none."""
    stem = path.rpartition("/")[2].rpartition(".")[0]
    if stem.lower().startswith(("all-phases", "all_phases")):
        return "all"
    found = _PHASE.search(stem)
    if found is None:
        return ""
    first, last = found["first"], found["last"]
    return f"{first}-{last}" if last else first


def _boxes(doc_type: str) -> Boxes:
    if doc_type in _TASKS:
        return "tasks"
    return "criteria" if doc_type in _CRITERIA else "none"


def _hint(stem: str) -> str:
    lower = stem.lower()
    return next((doc_type for pattern, doc_type in _HINTS if pattern.match(lower)), "")


def _tool_type(folders: list[str], stem: str) -> str:
    """The type of a file below a folder of tools; ``skills/<name>/templates`` holds templates."""
    named = _FILES.get(stem)
    if named:
        return named
    if folders[0] == "skills":
        inner = [folder for folder in folders[1:] if folder in ("templates", "examples", "agents", "commands")]
        return _TOOLS[inner[-1]] if inner else "reference"
    return _TOOLS[folders[0]]


def _open_spec(above: list[str], stem: str) -> Kind:
    doc_type = _FILES.get(stem) or _OPEN_SPEC.get(stem.lower()) or _hint(stem) or "document"
    below = above[above.index("changes") + 1 :] if "changes" in above else []
    if below[:1] == ["archive"]:
        below = below[1:]
    return Kind(doc_type, below[0] if below else "", _boxes(doc_type))


def _type_below(holder: str, between: list[str], stem: str) -> str:
    """The type of a file somewhere below the folder of a type, with the folders `between` them."""
    inner = [folder for folder in between if folder not in _CATEGORIES]
    if holder == "progress":
        if _PHASE.match(stem) or not inner or re.match(r".*(?:progress|phases)", stem.lower()):
            found = _hint(stem) if not inner else ""
            return found if found in ("exploration", "report") else "progress"
        return _hint(stem) or "worknote"
    if holder == "implementation_plan":
        if _PHASE.match(stem) and inner:
            return "phase_plan"
        if inner and stem.lower().replace("_", "-") != inner[-1]:
            return _hint(stem) or next((_FOLDERS[folder] for folder in reversed(inner) if folder in _FOLDERS), "document")
        return (_hint(stem) if stem.isupper() else "") or holder
    if holder == "prd":
        found = _hint(stem)
        return found or "document" if inner or found in ("adr", "implementation_plan") else holder
    if holder in ("worknote", "spec"):
        found = _hint(stem)
        return found if found == ("context" if holder == "worknote" else "design_spec") else holder
    return holder


def _slug(holder: str, between: list[str], stem: str) -> str:
    if holder in ("progress", "worknote"):
        if between:
            return between[0]
        return re.sub(r"[-_]progress$", "", stem) if holder == "progress" and not _PHASE.match(stem) else ""
    if holder == "quick_feature":
        return stem
    if holder in ("prd", "implementation_plan"):
        inner = [folder for folder in between if folder.lower().replace("_", "-") not in _CATEGORIES]
        return inner[0] if inner else stem
    return _TYPE_WORD.sub("", stem) if holder in _NAMED_ALIKE else ""
