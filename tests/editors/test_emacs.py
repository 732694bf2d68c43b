"""A real Emacs with eglot, set up as docs/editors.md says, on a real daemon."""

from __future__ import annotations

from typing import Any

from tests.cli import plans
from tests.editors.emacs import Emacs
from tests.editors.world import BROKEN, World
from tests.helpers import wait_until

TASK = "T2-002"


def test_eglot_connects_and_tells_what_is_wrong(emacs: Emacs, world: World) -> None:
    script = """
    (test-open (car test-arguments))
    (test-until "diagnostics" #'test-diagnostics)
    (vector (symbol-name major-mode) (vconcat (test-diagnostics)) (vconcat test-said))
    """
    mode, ((line, text),), said = emacs.run(script, world.shop / BROKEN, cwd=world.shop)
    assert mode == "markdown-mode"
    assert line == 1 + plans.BROKEN.splitlines().index("summary: - `backticks` begin: it")
    assert text.startswith("ccdash")
    assert "Connected!" in said[-1]
    assert not [note for note in said if "error" in note.lower() or "warning" in note.lower()]


def test_eldoc_tells_of_the_place(emacs: Emacs, world: World) -> None:
    script = """
    (test-open (car test-arguments))
    (test-to "T2-002")
    (search-forward "T2")
    (let (told)
      (eglot-hover-eldoc-function (lambda (text &rest _) (setq told (and text (substring-no-properties text)))))
      (test-until "the hover" (lambda () told)))
    """
    text = emacs.run(script, world.phase, cwd=world.shop)
    assert "Give change" in text


def test_an_action_sets_a_status_in_the_file(emacs: Emacs, world: World) -> None:
    path = world.copy("emacs")
    expected = done(path.read_text())
    script = """
    (test-open (car test-arguments))
    (test-to "T2-002")
    (test-act "T2-002 to done")
    (test-until "the new text" (lambda () (auto-revert-buffers) (equal (buffer-string) (cadr test-arguments))))
    (buffer-modified-p)
    """
    assert not emacs.run(script, path, expected, cwd=world.shop)
    assert path.read_text() == expected


def test_what_was_not_saved_is_kept(emacs: Emacs, world: World) -> None:
    path = world.copy("kept")
    before = path.read_text()
    script = """
    (test-open (car test-arguments))
    (test-until "diagnostics" #'test-diagnostics)
    (goto-char (point-min))
    (forward-line)
    (insert "mine: 1\n")
    ;; As soon as Emacs is idle.
    (eglot--signal-textDocument/didChange)
    (test-to "T2-002")
    (test-act "T2-002 to done")
    (test-until "the edit" (lambda () (equal (buffer-string) (cadr test-arguments))))
    (buffer-modified-p)
    """
    expected = done(before).replace("---\n", "---\nmine: 1\n", 1)
    assert emacs.run(script, path, expected, cwd=world.shop)
    assert path.read_text() == before


def done(plan: str) -> str:
    """A plan in which the task is done."""
    start = plan.index(TASK)
    return plan[:start] + plan[start:].replace("status: pending", "status: completed", 1)


def test_a_quick_fix_repairs_the_frontmatter(emacs: Emacs, world: World) -> None:
    path = world.shop / "docs/project_plans/reports/to-repair.md"
    path.write_text(plans.BROKEN)
    script = """
    (test-open (car test-arguments))
    (test-until "diagnostics" #'test-diagnostics)
    (test-to "summary")
    (test-act "Write: summary" "quickfix")
    (save-buffer)
    (test-until "no diagnostics" (lambda () (null (test-diagnostics))))
    (buffer-string)
    """
    text = emacs.run(script, path, cwd=world.shop)
    changed = [line for line in text.splitlines() if line not in plans.BROKEN.splitlines()]
    assert len(changed) == 1
    assert changed[0].startswith("summary: ")
    assert path.read_text() == text


def test_symbols_are_found_by_name(emacs: Emacs, world: World) -> None:
    script = """
    (test-open (car test-arguments))
    (vconcat (mapcar (lambda (found)
                       (vector (xref-location-group (xref-item-location found)) (xref-item-summary found)))
                     (xref-backend-apropos 'eglot "Give change")))
    """
    found = emacs.run(script, world.phase, cwd=world.shop)
    assert [str(world.phase), "  - id: T2-002"] in found


def test_a_command_is_executed(emacs: Emacs, world: World) -> None:
    path = world.copy("command")
    (task,) = (
        row for row in world.ask("tasks/list", feature="command", project=str(world.shop))["items"] if row["taskId"] == TASK
    )
    script = """
    (test-open (car test-arguments))
    (eglot-execute-command (eglot-current-server) 'ccdash.setStatus
                           (vector (list :entity (list :type "task" :id (cadr test-arguments)) :status "done")))
    """
    settled: dict[str, Any] = emacs.run(script, path, task["id"], cwd=world.shop)
    assert settled["path"] == str(path)
    assert settled["rawStatus"] == "completed"
    wait_until(lambda: world.ask("tasks/get", id=task["id"])["status"] == "done", "the status")


def test_a_custom_request_goes_over_the_same_connection(emacs: Emacs, world: World) -> None:
    script = """
    (test-open (car test-arguments))
    (plist-get (jsonrpc-request (eglot-current-server) :files/context (list :path (cadr test-arguments))) :total)
    """
    assert emacs.run(script, world.phase, world.till, cwd=world.shop) == 2
