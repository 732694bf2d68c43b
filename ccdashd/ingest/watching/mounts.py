"""Which file systems report no change that another machine makes."""

from __future__ import annotations

import os

REMOTE = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.rclone", "fuse.sshfs", "lustre", "ncpfs", "nfs", "nfs4"}
    | {"smb3", "smbfs", "virtiofs"}
)
"""File system types of proc_pid_mountinfo(5) that other machines write to, unseen by inotify(7)."""


def is_remote(path: str, mountinfo: str = "/proc/self/mountinfo") -> bool:
    """Whether `path` lies on one of `REMOTE`. False when that cannot be told."""
    try:
        device = os.stat(path).st_dev
        with open(mountinfo, encoding="utf-8", errors="surrogateescape") as lines:
            return any(_remote_device(line) == f"{os.major(device)}:{os.minor(device)}" for line in lines)
    except OSError:
        return False


def _remote_device(line: str) -> str | None:
    # 36 35 98:0 /root /mount options optional... - type source super-options
    mount, _, system = line.partition(" - ")
    fields = mount.split()
    return fields[2] if len(fields) > 2 and system.split(" ", 1)[0] in REMOTE else None
