"""The ``ccdash`` command: the status line, which must be fast, on a path of its own; all else in `ccdash.cli`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``ccdash`` with `argv`; returns the exit code: 0, 1 for a failure, 2 for wrong usage."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments[:1] == ["statusline"]:
        from ccdash.statusline import quick

        code = quick(arguments[1:])
        if code is not None and argv is None:
            # All is written. What an interpreter does at its end takes longer than the daemon took to answer.
            os._exit(code)
        if code is not None:
            return code
    from ccdash.cli import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
