"""``retention/*``, ``archive/prune`` and ``archive/prunes``: how long copies of logs are kept, and which of them went."""

from __future__ import annotations

import re
from functools import partial

import sqlalchemy as sa

from ccdashd.derive.retention import Policy
from ccdashd.edits.decisions import RetentionEdit
from ccdashd.errors import InvalidParams, NotFound, ReadOnly
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.decisions import decide
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.store import prunes, retention, sessions

MAX_POLICIES = 100
"""Policies that a user can set."""

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")


@handles(methods.RETENTION_GET)
def retention_get(call: ReadCall, params: t.NoParams) -> t.RetentionPolicies:
    """What may be pruned, and when."""
    found = retention.policies(call.conn)
    automatic = any(policy.automatic for policy in found.values())
    due = call.app.retention.next_run_at(call.conn) if automatic else None
    items = [retention.wire(id, policy) for id, policy in found.items()]
    return t.RetentionPolicies(items=items, next_run_at=due, revision=call.revision)


@handles(methods.RETENTION_SET)
async def retention_set(call: Call, params: t.RetentionSetParams) -> t.RetentionPolicies:
    """Add a policy, or put it in the place of the one with its id."""
    wanted = params.policy
    if not _ID.fullmatch(wanted.id):
        raise InvalidParams("policy.id", "must be 1 to 50 lower-case letters, digits and '-', no '-' first", wanted.id)

    def choose(connection: sa.Connection) -> tuple[RetentionEdit | None, None]:
        policy, known = _policy(wanted, connection), retention.policies(connection)
        if wanted.id not in known and len(known) >= MAX_POLICIES:
            raise InvalidParams("policy.id", f"there are {MAX_POLICIES} policies already; delete one", wanted.id)
        return None if known.get(wanted.id) == policy else RetentionEdit(id=wanted.id, policy=policy), None

    await decide(call, choose)
    return await _answer(call)


@handles(methods.RETENTION_DELETE)
async def retention_delete(call: Call, params: t.RetentionDeleteParams) -> t.RetentionPolicies:
    """Remove a policy."""

    def choose(connection: sa.Connection) -> tuple[RetentionEdit, None]:
        if params.id not in retention.policies(connection):
            raise NotFound("policy", params.id, "see retention/get")
        return RetentionEdit(id=params.id), None

    await decide(call, choose)
    return await _answer(call)


async def _answer(call: Call) -> t.RetentionPolicies:
    def read(connection: sa.Connection, revision: int) -> t.RetentionPolicies:
        return retention_get(ReadCall(call.app, call.connection, connection, revision), t.NoParams())

    return await call.app.database.read(read)


@handles(methods.ARCHIVE_PRUNE)
async def archive_prune(call: Call, params: t.PruneParams) -> t.PruneResult:
    """Delete ccdash's own copies of sessions, or say which would go."""
    if params.policy is not None and params.sessions is not None:
        raise InvalidParams("sessions", "give a policy or sessions, not both", params.sessions)
    policies, wanted = await call.app.database.read(partial(_wanted, params))
    try:
        return await call.app.retention.prune(policies, wanted, apply=params.apply)
    except OSError as error:
        problem = f"{error.strerror or error}; what was begun is finished by the next prune, or within an hour"
        raise ReadOnly(f"not all could be pruned: {problem}") from error


def _wanted(params: t.PruneParams, connection: sa.Connection, revision: int) -> tuple[dict[str, Policy], list[str] | None]:
    if params.sessions is not None:
        return {}, [_main(connection, wanted) for wanted in params.sessions]
    if params.policy is not None:
        return {params.policy.id: _policy(params.policy, connection)}, None
    return retention.policies(connection), None


def _policy(wanted: t.RetentionPolicy, connection: sa.Connection) -> Policy:
    policy = retention.policy_of(connection, wanted)
    if not policy.limited:
        raise InvalidParams("policy", "has no limit; give maxAgeDays, maxBytes or maxSessions", None)
    return policy


def _main(connection: sa.Connection, wanted: str) -> str:
    """The main session of that id. Raises NotFound, and InvalidParams for a sub-agent, which goes with its session."""
    id = sessions.find(connection, wanted)
    main, there = retention.main_of(connection, id) or (id, True)
    if main != id and there:
        raise InvalidParams("sessions", f"{id} is a sub-agent, which goes with its session: give {main}", wanted)
    return main


@handles(methods.ARCHIVE_PRUNES)
def archive_prunes(call: ReadCall, params: t.PrunesParams) -> t.Page[t.Pruned]:
    """What was pruned, the newest first."""
    return prunes.page(call.conn, params, call.revision)
