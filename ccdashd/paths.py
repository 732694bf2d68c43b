"""Where things are: the folders of one profile, the socket and the locks.

The only daemon module that clients import, so it uses the standard library alone, and platformdirs only off Linux
(where the XDG rules are four lines: https://specifications.freedesktop.org/basedir-spec/latest/).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

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
    base folder each, ``CCDASH_SOCKET`` the socket itself.
    """
    env = dict(os.environ) if environ is None else environ
    name = profile or env.get("CCDASH_PROFILE") or DEFAULT_PROFILE
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"profile {name!r}: use letters, digits, '-' and '_' only")
    below = Path("ccdash") if name == DEFAULT_PROFILE else Path("ccdash") / "profiles" / name
    home = Path(env.get("HOME") or Path.home())
    cache = _base(env, "CACHE", home) / below
    runtime = _base(env, "RUNTIME", home, fallback=_base(env, "CACHE", home) / "ccdash-run") / below
    return Paths(
        profile=name,
        runtime_dir=runtime,
        cache_dir=cache,
        data_dir=_base(env, "DATA", home) / below,
        config_dir=_base(env, "CONFIG", home) / below,
        state_dir=_base(env, "STATE", home) / below,
        socket=Path(env["CCDASH_SOCKET"]) if env.get("CCDASH_SOCKET") else _socket(runtime),
    )


_XDG = {"CACHE": ".cache", "DATA": ".local/share", "CONFIG": ".config", "STATE": ".local/state"}


def _base(env: dict[str, str], kind: str, home: Path, fallback: Path | None = None) -> Path:
    own = env.get(f"CCDASH_{kind}_DIR")
    if own:
        return Path(own).absolute()
    # The specification tells to ignore relative XDG paths.
    xdg = env.get(f"XDG_{kind}_HOME" if kind != "RUNTIME" else "XDG_RUNTIME_DIR")
    if xdg and os.path.isabs(xdg):
        return Path(xdg)
    if sys.platform == "darwin":
        import platformdirs

        library = platformdirs.PlatformDirs(appname=None)
        return {
            "CACHE": library.user_cache_path,
            "DATA": library.user_data_path,
            "CONFIG": library.user_config_path,
            "STATE": library.user_state_path,
            "RUNTIME": library.user_runtime_path,
        }[kind]
    return fallback if fallback is not None else home / _XDG[kind]


def _socket(runtime: Path) -> Path:
    """``<runtime>/s``, or a short hashed folder below the temporary one where that is too long to bind."""
    path = runtime / "s"
    if len(os.fsencode(path)) <= SUN_PATH_MAX:
        return path
    import hashlib

    digest = hashlib.blake2b(os.fsencode(runtime), digest_size=6).hexdigest()
    return Path("/tmp") / f"ccdash-{os.getuid()}-{digest}" / "s"
