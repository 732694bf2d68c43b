"""What is taken out of texts and records, what stays, and that records stay what they are."""

from __future__ import annotations

import base64
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.redact import Redactor

CORPUS = os.environ.get("CCDASH_CORPUS", "")
HOME = "/srv/people/mona"

ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def made(length: int, letters: str = ALNUM) -> str:
    """A string by chance, the same every time; no secret stands whole in this file, where scanners would find it."""
    return "".join(random.Random(length).choices(letters, k=length))


HEX = "0123456789abcdef"
PEM = "\n".join(base64.b64encode(random.Random(n).randbytes(48)).decode() for n in range(12))
PGP = "PGP PRIVATE KEY BLOCK"

SECRETS: dict[str, str] = {
    "aws-access-key": "AKIA" + made(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "github-token": "ghp_" + made(36),
    "github-token (fine-grained)": "github_pat_" + made(22) + "_" + made(59),
    "gitlab-token": "glpat-" + made(20),
    "slack-token": "xoxb-" + made(12, "0123456789") + "-" + made(24),
    "slack-token (app)": "xapp-1-" + made(11) + "-" + made(64),
    "stripe-key": "sk_live_" + made(24),
    "anthropic-key": "sk-ant-api03-" + made(93) + "AA",
    "openai-key": "sk-proj-" + made(48),
    "openai-key (old)": "sk-" + made(48),
    "google-key": "AIza" + made(35),
    "npm-token": "npm_" + made(36),
    "pypi-token": "pypi-AgEIcHlwaS5vcmc" + made(60),
    "huggingface-token": "hf_" + made(34),
    "digitalocean-token": "dop_v1_" + made(64, HEX),
    "docker-token": "dckr_pat_" + made(27),
    "sendgrid-key": "SG." + made(22) + "." + made(43),
    "vault-token": "hvs." + made(24),
    "llm-key": "gsk_" + made(52),
    "grafana-token": "glsa_" + made(32) + "_" + made(8, HEX),
    "databricks-token": "dapi" + made(32, HEX),
    "linear-key": "lin_api_" + made(40),
    "shopify-token": "shpat_" + made(32, HEX),
    "sentry-token": "sntrys_" + made(60),
    "age-key": "AGE-SECRET-KEY-1" + made(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
    "jwt": "eyJ" + made(20) + ".eyJ" + made(60) + "." + made(43),
    "private-key": f"-----BEGIN RSA PRIVATE KEY-----\n{PEM}\n-----END RSA PRIVATE KEY-----",
    "private-key (PGP)": f"-----BEGIN {PGP}-----\nVersion: GnuPG v2\n\n{PEM}\n=x/8Q\n-----END {PGP}-----",
    "email": "mona.lisa+work@louvre.fr",
}
"""Secrets that are found wherever they stand, by kind."""

PLACES = (
    "{}",
    "export X={}",
    "it is {}, I think",
    '{{"a": "{}"}}',
    "first\\n{}\\nlast",
    "\x1b[32m{}\x1b[0m",
    "https://x.dev/?q={}&b=1",
    "`{}`",
    "({})",
)

IN_PLACE = {
    "slack-webhook": ("https://hooks.slack.com/services/", "T" + made(8) + "/B" + made(8) + "/" + made(24)),
    "azure-key": ("DefaultEndpointsProtocol=https;AccountKey=", made(86) + "=="),
    "url-password": ("postgres://shop:", "hunter2", "@db:5432/shop"),
    "url-password (no user)": ("redis://:", "s3cr!t", "@cache:6379"),
    "authorization": ("curl -H 'Authorization: Bearer ", "q9-" + made(30), "' x.dev"),
    "authorization (basic)": ("authorization: Basic ", "bW9uYTpodW50ZXIy", ""),
    "authorization (JSON)": ('{\\"Authorization\\":\\"token ', made(40, HEX), '\\"}'),
    "password": ("DB_PASSWORD=", "Xk3!vz9Qp", "\n"),
    "password (quoted)": ('password: "', "hunter2", '",'),
    "secret": ("AWS_SECRET_ACCESS_KEY=", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzq8T5Rk1u", ""),
    "secret (hex)": ('const apiKey = "', made(32, HEX), '";'),
    "secret (JSON in JSON)": ('{\\"client_secret\\": \\"', "GX-" + made(28), '\\"}'),
    "secret (YAML)": ("  token: ", made(40), "\n"),
}
"""Secrets that are told by what stands before them."""

HARMLESS = (
    "550e8400-e29b-41d4-a716-446655440000",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "api_key = 550e8400-e29b-41d4-a716-446655440000",
    "token: 3f786850e387550fdab836ed7e6dc881de23001b",
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
    "claude-opus-4-1-20250805 claude-3-5-haiku@20241022 gpt-4o-2024-08-06 us.anthropic.claude-sonnet-4-v1:0",
    "toolu_01PQqfNyi6Re4Pmw55BUHr5i msg_01XFDUDYJgAACzvnptvVoYEL req_011CSHoEeqs5C35K2UUqR7Fy",
    '"token": "toolu_01PQqfNyi6Re4Pmw55BUHr5i"',
    "max_tokens=4096 output_tokens: 123456 token_count = 8191",
    "password = getPassword(user) or os.environ['PASSWORD']",
    "const token = await session.fetchToken(); if (token === previousToken) return",
    "api_key: string, secret: SecretStr, password: str | None = None",
    "apiKey: process.env.OPENAI_API_KEY, token=${TOKEN} secret: <your-secret> password: {{ password }}",
    "PASSWORD_FIELD = 'user-password-2'  token_type: access_token_v2",
    "git@github.com:louvre/paint.git Co-Authored-By: Claude <noreply@anthropic.com> user@example.com",
    "logo@2x.png getty@tty1.service @app.route react@18.3.1 pytest.mark@x",
    "task-list risk-assessment-of-everything-that-matters sk-loading-spinner-with-a-long-class-name",
    "/home/$USER/x /home/<name>/y src/home/index.ts /api/Users/list https://x.dev/home/page ~/Users/x",
    "-----BEGIN RSA PRIVATE KEY----- is how a key begins; -----END RSA PRIVATE KEY----- how it ends",
    "The secret: there is none. Token: see below. Basic understanding, bearer of bad news; Digest algorithms2",
    "https://x.dev:8080/a@b http://[::1]:80/@x",
    "keyboard: xK9vQ2mZ7pL4 monkey=xK9vQ2mZ7pL4 primaryKey: xK9vQ2mZ7pL4",
)

PATHS = {
    "/home/mona/shop/src": "/home/user/shop/src",
    "cd /home/mona": "cd /home/user",
    "in /home/mona.": "in /home/user.",
    "/Users/mona.lisa/Work": "/Users/user/Work",
    "file:///home/mona/x": "file:///home/user/x",
    "/mnt/c/Users/mona/x": "/mnt/c/Users/user/x",
    "/var/home/mona/x": "/var/home/user/x",
    r"C:\Users\Mona Lisa\shop": r"C:\Users\user\shop",
    r"C:\\Users\\mona\\shop": r"C:\\Users\\user\\shop",
    "C:/Users/mona": "C:/Users/user",
    "C:/Users/mona lisa/x": "C:/Users/user/x",
    "C:/Users/mona \\": "C:/Users/user \\",
    "~/.claude/projects/-home-mona-shop/1.jsonl": "~/.claude/projects/-home-user-shop/1.jsonl",
    "-Users-mona-Work": "-Users-user-Work",
    "C--Users-mona-shop": "C--Users-user-shop",
    f"{HOME}/shop": "/home/user/shop",
    f"x={HOME}": "x=/home/user",
    "-srv-people-mona-shop": "-home-user-shop",
    r"a\n/home/mona/x\nb": r"a\n/home/user/x\nb",
    "/home/Möna/x": "/home/user/x",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_found_in_every_place(name: str, place: str) -> None:
    secret, redactor = SECRETS[name], Redactor(HOME)
    kind = name.partition(" ")[0]
    text = redactor.text(place.format(secret))
    assert text == place.format(f"[redacted:{kind}]")
    assert redactor.counts == {kind: 1}


@pytest.mark.parametrize("name", IN_PLACE)
def test_secrets_are_found_by_what_they_are_the_value_of(name: str) -> None:
    before, secret, *rest = IN_PLACE[name]
    kind = name.partition(" ")[0]
    redactor = Redactor(HOME)
    assert redactor.text(before + secret + "".join(rest)) == f"{before}[redacted:{kind}]{''.join(rest)}"
    assert redactor.counts == {kind: 1}


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    redactor = Redactor(HOME)
    assert redactor.text(text) == text
    record = json.dumps({"message": {"content": text}, "uuid": HARMLESS[0], "requestId": "req_1"}).encode()
    assert redactor.bytes(record) == record
    assert redactor.counts == {}


@pytest.mark.parametrize("path", PATHS)
def test_home_folders_become_those_of_a_user_and_paths_stay_paths(path: str) -> None:
    redactor = Redactor(HOME)
    assert redactor.text(path) == PATHS[path]
    assert redactor.counts == {"home-path": 1}
    assert redactor.text(PATHS[path]) == PATHS[path]


def test_a_home_folder_that_is_the_root_is_none() -> None:
    assert Redactor("/").text("/etc/x - y") == "/etc/x - y"
    assert Redactor("").text("/etc/x - y") == "/etc/x - y"


def test_a_torn_private_key_is_taken_out_and_what_follows_it_is_not() -> None:
    text = f"     1→-----BEGIN PRIVATE KEY-----\n{PEM}\n\nThat was (part of) the key."
    assert Redactor(HOME).text(text) == "     1→[redacted:private-key]\n\nThat was (part of) the key."


def test_keys_that_are_read_with_the_numbers_of_their_lines_are_found() -> None:
    lines = ["-----BEGIN EC PRIVATE KEY-----", *PEM.splitlines(), "-----END EC PRIVATE KEY-----"]
    numbered = "\n".join(f"{n:6}→{line}" for n, line in enumerate(lines, 1))
    assert Redactor(HOME).text(numbered) == "     1→[redacted:private-key]"


def test_values_of_json_are_told_by_their_keys() -> None:
    value = {"password": "a b", "db": {"pass word": 1, "password": "hunter2"}, "apiKey": made(32), "tokens": made(32)}
    redactor = Redactor(HOME)
    said = json.loads(redactor.bytes(json.dumps(value).encode()))
    assert said == {**value, "db": {"pass word": 1, "password": "[redacted:password]"}, "apiKey": "[redacted:secret]"}
    assert redactor.counts == {"password": 1, "secret": 1}


def test_a_record_keeps_every_byte_that_is_not_taken_out() -> None:
    record = '{ "n":1e400 ,"a":"\\u00e9\\/\\ud83d","b" : "é %s\\n\\u0022", "n":-0.0}\n'
    redacted = Redactor(HOME).bytes((record % "/home/mona/x").encode())
    assert redacted == (record % "/home/user/x").replace("\\u0022", '\\"').encode()


def test_secrets_that_are_written_in_escapes_are_found() -> None:
    record = b'{"a":"\\u002fhome\\u002fmona\\/x","b":"mona\\u0040louvre.fr"}'
    assert json.loads(Redactor(HOME).bytes(record)) == {"a": "/home/user/x", "b": "[redacted:email]"}


@pytest.mark.parametrize(
    "record",
    [
        b'{"cwd":"/home/mona/x"}{"cwd":"/home/mona/y"}\n',
        b'{"cwd":"/home/mona/x","text":"/home/mona/y \\"and\\" so',
        b"no json: /home/mona/x and /home/mona/y\n",
        b'{"a":"\xff\xfe /home/mona/x", /home/mona/y}\n',
        b'{"a":"/home/mona/x\\u00',
    ],
)
def test_what_is_no_json_is_redacted_as_well(record: bytes) -> None:
    redacted = Redactor(HOME).bytes(record)
    assert redacted.decode("utf-8", "replace") == record.replace(b"mona", b"user").decode("utf-8", "replace")


pieces = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.sampled_from([*SECRETS.values(), *HARMLESS, *PATHS, *("".join(parts) for parts in IN_PLACE.values())]),
        st.sampled_from(
            ["\\", '"', "\n", "\\n", "=", ": ", "@", "://", "\u0130", "\ud83d", "-home-", "/home/", "password"]
        ),
    ),
    max_size=6,
)
texts = pieces.map("".join)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(texts, st.integers(), st.floats(allow_nan=False), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)


@given(pieces.map(" ".join))
def test_a_redacted_text_has_nothing_left_to_redact(text: str) -> None:
    once = Redactor(HOME).text(text)
    again = Redactor(HOME)
    assert again.text(once) == once
    assert again.counts == {}


def same_shape(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return isinstance(b, dict) and all(map(same_shape, a.values(), b.values()))
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same_shape, a, b))
    return isinstance(b, str) if isinstance(a, str) else a == b


@given(values, st.booleans())
def test_records_stay_json_of_the_same_shape(value: Any, ascii: bool) -> None:
    record = json.dumps(value, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    redactor = Redactor(HOME)
    redacted = redactor.bytes(record)
    if not redactor.counts:
        assert redacted == record
    assert same_shape(json.loads(record.decode("utf-8", "replace")), json.loads(redacted))


@given(st.sampled_from(list(SECRETS)), st.text(max_size=30), st.text(max_size=30))
def test_no_secret_survives_between_other_words(name: str, before: str, after: str) -> None:
    text = f"{before} {SECRETS[name]} {after}"
    record = json.dumps({"x": [text]}).encode()
    for redacted in (Redactor(HOME).text(text), json.loads(Redactor(HOME).bytes(record))["x"][0]):
        assert SECRETS[name] not in redacted


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange(data: bytes) -> None:
    Redactor(HOME).bytes(data)
    Redactor(HOME).bytes(b'{"cwd":"/home/mona' + data)


HARD = (
    *("a", "=", "@", "\\", '\\"', '"', "\u0130", "a.", "://", "@a.", "a@a.", "://a:", "[31m", "bearer "),
    *(
        "key=",
        "token_count=",
        "api_key: '",
        "eyJ",
        "eyJa.",
        "sk-",
        "AKIA",
        "xoxb-",
        "glpat-",
        "glpat-aaaaaaaaaaaaaaaaaaaa.",
    ),
    *(
        "-----BEGIN ",
        "-----BEGIN A",
        "-----BEGIN PRIVATE KEY-----",
        "/home/",
        "/home/a.",
        "-home-",
        "Users\\",
        "C:\\Users\\",
    ),
)


@pytest.mark.parametrize("part", HARD)
def test_time_is_linear_whatever_is_repeated(part: str) -> None:
    def seconds(size: int) -> float:
        text = part * (size // len(part))
        best = []
        for _ in range(3):
            began = time.process_time()
            Redactor(HOME).text(text)
            Redactor(HOME).bytes(b'{"a":"' + text.encode())
            best.append(time.process_time() - began)
        return min(best)

    small, large = seconds(4_000), seconds(64_000)
    assert large < 16 * 5 * max(small, 0.0005)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS, reason="CCDASH_CORPUS names no folder of logs")
def test_real_logs_stay_readable_and_keep_their_ids() -> None:
    redactor = Redactor("/home/dev")
    ids = ("uuid", "parentUuid", "sessionId", "requestId", "type", "timestamp")
    for path in sorted(Path(CORPUS).rglob("*.jsonl"))[::12]:
        for line in path.read_bytes().splitlines():
            redacted = redactor.bytes(line)
            try:
                before = json.loads(line)
            except ValueError:
                continue
            after = json.loads(redacted)
            assert same_shape(before, after)
            if isinstance(before, dict):
                assert [before.get(id) for id in ids] == [after.get(id) for id in ids]
    assert redactor.counts.keys() <= {"home-path", "email", "url-password", "password", "secret"}
