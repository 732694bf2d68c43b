"""What secrets look like, and which strings are none though they stand where one could. Pure.

Forms of keys are those that their makers document, named at each; the list was compared with the rules of gitleaks
(https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml). Expressions are matched where a fixed string was
found, and what repeats in them cannot be split in two ways, so that all takes linear time.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final, NamedTuple


class Form(NamedTuple):
    """What secrets of one kind look like: one of `prefixes`, and `rest` from there on. Where that is more than the secret,
    a group of `rest` is the secret."""

    kind: str
    prefixes: tuple[str, ...]
    rest: re.Pattern[str]


def _form(kind: str, prefixes: str, rest: str) -> Form:
    return Form(kind, tuple(prefixes.split()), re.compile(rest, re.ASCII))


FORMS: Final = (
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    _form("aws-access-key", "AKIA ASIA ABIA ACCA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    # https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    _form("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{36,}+"),
    _form("github-token", "github_pat_", r"\w{22,}+"),
    # https://docs.gitlab.com/security/tokens/#token-prefixes
    _form("gitlab-token", "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- glsoat- glffct- gloas-", r"[\w.-]{20,}+"),
    # https://docs.slack.dev/authentication/tokens
    _form("slack-token", "xox", r"(?:[a-z]|e\.xox[bp])-[\w%-]{10,}+"),
    _form("slack-token", "xapp-", r"\d-[\w-]{10,}+"),
    # https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    _form("slack-webhook", "hooks.slack.com/", r"(?:services|workflows|triggers)/([\w/]{20,}+)"),
    # https://docs.stripe.com/keys
    _form("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_ whsec_", r"[A-Za-z0-9+/]{10,}+"),
    # https://docs.anthropic.com/en/api/admin-api
    _form("anthropic-key", "sk-ant-", r"[\w-]{20,}+"),
    # https://platform.openai.com/docs/api-reference/authentication; others write theirs in the same way
    _form("openai-key", "sk-", r"(?:(?:proj|svcacct|admin|or-v1)-[\w-]{20,}+|[A-Za-z0-9]{32,}+(?![\w-]))"),
    # https://cloud.google.com/docs/authentication/api-keys, https://developers.google.com/identity/protocols/oauth2
    _form("google-key", "AIza", r"[\w-]{35}(?![\w-])"),
    _form("google-key", "GOCSPX- ya29.", r"[\w-]{20,}+"),
    # https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/
    _form("npm-token", "npm_", r"[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    # https://warehouse.pypa.io/development/token-scanning.html
    _form("pypi-token", "pypi-AgE", r"[\w-]{50,}+"),
    # https://huggingface.co/docs/hub/security-tokens
    _form("huggingface-token", "hf_", r"[A-Za-z0-9]{30,}+(?!_)"),
    # https://docs.digitalocean.com/reference/api/create-personal-access-token/
    _form("digitalocean-token", "dop_v1_ doo_v1_ dor_v1_", r"[a-f0-9]{64}"),
    # https://docs.docker.com/security/access-tokens/
    _form("docker-token", "dckr_pat_ dckr_oat_", r"[\w-]{20,}+"),
    # https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys
    _form("sendgrid-key", "SG.", r"[\w-]{20,24}\.[\w-]{40,50}"),
    # https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes
    _form("vault-token", "hvs. hvb. hvr.", r"[\w-]{24,}+"),
    # https://console.groq.com/docs, https://docs.x.ai, https://docs.perplexity.ai
    _form("llm-key", "gsk_ xai- pplx-", r"[A-Za-z0-9]{40,}+"),
    # https://grafana.com/docs/grafana/latest/administration/service-accounts/
    _form("grafana-token", "glsa_ glc_", r"[\w+/=]{32,}+"),
    # https://docs.databricks.com/en/dev-tools/auth/pat.html
    _form("databricks-token", "dapi", r"[a-f0-9]{32}(?![A-Za-z0-9])"),
    # https://linear.app/developers, https://shopify.dev/docs/apps/build/authentication-authorization
    _form("linear-key", "lin_api_", r"[A-Za-z0-9]{32,}+"),
    _form("shopify-token", "shpat_ shpss_ shpca_", r"[A-Fa-f0-9]{32}"),
    # https://docs.sentry.io/account/auth-tokens/
    _form("sentry-token", "sntrys_ sntryu_", r"[\w+/=]{32,}+"),
    # https://github.com/FiloSottile/age
    _form("age-key", "AGE-SECRET-KEY-1", r"[A-Z0-9]{58}"),
    # https://learn.microsoft.com/en-us/azure/storage/common/storage-configure-connection-string
    _form("azure-key", "AccountKey= SharedAccessKey=", r"([A-Za-z0-9+/]{40,}+={0,2})"),
    # RFC 7519
    _form("jwt", "eyJ", r"[\w-]{8,}+\.eyJ[\w-]{8,}+\.[\w-]*+"),
)

PRIVATE_KEY: Final = "-----BEGIN "
PRIVATE_KEY_REST: Final = re.compile(
    # RFC 7468; between may be escaped line ends, numbers of lines, or quotes. What repeats ends at the next dashes.
    r"(?:[A-Z0-9]{1,16} ){0,4}?PRIVATE KEY(?: BLOCK)?-----(?P<body>(?:[A-Za-z0-9+/=\s\\:;,.()\"'`|>→#*]|-(?!----))*+)"
    r"(?P<end>-----END [A-Z0-9 ]*+-----)?"
)
KEY_LINE: Final = re.compile(r"[A-Za-z0-9+/=]{24,}+")
"""A part of a key's body; what has none is a mention of the format."""

AUTHORIZATION_REST: Final = re.compile(r"[ \t]{1,4}+(?P<secret>[A-Za-z0-9._~+/-]{8,}+=*+)", re.ASCII)
"""What follows the scheme (RFC 6750, RFC 7617)."""

SCHEMES: Final = ("bearer", "basic", "token", "apikey", "digest")

URL_PASSWORD_REST: Final = re.compile(r"[^\s:@/\"'\\]*+:(?P<secret>[^\s@/\"'\\\[$<{*%][^\s@/\"'\\]*+)(?=@)")
"""What follows ``://`` where it holds a password (RFC 3986, 3.2.1), unless something is to be put in its place."""

NEEDLES: Final = ("passw", "passphrase", "pwd", "secret", "credential", "token", "key")
"""Where the names of secrets begin, in small letters."""

_SECRET_NAME = r"(?P<name>(?:passw(?:or)?d|passphrase|pwd|secret|credentials?|token|key)(?:[_-][\w-]{0,20}+|))"
SECRET_NAME: Final = re.compile(_SECRET_NAME + "$", re.IGNORECASE | re.ASCII)
"""The end of a name whose value may be a secret."""

ASSIGNMENT: Final = re.compile(
    _SECRET_NAME + r"[\\\"'`]*+\s{0,4}+(?:=>|:=|=|:)\s{0,4}+"
    r"(?:(?P<quote>\\*+[\"'`])(?P<quoted>[^\s\"'`\\]{6,}+)|(?P<bare>[^\s\"'`\\,;<>(){}\[\]$|&]{6,}+)(?![(\[]))",
    re.IGNORECASE | re.ASCII,
)
"""Such a name and its value; a bare one that is called or indexed is code."""

_KEYS = ("api", "access", "private", "encryption", "auth", "secret", "signing", "account", "master", "shared", "admin")
"""What a key is called that is secret: other keys open maps and not doors."""

_HARMLESS = re.compile(
    r"[_-](?:count|limit|type|budget|usage|id|ids|url|uri|endpoint|name|ref|path|file|size|code|field|length|policy|hash)s?$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"example|your|change.?me|placeholder|redacted|dummy|x{4}|\*{3}|\.{3}|1234567|abcdef|undefined|%[sdv(]|^[@/~%#&$<{[]|://",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(?:0x)?[0-9a-f]+", re.IGNORECASE)
_ID = re.compile(r"(?:toolu|srvtoolu|msg|req|call|resp|chatcmpl|agent)[_-]")
_WORD = r"(?:v?\d{1,4}+|(?:[A-Za-z]++\d{0,3}+){1,2}+)"
_BETWEEN = r"[-_.:/]"
_WORDS = re.compile(rf"{_BETWEEN}*+{_WORD}(?:{_BETWEEN}++{_WORD})*+{_BETWEEN}*+")
_NO_IDENTIFIER = re.compile(r"[^A-Za-z_.:/-]")
_BEFORE_KEY = 12
"""Characters before ``key`` that say which."""


def named(text: str, start: int, name: str) -> bool:
    """Whether `name`, which stands in `text` at `start` and begins with one of `NEEDLES`, is that of a secret."""
    if not name.lower().startswith("key"):
        return _HARMLESS.search(name) is None
    before = text[max(0, start - _BEFORE_KEY) : start].lower().rstrip("_- ")
    return before.endswith(_KEYS) and _HARMLESS.search(name) is None


def assigned(name: str, value: str, *, quoted: bool) -> str | None:
    """The kind of secret that `value` is as the value of `name`, which is `named` so; None where it is none."""
    if _PLACEHOLDER.search(value) or _UUID.fullmatch(value) or _ID.match(value):
        return None
    kind = "password" if name.lower().startswith(("pass", "pwd")) else "secret"
    if kind == "password" and quoted:
        return kind if _NO_IDENTIFIER.search(value) else None
    if _HEX.fullmatch(value):
        # Of tokens too few are hexadecimal to take each hash for one.
        return kind if len(value) >= 32 and not value.isdecimal() and not name.lower().startswith("token") else None
    return kind if is_random(value) else None


def is_random(value: str) -> bool:
    """Whether a string looks made by chance: mixed, hardly a character twice, and not of words and numbers."""
    return len(value) >= 8 and _is_mixed(value) and _WORDS.fullmatch(value) is None and _entropy(value) >= 2.9


def _is_mixed(value: str) -> bool:
    return any(map(str.isalpha, value)) and not value.isalpha()


def _entropy(value: str) -> float:
    """Bits a character, by Shannon."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())
