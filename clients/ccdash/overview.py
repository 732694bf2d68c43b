"""The overview of one session: what `ccdash show` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ccdash.figures import count, duration, local, total_tokens
from ccdash.output import Output
from ccdash.plan_tables import draw_entities
from ccdash.sections import SHORT_LIST, Page, user_facts
from ccdash.session_tables import draw_files, draw_thread, draw_usage
from ccdash.table import fields, heading
from ccdash.text import clean, clip

PROMPT_CELLS = 300


def overview(
    out: Output,
    session: Mapping[str, Any],
    tools: Sequence[Mapping[str, Any]],
    files: Sequence[Mapping[str, Any]],
    thread: Sequence[Mapping[str, Any]],
    *,
    full: bool = False,
) -> None:
    """Write title, origin, times, counts and tokens; then tools, files, relatives, what it is linked with, what the user
    said of it, and diagnostics."""
    out.line(out.paint(clean(session["title"]) or "(no title)", "bold"))
    fields(out, _facts(session, full))
    most = None if full else SHORT_LIST
    if tools:
        heading(out, "Tools")
        draw_usage(out, tools, most)
        _rest(out, len(tools), most, "--tools")
    edited = [change for change in files if change["edits"]]
    if edited:
        added, removed = (sum(change[sign] for change in edited) for sign in ("additions", "deletions"))
        heading(out, f"Files edited: {len(edited):,} (+{added:,} -{removed:,} lines)")
        draw_files(out, edited, most)
        _rest(out, len(edited), most, "--files")
    related = [node for node in thread if node["relation"] != "self"]
    if related:
        heading(out, "Related sessions")
        draw_thread(out, related, most)
        _rest(out, len(related), most, "--thread")
    page = Page(out, full=full)
    project = session["projectId"]
    page.table("Linked with", session["related"], lambda rows: draw_entities(out, rows, project))
    page.user(session)
    _diagnostics(out, session["diagnostics"], most)


def _facts(session: Mapping[str, Any], full: bool) -> list[tuple[str, str]]:
    counts = session["counts"]
    state = str(session["status"])
    if session["sourceGone"]:
        state += "; its log is gone, what the cache knows is kept"
    if not session["indexed"]:
        state += "; only head and tail of its log were read so far, figures are incomplete"
    prompt = clean(session["firstPrompt"])
    return [
        ("id", clean(session["id"])),
        ("status", state),
        ("project", f"{clean(session['projectName'])} ({clean(session['projectId'])})"),
        ("folder", _most(session["cwds"], session["cwd"])),
        ("branch", _most(session["gitBranches"], session["gitBranch"])),
        ("agent", " ".join(part for part in (clean(session["agent"]), clean(session["version"])) if part)),
        ("kind", clean(session["agentType"] or "")),
        *user_facts(session),
        ("parent", clean(session["parentId"] or "")),
        ("models", _models(session)),
        ("started", local(session["startedAt"])),
        ("ended", f"{local(session['endedAt'])} (after {duration(session['duration'])})"),
        ("counts", _counts(counts)),
        ("tokens", _tokens(session["tokens"], session["outputLowerBoundMessages"])),
        ("own tokens", _own_tokens(session)),
        ("commands", ", ".join(f"{clean(name)} ({times})" for name, times in session["commands"].items())),
        ("links", "\n".join(clean(link) for link in session["prLinks"])),
        ("logs", "\n".join(clean(path) for path in session["sourceFiles"])),
        ("first prompt", prompt if full else clip(prompt, PROMPT_CELLS)),
    ]


def _most(numbers: Mapping[str, int], main: str) -> str:
    """The main value, with the others where there are several."""
    others = [clean(value) for value in numbers if value and value != main]
    return clean(main) + (f" (also {', '.join(others[:3])}{' …' if len(others) > 3 else ''})" if others else "")


def _models(session: Mapping[str, Any]) -> str:
    models = session["models"]
    if len(models) < 2:
        return clean(session["model"])
    return ", ".join(
        f"{clean(name)} ({_number(number, 'messages')})" for name, number in sorted(models.items(), key=lambda m: -m[1])
    )


def _counts(counts: Mapping[str, int]) -> str:
    named = [
        ("prompts", "prompts"),
        ("commands", "commands"),
        ("steering", "steering"),
        ("assistantMessages", "answers"),
        ("toolCalls", "tool calls"),
        ("toolErrors", "tool errors"),
        ("compactions", "compactions"),
        ("subagents", "sub-agents"),
        ("interrupts", "interrupts"),
        ("apiErrors", "API errors"),
        ("records", "records"),
    ]
    always = ("prompts", "assistantMessages", "toolCalls", "toolErrors")
    return ", ".join(_number(counts[key], name) for key, name in named if counts[key] or key in always)


def _number(number: int, name: str) -> str:
    return f"{number:,} {name.removesuffix('s') if number == 1 else name}"


def _tokens(tokens: Mapping[str, int], lower_bounds: int) -> str:
    """Tokens by kind. Output is a lower bound where some message never logged its last usage."""
    sign = ">=" if lower_bounds else ""
    parts = [
        f"{count(tokens['input'])} input",
        f"{sign}{count(tokens['output'])} output",
        f"{count(tokens['cacheRead'])} cache read",
        f"{count(tokens['cacheWrite'])} cache write",
    ]
    note = f" (output of {lower_bounds:,} messages is a lower bound)" if lower_bounds else ""
    return ", ".join(parts) + note


def _own_tokens(session: Mapping[str, Any]) -> str:
    if session["tokensOwn"] == session["tokens"]:
        return ""
    return f"{count(total_tokens(session['tokensOwn']))} of {count(total_tokens(session['tokens']))}; others count the rest"


def _diagnostics(out: Output, found: Sequence[Mapping[str, Any]], most: int | None) -> None:
    if not found:
        return
    heading(out, "Not understood")
    for diagnostic in found[:most]:
        times = f" ({diagnostic['count']:,} times)" if diagnostic["count"] > 1 else ""
        line = f", line {diagnostic['line']}" if diagnostic["line"] else ""
        out.line(f"{diagnostic['severity']}: {clean(diagnostic['message'])}{line}{times}")
    _rest(out, len(found), most, "--full")


def _rest(out: Output, total: int, most: int | None, option: str) -> None:
    if most is not None and total > most:
        out.line(out.paint(f"… {total - most:,} more; {option} lists them", "dim"))
