"""Emacs without a screen: a script runs in a new one, and hands back what it found as JSON."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PRELUDE = r"""
;; As Emacs does at its start, but not for scripts.
(package-activate-all)
(require 'eglot)
(require 'json)
(setq make-backup-files nil create-lockfiles nil eglot-sync-connect 10 eglot-autoshutdown nil
      eglot-send-changes-idle-time 0
      ;; Events of files, as keys, are for those who wait at a screen.
      auto-revert-use-notify nil
      ;; A key, and not the mouse, asks for what a menu offers.
      last-nonmenu-event ?x)

(defvar test-said nil "What the user was told, the last first.")
(advice-add 'message :before
            (lambda (format &rest arguments)
              (when format (push (apply #'format-message format arguments) test-said))))

(defun test-until (what condition)
  "Wait for the first true value of the function CONDITION."
  (let ((deadline (time-add nil 15)) value)
    (while (not (setq value (funcall condition)))
      (when (time-less-p deadline nil)
        (error "%s did not come true; it said %S" what test-said))
      (accept-process-output nil 0.02))
    value))

(defun test-open (file)
  "Visit FILE, and wait until a server manages it."
  (find-file file)
  ;; As after a command: scripts have none.
  (run-hooks 'post-command-hook)
  (test-until "the server" #'eglot-current-server))

(defun test-to (text)
  "Put point on the first line that holds TEXT."
  (goto-char (point-min))
  (search-forward text)
  (beginning-of-line))

(defun test-act (wanted &optional kind)
  "Choose the first code action of KIND at point whose title matches WANTED, and let the server edit."
  (cl-letf (((symbol-function 'completing-read)
             (lambda (_prompt titles &rest _)
               (seq-find (lambda (title) (string-match-p wanted title)) (mapcar #'car titles))))
            ((symbol-function 'y-or-n-p) #'always))
    (eglot-code-actions (line-beginning-position) (line-end-position) kind t)))

(defun test-diagnostics ()
  "Line and text of each diagnostic of the buffer."
  (mapcar (lambda (found)
            (list (line-number-at-pos (flymake-diagnostic-beg found)) (flymake-diagnostic-text found)))
          (flymake-diagnostics)))
"""


def has_packages(binary: str) -> bool:
    """Whether an Emacs has what the tests need."""
    needed = "(progn (package-activate-all) (require 'eglot) (require 'markdown-mode))"
    return subprocess.run([binary, "--batch", "--eval", needed], capture_output=True, check=False).returncode == 0


class Emacs:
    """Runs scripts with the settings of a user."""

    def __init__(self, binary: str, folder: Path, environ: Mapping[str, str], init: str) -> None:
        self._binary = binary
        self._folder = folder
        self._environ = dict(environ)
        self._init = init

    def run(self, script: str, *arguments: Path | str, cwd: Path) -> Any:
        """The value of the last form of a script, which gets its arguments in ``test-arguments``."""
        given = " ".join(json.dumps(str(argument)) for argument in arguments)
        answer = self._folder / "emacs.json"
        answer.unlink(missing_ok=True)
        program = self._folder / "test.el"
        program.write_text(
            f"{PRELUDE}\n{self._init}\n(defvar test-arguments (list {given}))\n"
            f"(let ((answer (json-encode (progn {script}))))\n"
            f"  (with-temp-file {json.dumps(str(answer))} (insert answer)))\n"
        )
        done = subprocess.run(
            [self._binary, "--batch", "--load", program],
            env=self._environ,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(answer.read_text())
