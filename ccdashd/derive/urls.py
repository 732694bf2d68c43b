"""What a URL leads to, as far as the URL itself tells: a label and a category. Pure; nothing is fetched."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from ccdashd.protocol.types.tags import LinkCategory

MAX_URL = 2_000
"""Characters of a URL; what is longer is cut off by browsers and servers, each at a place of its own."""

MAX_LABEL = 200
"""Characters of a label."""


class Recognised(NamedTuple):
    """What a URL leads to."""

    label: str
    category: LinkCategory


class _Rule(NamedTuple):
    """`hosts`: one by its name, ``*.name`` also what is below it, ``name.*`` what begins so. `place` is searched at the
    beginning of path and query; its groups fill the label."""

    hosts: str
    place: str
    label: str
    category: LinkCategory


_RULES = (
    _Rule("gist.github.com", r"/", "GitHub gist", "vcs"),
    _Rule("docs.github.com", r"/", "GitHub docs", "docs"),
    _Rule("github.com github.*", r"/[^/]+/[^/]+/pull/(?P<n>\d+)", "GitHub PR #{n}", "vcs"),
    _Rule("github.com github.*", r"/[^/]+/[^/]+/issues/(?P<n>\d+)", "GitHub issue #{n}", "issue_tracker"),
    _Rule("github.com github.*", r"/[^/]+/[^/]+/discussions/(?P<n>\d+)", "GitHub discussion #{n}", "chat"),
    _Rule("github.com github.*", r"/[^/]+/[^/]+/commit/(?P<sha>[0-9a-f]{7,})", "GitHub commit {sha}", "vcs"),
    _Rule("github.com github.*", r"/[^/]+/[^/]+/tree/(?P<name>[^?]+)", "GitHub branch {name}", "vcs"),
    _Rule("github.com github.*", r"/[^/]+/[^/]+/blob/[^/]+/(?P<name>[^?]+)", "GitHub file {name}", "vcs"),
    _Rule("github.com github.*", r"/[^/]+/[^/]+/compare/(?P<name>[^?]+)", "GitHub comparison {name}", "vcs"),
    _Rule("github.com github.*", r"/[^/]+/[^/]+/releases/tag/(?P<name>[^?]+)", "GitHub release {name}", "vcs"),
    _Rule("github.com github.*", r"/[^/]+/[^/]+/actions/runs/(?P<n>\d+)", "GitHub Actions run {n}", "ci"),
    _Rule("github.com github.*", r"/[^/]+/[^/]+/actions\b", "GitHub Actions", "ci"),
    _Rule("github.com github.*", r"/[^/]+/[^/]+/wiki\b", "GitHub wiki", "docs"),
    _Rule("github.com github.*", r"/(?:orgs|users)/[^/]+/projects/(?P<n>\d+)", "GitHub project {n}", "issue_tracker"),
    _Rule("github.com github.*", r"/(?P<name>[^/?]+/[^/?]+)", "GitHub {name}", "vcs"),
    _Rule("github.com github.*", r"", "GitHub", "vcs"),
    _Rule("docs.gitlab.com", r"/", "GitLab docs", "docs"),
    _Rule("gitlab.com gitlab.*", r"/.+?/merge_requests/(?P<n>\d+)", "GitLab MR !{n}", "vcs"),
    _Rule("gitlab.com gitlab.*", r"/.+?/(?:issues|work_items)/(?P<n>\d+)", "GitLab issue #{n}", "issue_tracker"),
    _Rule("gitlab.com gitlab.*", r"/.+?/commit/(?P<sha>[0-9a-f]{7,})", "GitLab commit {sha}", "vcs"),
    _Rule("gitlab.com gitlab.*", r"/.+?/-/tree/(?P<name>[^?]+)", "GitLab branch {name}", "vcs"),
    _Rule("gitlab.com gitlab.*", r"/.+?/-/blob/[^/]+/(?P<name>[^?]+)", "GitLab file {name}", "vcs"),
    _Rule("gitlab.com gitlab.*", r"/.+?/pipelines/(?P<n>\d+)", "GitLab pipeline {n}", "ci"),
    _Rule("gitlab.com gitlab.*", r"/.+?/jobs/(?P<n>\d+)", "GitLab job {n}", "ci"),
    _Rule("gitlab.com gitlab.*", r"/.+?/wikis/(?P<title>[^?]+)", "GitLab wiki: {title}", "docs"),
    _Rule("gitlab.com gitlab.*", r"/(?P<name>[^/?]+/[^?]+)", "GitLab {name}", "vcs"),
    _Rule("gitlab.com gitlab.*", r"", "GitLab", "vcs"),
    _Rule("bitbucket.org bitbucket.*", r"/.+?/pull-requests/(?P<n>\d+)", "Bitbucket PR #{n}", "vcs"),
    _Rule("bitbucket.org bitbucket.*", r"/.+?/issues/(?P<n>\d+)", "Bitbucket issue #{n}", "issue_tracker"),
    _Rule("bitbucket.org bitbucket.*", r"/.+?/commits/(?P<sha>[0-9a-f]{7,})", "Bitbucket commit {sha}", "vcs"),
    _Rule("bitbucket.org bitbucket.*", r"/.+?/branch/(?P<name>[^?]+)", "Bitbucket branch {name}", "vcs"),
    _Rule("bitbucket.org bitbucket.*", r"/.+?/pipelines/results/(?P<n>\d+)", "Bitbucket pipeline {n}", "ci"),
    _Rule("bitbucket.org bitbucket.*", r"/(?P<name>[^/?]+/[^/?]+)", "Bitbucket {name}", "vcs"),
    _Rule("bitbucket.org bitbucket.*", r"", "Bitbucket", "vcs"),
    _Rule("codeberg.org", r"/[^/]+/[^/]+/pulls/(?P<n>\d+)", "Codeberg PR #{n}", "vcs"),
    _Rule("codeberg.org", r"/[^/]+/[^/]+/issues/(?P<n>\d+)", "Codeberg issue #{n}", "issue_tracker"),
    _Rule("codeberg.org", r"/[^/]+/[^/]+/commit/(?P<sha>[0-9a-f]{7,})", "Codeberg commit {sha}", "vcs"),
    _Rule("codeberg.org", r"/(?P<name>[^/?]+/[^/?]+)", "Codeberg {name}", "vcs"),
    _Rule("dev.azure.com *.visualstudio.com", r"/.+/pullrequest/(?P<n>\d+)", "Azure DevOps PR #{n}", "vcs"),
    _Rule("dev.azure.com *.visualstudio.com", r"/.+/commit/(?P<sha>[0-9a-f]{7,})", "Azure DevOps commit {sha}", "vcs"),
    _Rule(
        "dev.azure.com *.visualstudio.com",
        r"/.+/_workitems/edit/(?P<n>\d+)",
        "Azure DevOps work item {n}",
        "issue_tracker",
    ),
    _Rule("dev.azure.com *.visualstudio.com", r"/.+/_build\b.*?buildId=(?P<n>\d+)", "Azure DevOps build {n}", "ci"),
    _Rule("dev.azure.com *.visualstudio.com", r"/.+/_git/(?P<name>[^/?]+)", "Azure DevOps {name}", "vcs"),
    _Rule("*.atlassian.net", r"/wiki/spaces/[^/]+/pages/\d+/(?P<title>[^/?]+)", "Confluence: {title}", "docs"),
    _Rule("*.atlassian.net", r"/wiki\b", "Confluence", "docs"),
    _Rule("*.atlassian.net", r"/.*[?&]selectedIssue=(?P<key>[A-Z][A-Z0-9_]*-\d+)", "Jira {key}", "issue_tracker"),
    _Rule("confluence.* wiki.*", r"/display/[^/]+/(?P<title>[^/?]+)", "Confluence: {title}", "docs"),
    _Rule("confluence.*", r"", "Confluence", "docs"),
    _Rule("*", r"/(?:.+/)?browse/(?P<key>[A-Z][A-Z0-9_]*-\d+)", "Jira {key}", "issue_tracker"),
    _Rule("*.atlassian.net jira.*", r"", "Jira", "issue_tracker"),
    _Rule("linear.app", r"/[^/]+/issue/(?P<key>[A-Za-z0-9]+-\d+)", "Linear {key}", "issue_tracker"),
    _Rule("linear.app", r"/[^/]+/project/(?P<title>[^/?]+)", "Linear project: {title}", "issue_tracker"),
    _Rule("linear.app", r"/[^/]+/document/(?P<title>[^/?]+)", "Linear document: {title}", "docs"),
    _Rule("linear.app", r"", "Linear", "issue_tracker"),
    _Rule("*.youtrack.cloud youtrack.*", r"/(?:.+/)?issue/(?P<key>[A-Z][A-Z0-9_]*-\d+)", "YouTrack {key}", "issue_tracker"),
    _Rule("app.shortcut.com", r"/[^/]+/story/(?P<n>\d+)", "Shortcut story {n}", "issue_tracker"),
    _Rule("*.sentry.io sentry.*", r"/(?:.+/)?issues/(?P<n>\d+)", "Sentry issue {n}", "issue_tracker"),
    _Rule("app.asana.com", r"", "Asana", "issue_tracker"),
    _Rule("trello.com", r"/c/[^/]+/(?:\d+-)?(?P<title>[^/?]+)", "Trello: {title}", "issue_tracker"),
    _Rule("trello.com", r"", "Trello", "issue_tracker"),
    _Rule("app.clickup.com", r"/t/(?P<key>[^/?]+)", "ClickUp {key}", "issue_tracker"),
    _Rule("app.clickup.com", r"", "ClickUp", "issue_tracker"),
    _Rule("*.monday.com", r"/boards/", "monday.com board", "issue_tracker"),
    _Rule("*", r"/(?:.+/)?show_bug\.cgi\?(?:.*&)?id=(?P<n>\d+)", "Bugzilla bug {n}", "issue_tracker"),
    _Rule("*.notion.so *.notion.site", r"/(?:.+/)?(?P<title>[^/?]+)-[0-9a-f]{32}\b", "Notion: {title}", "docs"),
    _Rule("*.notion.so *.notion.site", r"", "Notion", "docs"),
    _Rule("docs.google.com", r"/document/", "Google Docs", "docs"),
    _Rule("docs.google.com", r"/spreadsheets/", "Google Sheets", "docs"),
    _Rule("docs.google.com", r"/presentation/", "Google Slides", "docs"),
    _Rule("drive.google.com", r"", "Google Drive", "docs"),
    _Rule("*.slack.com", r"/archives/[^/]+/p\d+", "Slack message", "chat"),
    _Rule("*.slack.com", r"", "Slack", "chat"),
    _Rule("discord.com", r"/channels/", "Discord", "chat"),
    _Rule("discord.gg", r"", "Discord", "chat"),
    _Rule("teams.microsoft.com teams.live.com", r"", "Microsoft Teams", "chat"),
    _Rule("*.zulipchat.com zulip.*", r"", "Zulip", "chat"),
    _Rule("mattermost.*", r"", "Mattermost", "chat"),
    _Rule("matrix.to", r"", "Matrix", "chat"),
    _Rule("t.me", r"", "Telegram", "chat"),
    _Rule("groups.google.com", r"", "Google Groups", "chat"),
    _Rule("*.figma.com", r"/(?:file|design|proto|board|slides)/[^/]+/(?P<title>[^/?]+)", "Figma: {title}", "design"),
    _Rule("*.figma.com", r"", "Figma", "design"),
    _Rule("*.miro.com", r"", "Miro", "design"),
    _Rule("excalidraw.com", r"", "Excalidraw", "design"),
    _Rule("*.sketch.com", r"", "Sketch", "design"),
    _Rule("*.zeplin.io", r"", "Zeplin", "design"),
    _Rule("*.whimsical.com", r"", "Whimsical", "design"),
    _Rule("*.lucid.app", r"", "Lucid", "design"),
    _Rule("*.canva.com", r"", "Canva", "design"),
    _Rule("*.circleci.com", r"/pipelines/.+?/(?P<n>\d+)\b", "CircleCI pipeline {n}", "ci"),
    _Rule("*.circleci.com", r"", "CircleCI", "ci"),
    _Rule("*.travis-ci.com *.travis-ci.org", r"/.+?/builds/(?P<n>\d+)", "Travis CI build {n}", "ci"),
    _Rule("*.travis-ci.com *.travis-ci.org", r"", "Travis CI", "ci"),
    _Rule("jenkins.*", r"/(?:.+/)?job/(?P<name>[^/?]+)/(?P<n>\d+)", "Jenkins {name} #{n}", "ci"),
    _Rule("jenkins.*", r"", "Jenkins", "ci"),
    _Rule("buildkite.com", r"/[^/]+/(?P<name>[^/]+)/builds/(?P<n>\d+)", "Buildkite {name} #{n}", "ci"),
    _Rule("buildkite.com", r"", "Buildkite", "ci"),
    _Rule("ci.appveyor.com", r"", "AppVeyor", "ci"),
    _Rule("teamcity.*", r"", "TeamCity", "ci"),
    _Rule("*.semaphoreci.com", r"", "Semaphore", "ci"),
    _Rule("drone.* ci.* build.*", r"", "{host}{rest}", "ci"),
    _Rule("docs.rs", r"/(?P<name>[^/?]+)", "docs.rs: {name}", "docs"),
    _Rule("developer.mozilla.org", r"/(?:.+/)?(?P<title>[^/?]+)", "MDN: {title}", "docs"),
    _Rule("*.wikipedia.org", r"/wiki/(?P<title>[^/?]+)", "Wikipedia: {title}", "docs"),
    _Rule("*.readthedocs.io *.readthedocs.org *.gitbook.io *.github.io *.gitlab.io", r"", "{host}{rest}", "docs"),
    _Rule("pkg.go.dev learn.microsoft.com", r"", "{host}{rest}", "docs"),
    _Rule("docs.* doc.* wiki.* developer.* developers.*", r"", "{host}{rest}", "docs"),
    _Rule("*", r"/(?:.+/)?(?:docs|documentation|wiki)(?:/|$)", "{host}{rest}", "docs"),
    _Rule("*", r"", "{host}{rest}", "other"),
)
"""The first that fits counts."""


def check(url: str) -> str:
    """The URL without spaces around it. Raises ValueError, with what is wrong with it, where it cannot be followed."""
    url = url.strip()
    if len(url) > MAX_URL:
        raise ValueError(f"has {len(url):,} characters; at most {MAX_URL:,}")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("has spaces or control characters; write %20 for a space")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"is no URL: {error}") from error
    if parts.scheme not in ("http", "https", "mailto"):
        raise ValueError("must begin with http://, https:// or mailto:")
    if parts.scheme == "mailto":
        local, _, host = parts.path.rpartition("@")
        if not local or not _is_host(host):
            raise ValueError("names no mail address; write mailto:name@host")
    elif not _is_host(parts.hostname or ""):
        raise ValueError(f"names no host; write {parts.scheme}://host/path")
    return url


def recognise(url: str) -> Recognised:
    """The label and category of a URL that `check` accepts."""
    parts = urlsplit(url)
    if parts.scheme == "mailto":
        return Recognised(_cut(f"Mail to {unquote(parts.path)}"), "other")
    host = (parts.hostname or "").removeprefix("www.")
    place = parts.path + (f"?{parts.query}" if parts.query else "")
    for rule in _RULES:
        found = re.match(rule.place, place) if _is_at(host, rule.hosts) else None
        if found is not None:
            words = {name: _word(name, word) for name, word in found.groupdict().items()}
            return Recognised(_cut(rule.label.format(host=host, rest=_rest(parts), **words)), rule.category)
    raise AssertionError("the last rule fits every URL")


def _is_host(host: str) -> bool:
    if ":" in host:
        return True  # an IPv6 address, which urlsplit looked at
    labels = host.removesuffix(".").split(".")
    return all(re.fullmatch(r"[^\W_](?:[\w-]*[^\W_])?", label) for label in labels) and len(host) <= 253


def _is_at(host: str, hosts: str) -> bool:
    for wanted in hosts.split():
        if wanted in ("*", host):
            return True
        if wanted.startswith("*.") and (host == wanted[2:] or host.endswith(wanted[1:])):
            return True
        if wanted.endswith(".*") and host.startswith(wanted[:-1]):
            # github.example.org is somebody's own GitHub, github.com.example.org only looks like it.
            return re.match(r"(?:com|net|org|io)\.", host[len(wanted) - 1 :]) is None
    return False


def _word(name: str, word: str) -> str:
    if name == "sha":
        return word[:7]
    word = unquote(word, errors="replace").strip("/")
    return re.sub(r"[-+_]+", " ", word).strip() if name == "title" else word


def _rest(parts: SplitResult) -> str:
    return unquote(parts.path, errors="replace").rstrip("/")


def _cut(label: str) -> str:
    label = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in label)
    return label if len(label) <= MAX_LABEL else label[: MAX_LABEL - 1] + "…"
