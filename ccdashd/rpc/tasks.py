"""``tasks/*`` but the status, which is written to files."""

from __future__ import annotations

from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import ReadCall, handles
from ccdashd.store import finding, task_lists, tasks, trees


@handles(methods.TASKS_LIST)
def tasks_list(call: ReadCall, params: t.TasksList) -> t.Page[t.TaskRow]:
    """Tasks, filtered, sorted, paged."""
    return task_lists.page(call.conn, params, call.revision)


@handles(methods.TASKS_GET)
def tasks_get(call: ReadCall, params: t.TaskId) -> t.Task:
    """One task with all that its file says of it."""
    task_id = finding.task_id(call.conn, params.id, params.project, params.feature)
    return tasks.get(call.conn, task_id, call.revision)


@handles(methods.TASKS_TREE)
def tasks_tree(call: ReadCall, params: t.TasksTree) -> t.Tree:
    """Tasks by feature, phase and parent."""
    return t.Tree(items=trees.of_tasks(call.conn, params), revision=call.revision)
