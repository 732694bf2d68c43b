"""Planning files from disk to what they say. Imports only readers, so that a worker starts fast."""

from __future__ import annotations

import errno
import os
import stat

from ccdashd.derive.plan_rows import PlanRows, rows_of
from ccdashd.sources.planning import documents
from ccdashd.sources.planning.model import PlanningFile, digest


def read_plan(root: str, path: str, cap: int) -> PlanningFile:
    """Read the file at `path` in the project at `root`; more than `cap` bytes are too many.

    What cannot be read has a `problem`. Raises FileNotFoundError where there is no regular file (any more).
    """
    absolute = os.path.join(root, path)
    try:
        # As the scan sees it: a socket, a device and links in a circle are no planning files.
        if not stat.S_ISREG(os.stat(absolute).st_mode):
            raise FileNotFoundError(absolute)
        if not _is_inside(root, absolute):
            return PlanningFile(path=path, problem="it is a link that leads out of the project")
        fd = os.open(absolute, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except NotADirectoryError as error:
        raise FileNotFoundError(*error.args) from error
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileNotFoundError(*error.args) from error
        return PlanningFile(path=path, problem=error.strerror or str(error))
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError(absolute)
        file = PlanningFile(path=path, size=status.st_size, mtime_ns=status.st_mtime_ns, inode=status.st_ino)
        if file.size > cap:
            file.problem = f"it is larger ({file.size:,} bytes) than the setting planning_file_cap_bytes allows ({cap:,})"
            return file
        with open(fd, "rb", closefd=False) as stream:
            data = stream.read(cap)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        return PlanningFile(path=path, problem=error.strerror or str(error))
    finally:
        os.close(fd)
    if len(data) != file.size:
        file.mtime_ns = 0  # it was written to meanwhile: it is to be read again
    file.hash = digest(data)
    file.document = documents.read(path, data)
    return file


def read_plans(project_id: str, root: str, paths: list[str], cap: int) -> tuple[list[PlanRows], list[str]]:
    """``(rows of what was read, paths at which there is nothing)``, see `read_plan`."""
    files: list[PlanRows] = []
    gone: list[str] = []
    for path in paths:
        try:
            files.append(rows_of(project_id, read_plan(root, path, cap)))
        except FileNotFoundError:
            gone.append(path)
    return files, gone


def _is_inside(root: str, path: str) -> bool:
    """Whether a path of the project, which is no link or leads there, stays in it. Folders on the way are no links."""
    if not stat.S_ISLNK(os.lstat(path).st_mode):
        return True
    real, inside = os.path.realpath(path), os.path.realpath(root)
    return real.startswith(inside.rstrip("/") + "/")
