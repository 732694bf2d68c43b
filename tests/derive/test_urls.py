"""What URLs lead to, as far as they tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.colors import normalised
from ccdashd.derive.urls import MAX_LABEL, check, recognise

HEX = "0123456789abcdef0123456789abcdef01234567"

TABLE = """
https://github.com/o/r/pull/42                                   | GitHub PR #42                | vcs
https://github.com/o/r/pull/42/files#diff-1                      | GitHub PR #42                | vcs
https://www.github.com/o/r/issues/7?x=1#issuecomment-1           | GitHub issue #7              | issue_tracker
https://github.acme.dev/o/r/issues/7                             | GitHub issue #7              | issue_tracker
https://github.com/o/r/discussions/9                             | GitHub discussion #9         | chat
https://github.com/o/r/commit/{hex}                              | GitHub commit 0123456        | vcs
https://github.com/o/r/tree/feat/till%20drawer                   | GitHub branch feat/till drawer | vcs
https://github.com/o/r/blob/main/src/a.py#L3                     | GitHub file src/a.py         | vcs
https://github.com/o/r/compare/main...next                       | GitHub comparison main...next | vcs
https://github.com/o/r/releases/tag/v1.2                         | GitHub release v1.2          | vcs
https://github.com/o/r/actions/runs/123/job/4                    | GitHub Actions run 123       | ci
https://github.com/o/r/actions                                   | GitHub Actions               | ci
https://github.com/o/r/wiki/Home                                 | GitHub wiki                  | docs
https://github.com/orgs/o/projects/3/views/1                     | GitHub project 3             | issue_tracker
https://github.com/o/r                                           | GitHub o/r                   | vcs
https://github.com/o                                             | GitHub                       | vcs
https://gist.github.com/o/{hex}                                  | GitHub gist                  | vcs
https://docs.github.com/en/actions                               | GitHub docs                  | docs
https://o.github.io/r/                                           | o.github.io/r                | docs
https://github.com.example.org/o/r/pull/1                        | github.com.example.org/o/r/pull/1 | other
https://notgithub.com/o/r/pull/1                                 | notgithub.com/o/r/pull/1     | other
https://gitlab.com/g/sub/r/-/merge_requests/5/diffs              | GitLab MR !5                 | vcs
https://gitlab.acme.dev/g/r/-/issues/6                           | GitLab issue #6              | issue_tracker
https://gitlab.com/g/r/-/commit/{hex}                            | GitLab commit 0123456        | vcs
https://gitlab.com/g/r/-/tree/feat/x?ref_type=heads              | GitLab branch feat/x         | vcs
https://gitlab.com/g/r/-/pipelines/77                            | GitLab pipeline 77           | ci
https://gitlab.com/g/r/-/jobs/78                                 | GitLab job 78                | ci
https://gitlab.com/g/r/-/wikis/How-to                            | GitLab wiki: How to          | docs
https://gitlab.com/g/r                                           | GitLab g/r                   | vcs
https://bitbucket.org/w/r/pull-requests/8/diff                   | Bitbucket PR #8              | vcs
https://bitbucket.org/w/r/commits/{hex}                          | Bitbucket commit 0123456     | vcs
https://bitbucket.org/w/r/branch/feat/x                          | Bitbucket branch feat/x      | vcs
https://bitbucket.org/w/r/issues/3/title                         | Bitbucket issue #3           | issue_tracker
https://bitbucket.org/w/r/pipelines/results/12                   | Bitbucket pipeline 12        | ci
https://codeberg.org/o/r/pulls/4                                 | Codeberg PR #4               | vcs
https://dev.azure.com/o/p/_git/r/pullrequest/55                  | Azure DevOps PR #55          | vcs
https://dev.azure.com/o/p/_workitems/edit/56                     | Azure DevOps work item 56    | issue_tracker
https://dev.azure.com/o/p/_build/results?buildId=57&view=logs    | Azure DevOps build 57        | ci
https://acme.atlassian.net/browse/SHOP-12                        | Jira SHOP-12                 | issue_tracker
https://jira.acme.dev/browse/SHOP-12?focused=1                   | Jira SHOP-12                 | issue_tracker
https://acme.atlassian.net/jira/boards/1?selectedIssue=SHOP-13   | Jira SHOP-13                 | issue_tracker
https://acme.atlassian.net/jira/boards/1                         | Jira                         | issue_tracker
https://acme.atlassian.net/wiki/spaces/S/pages/12/How+to+count   | Confluence: How to count     | docs
https://acme.atlassian.net/wiki/x/abc                            | Confluence                   | docs
https://confluence.acme.dev/display/S/How+to+count               | Confluence: How to count     | docs
https://linear.app/acme/issue/ENG-3/count-the-stock              | Linear ENG-3                 | issue_tracker
https://linear.app/acme/project/till-2f1                         | Linear project: till 2f1     | issue_tracker
https://acme.youtrack.cloud/issue/SH-1/title                     | YouTrack SH-1                | issue_tracker
https://app.shortcut.com/acme/story/99/title                     | Shortcut story 99            | issue_tracker
https://acme.sentry.io/issues/123/                               | Sentry issue 123             | issue_tracker
https://trello.com/c/AbC/12-count-the-stock                      | Trello: count the stock      | issue_tracker
https://bugzilla.mozilla.org/show_bug.cgi?id=42                  | Bugzilla bug 42              | issue_tracker
https://www.notion.so/acme/How-to-count-0123456789abcdef0123456789abcdef?v=1 | Notion: How to count | docs
https://acme.notion.site/Home                                    | Notion                       | docs
https://docs.google.com/document/d/x/edit                        | Google Docs                  | docs
https://acme.slack.com/archives/C01/p1700000000000000            | Slack message                | chat
https://app.slack.com/client/T1/C1                               | Slack                        | chat
https://discord.com/channels/1/2/3                               | Discord                      | chat
https://teams.microsoft.com/l/message/x                          | Microsoft Teams              | chat
https://www.figma.com/design/KEY/Till-drawer?node-id=1           | Figma: Till drawer           | design
https://figma.com/@me                                            | Figma                        | design
https://miro.com/app/board/x                                     | Miro                         | design
https://app.circleci.com/pipelines/github/o/r/321/workflows/x    | CircleCI pipeline 321        | ci
https://jenkins.acme.dev/job/shop/12/console                     | Jenkins shop #12             | ci
https://buildkite.com/acme/shop/builds/5                         | Buildkite shop #5            | ci
https://ci.acme.dev/x                                            | ci.acme.dev/x                | ci
https://docs.rs/serde/latest/serde/                              | docs.rs: serde               | docs
https://docs.python.org/3/library/re.html                        | docs.python.org/3/library/re.html | docs
https://developer.mozilla.org/en-US/docs/Web/API/Fetch_API       | MDN: Fetch API               | docs
https://en.wikipedia.org/wiki/Cash_register                      | Wikipedia: Cash register     | docs
https://shop.readthedocs.io/en/latest/                           | shop.readthedocs.io/en/latest | docs
https://acme.dev/docs/intro                                      | acme.dev/docs/intro          | docs
https://example.com                                              | example.com                  | other
HTTPS://Example.COM/a%20b/?q=1                                   | example.com/a b              | other
http://localhost:8000/x                                          | localhost/x                  | other
http://[::1]:80/x                                                | ::1/x                        | other
https://bücher.example/ü                                         | bücher.example/ü             | other
mailto:me%2Bshop@example.com?subject=x                           | Mail to me+shop@example.com  | other
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines())
def test_what_urls_lead_to(row: str) -> None:
    url, label, category = (part.strip() for part in row.format(hex=HEX).split(" | "))
    assert check(f" {url}\n") == url
    assert recognise(url) == (label, category)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "must begin with http://"),
        ("example.com", "must begin with http://"),
        ("javascript:alert(1)", "must begin with http://"),
        ("file:///etc/passwd", "must begin with http://"),
        ("ftp://example.com", "must begin with http://"),
        ("http:", "names no host; write http://host/path"),
        ("http:example.com", "names no host"),
        ("https:///path", "names no host; write https://host/path"),
        ("https://..", "names no host"),
        ("https://-a.org", "names no host"),
        ("https://a..org", "names no host"),
        ("https://<script>", "names no host"),
        ("https://" + "a" * 300, "names no host"),
        ("https://a b.org", "has spaces or control characters"),
        ("https://a.org/\x00", "has spaces or control characters"),
        ("https://a.org/\u202etxt", "has spaces or control characters"),
        ("https://a.org:99999/", "is no URL"),
        ("https://a.org:port/", "is no URL"),
        ("https://[::1", "is no URL"),
        ("mailto:", "names no mail address"),
        ("mailto:me", "names no mail address"),
        ("mailto:me@", "names no mail address"),
        ("mailto:@a.org", "names no mail address"),
        ("https://a.org/" + "x" * 2000, "has 2,014 characters; at most 2,000"),
    ],
)
def test_what_is_no_url_to_be_followed(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match="^" + problem.replace("/", "/").replace("(", r"\(")):
        check(url)


@given(
    st.text(max_size=60),
    st.sampled_from(["", "https://", "https://github.com/", "https://a.org/", "mailto:a@b.c?", "http://["]),
)
def test_any_text_is_refused_or_has_a_label_that_can_be_shown(text: str, before: str) -> None:
    try:
        url = check(before + text)
    except ValueError as error:
        assert str(error)
        return
    label, _ = recognise(url)
    assert label.isprintable()
    assert 0 < len(label) <= MAX_LABEL


def test_a_long_label_is_cut() -> None:
    label, _ = recognise("https://github.com/o/r/tree/" + "x" * 500)
    assert (len(label), label[-2:]) == (MAX_LABEL, "x…")


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("", ""),
        (" #A1b2C3 ", "#a1b2c3"),
        ("#abc", "#aabbcc"),
        ("Teal", "#008080"),
        ("grey", "#808080"),
        ("gray", "#808080"),
    ],
)
def test_colors_are_written_in_one_way(color: str, expected: str) -> None:
    assert normalised(color) == expected


@pytest.mark.parametrize("color", ["#", "#12", "#12345", "#ggg", "abc", "transparent", "#aabbccdd", "rgb(0,0,0)", "#abc;x"])
def test_what_is_no_color(color: str) -> None:
    with pytest.raises(ValueError, match="must be #rrggbb, #rgb or one of aqua, black, blue"):
        normalised(color)
