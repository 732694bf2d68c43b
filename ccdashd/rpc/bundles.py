"""``archive/export`` and ``archive/import``: sessions and what hangs together with them, in one file."""

from __future__ import annotations

import os
import re

from ccdashd.archive.bundles import run
from ccdashd.archive.bundles.frames import BadBundle
from ccdashd.archive.bundles.run import TargetExists
from ccdashd.derive import colors, urls
from ccdashd.edits.decisions import ExternalLinkEdit, LinkEdit, MetadataEdit, Name, TagEdit, TagUse, UserEdit
from ccdashd.errors import CcdashError, Conflict, InvalidParams, ReadOnly
from ccdashd.helper import HelperFailed
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.decisions import one_line
from ccdashd.rpc.dispatch import Call, handles
from ccdashd.rpc.links import MAX_NOTE
from ccdashd.rpc.metadata import check_key, check_value
from ccdashd.rpc.progress import own_progress
from ccdashd.rpc.tags import MAX_NAME

ENDING = ".tar.zst"

_TIME = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d\.\d{3}Z", re.ASCII)


@handles(methods.ARCHIVE_EXPORT)
async def archive_export(call: Call, params: t.ExportParams) -> t.ExportResult:
    """Write a bundle."""
    _check_path(params.path)
    if not params.path.endswith(ENDING):
        raise InvalidParams("path", f"must end with {ENDING}", params.path)
    if not os.path.isdir(os.path.dirname(params.path)):
        raise InvalidParams("path", "lies in no folder that is there", params.path)
    if os.path.isdir(params.path):
        raise InvalidParams("path", "is a folder", params.path)
    if (params.what == "all") != (params.id is None):
        problem = "names nothing where everything is exported" if params.what == "all" else f"must name the {params.what}"
        raise InvalidParams("id", problem, params.id)
    with own_progress(call.connection, params, "Export") as report:
        try:
            return await run.export(call.app, params, report)
        except TargetExists as error:
            raise Conflict(f"nothing was written to {params.path}: {error}; give another path, or `replace`") from error
        except HelperFailed as error:
            raise ReadOnly(f"nothing was written to {params.path}: {error}") from error
        except OSError as error:
            raise ReadOnly(f"nothing was exported: {error.strerror or error}") from error


@handles(methods.ARCHIVE_IMPORT)
async def archive_import(call: Call, params: t.ImportParams) -> t.ImportResult:
    """Take in the sessions of a bundle."""
    _check_path(params.path)
    with own_progress(call.connection, params, "Import") as report:
        try:
            return await run.import_(call.app, params, report, is_fit)
        except BadBundle as error:
            raise InvalidParams("path", f"nothing was imported: {error}", params.path) from error
        except (HelperFailed, OSError) as error:
            problem = getattr(error, "strerror", None) or str(error)
            again = "what is missing comes when it is imported once more"
            raise ReadOnly(f"nothing, or not all, was imported: {problem}; {again}") from error


def _check_path(path: str) -> None:
    if not os.path.isabs(path) or "\0" in path:
        raise InvalidParams("path", "must be an absolute path", path)


def is_fit(edit: UserEdit) -> bool:
    """Whether a user could have said this here: what a bundle holds is checked as what a client sends."""
    if edit.at and not _TIME.fullmatch(edit.at):
        return False
    try:
        match edit:
            case TagEdit(name=name, color=color):
                return _is_tag(name) and colors.normalised(color) == color
            case TagUse(name=name, entity=entity):
                return _is_tag(name) and _is_name(entity)
            case MetadataEdit(entity=entity, key=key, value=value):
                check_key(key)
                check_value(key, value)
                return _is_name(entity)
            case ExternalLinkEdit(entity=entity, url=url, label=label):
                return urls.check(url) == url and one_line("label", label, urls.MAX_LABEL) == label and _is_name(entity)
            case LinkEdit(source=source, target=target, note=note):
                apart = source.identity != target.identity
                return apart and len(note.encode()) <= MAX_NOTE and _is_name(source) and _is_name(target)
    except (CcdashError, ValueError):
        return False


def _is_tag(name: str) -> bool:
    return bool(name) and one_line("name", name, MAX_NAME) == name


def _is_name(name: Name) -> bool:
    if one_line("key", name.key, 4096) != name.key:
        return False
    if name.type == "session":
        return bool(name.key) and not name.root
    sound = os.path.isabs(name.root) and os.path.normpath(name.root) == name.root
    return sound and (name.type == "project") == (not name.key) and ".." not in name.key.split("/")
