"""Where things are: the folders of one profile, the socket and the locks.

The only daemon module that clients import, so it uses the standard library alone, and platformdirs only off Linux
(where the XDG rules are four lines: https://specifications.freedesktop.org/basedir-spec/latest/).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_PROFILE = "default"
SUN_PATH_MAX = 107 if sys.platform == "linux" else 103
"""Longest socket path in bytes that ``bind`` takes (``sun_path`` less its NUL)."""


class Paths(NamedTuple):
    """The folders and files of one profile. Nothing is created here."""

    profile: str
    runtime_dir: Path
    cache_dir: Path
    data_dir: Path
    config_dir: Path
    state_dir: Path
    socket: Path

    @property
    def daemon_lock(self) -> Path:
        """Held by the daemon for life; holds ``pid version``."""
        return self.runtime_dir / "daemon.lock"

    @property
    def startup_lock(self) -> Path:
        """Held by the client that spawns a daemon, until that daemon answers."""
        return self.runtime_dir / "startup.lock"

    @property
    def database(self) -> Path:
        return self.cache_dir / "cache.db"

    @property
    def text_index(self) -> Path:
        """The index of texts; a cache as well, made anew when it is missing."""
        return self.cache_dir / "text.db"

    @property
    def archive(self) -> Path:
        """Copies of the agents' logs."""
        return self.data_dir / "archive"

    @property
    def backups(self) -> Path:
        """Where backups are made by default."""
        return self.data_dir / "backups"

    @property
    def journal(self) -> Path:
        return self.data_dir / "journal.jsonl"

    @property
    def counters(self) -> Path:
        """What counters of Prometheus remember, so that they never fall."""
        return self.data_dir / "counters.json"

    @property
    def config_file(self) -> Path:
        return self.config_dir / "config.toml"

    @property
    def log_file(self) -> Path:
        return self.state_dir / "log" / "ccdashd.log"


def resolve(profile: str | None = None, environ: dict[str, str] | None = None) -> Paths:
    """The paths of `profile`, by default that of ``CCDASH_PROFILE``, else ``default``.

    ``CCDASH_RUNTIME_DIR``, ``CCDASH_CACHE_DIR``, ``CCDASH_DATA_DIR``, ``CCDASH_CONFIG_DIR``, ``CCDASH_STATE_DIR`` set a
    base folder each, ``CCDASH_SOCKET`` the socket itself. Raises ValueError for a name that no profile may have.
    """
    from pathlib import Path

    env = dict(os.environ) if environ is None else environ
    name = _name(profile, env)
    below = _below(name)
    return Paths(
        profile=name,
        runtime_dir=Path(_runtime(env, below)),
        cache_dir=Path(_base(env, "CACHE"), below),
        data_dir=Path(_base(env, "DATA"), below),
        config_dir=Path(_base(env, "CONFIG"), below),
        state_dir=Path(_base(env, "STATE"), below),
        socket=Path(_socket(env, below)),
    )


def socket_path(profile: str | None = None, environ: dict[str, str] | None = None) -> str:
    """The socket of a profile as `resolve` tells it, for whoever needs nothing else: pathlib costs milliseconds.

    Raises ValueError as `resolve` does.
    """
    env = dict(os.environ) if environ is None else environ
    return _socket(env, _below(_name(profile, env)))


def _name(profile: str | None, env: dict[str, str]) -> str:
    name = profile or env.get("CCDASH_PROFILE") or DEFAULT_PROFILE
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"profile {name!r}: use letters, digits, '-' and '_' only")
    return name


def _below(name: str) -> str:
    """The folder of a profile below each base folder."""
    return "ccdash" if name == DEFAULT_PROFILE else f"ccdash/profiles/{name}"


def _runtime(env: dict[str, str], below: str) -> str:
    return os.path.join(_base(env, "RUNTIME") or os.path.join(_base(env, "CACHE"), "ccdash-run"), below)


_XDG = {"CACHE": ".cache", "DATA": ".local/share", "CONFIG": ".config", "STATE": ".local/state"}


def _base(env: dict[str, str], kind: str) -> str:
    """A base folder; empty for a runtime folder that the system does not have."""
    own = env.get(f"CCDASH_{kind}_DIR")
    if own:
        return os.path.join(os.getcwd(), own)
    # The specification tells to ignore relative XDG paths.
    xdg = env.get(f"XDG_{kind}_HOME" if kind != "RUNTIME" else "XDG_RUNTIME_DIR")
    if xdg and os.path.isabs(xdg):
        return xdg
    if sys.platform == "darwin":
        import platformdirs

        library = platformdirs.PlatformDirs(appname=None)
        return {
            "CACHE": library.user_cache_dir,
            "DATA": library.user_data_dir,
            "CONFIG": library.user_config_dir,
            "STATE": library.user_state_dir,
            "RUNTIME": library.user_runtime_dir,
        }[kind]
    return os.path.join(env.get("HOME") or os.path.expanduser("~"), _XDG[kind]) if kind in _XDG else ""


def _socket(env: dict[str, str], below: str) -> str:
    """``<runtime>/s``, or a short hashed folder below the temporary one where that is too long to bind."""
    if env.get("CCDASH_SOCKET"):
        return env["CCDASH_SOCKET"]
    runtime = _runtime(env, below)
    path = os.path.join(runtime, "s")
    if len(os.fsencode(path)) <= SUN_PATH_MAX:
        return path
    import hashlib

    digest = hashlib.blake2b(os.fsencode(runtime), digest_size=6).hexdigest()
    return f"/tmp/ccdash-{os.getuid()}-{digest}/s"
