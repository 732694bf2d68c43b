"""What other tools that read the same logs reached, measured on the same kind of machine over a corpus of the same shape.

Two cores, warm page cache; 459 sessions, 2.87 GB in 3,414 files. The figures are fixed: nothing of a peer is run here.
"""

from __future__ import annotations

SOURCE = "measured on the same kind of machine, over a generated corpus of the same size and shapes"

PEERS: dict[str, str] = {
    "cold index": "agentsview 0.46.1: 136 s; codeburn: 24 s; claude-code-to-sqlite: 43 s",
    "cold index, CPU": "agentsview 0.46.1: 154 s",
    "slowest answer meanwhile": "agentsview 0.46.1: refuses connections for 144 s",
    "newest 50 visible": "agentsview 0.46.1: 144 s (first answer)",
    "restart, first answer": "agentsview 0.46.1: 1.2-1.3 s",
    "restart, all verified": "agentsview 0.46.1: 2.4-2.7 s",
    "append, quiet log, p50": "agentsview 0.46.1: 520 ms",
    "append, largest log, p50": "agentsview 0.46.1: 620 ms",
    "append, 20 a second, p50": "agentsview 0.46.1: 2,600 ms",
    "append, 20 a second, p99": "agentsview 0.46.1: 5,000-6,000 ms",
    "list 50, p50": "agentsview 0.46.1: 2.4-2.7 ms",
    "list 50, p99": "agentsview 0.46.1: 10.6 ms",
    "list 50, 64 clients": "agentsview 0.46.1: 696/s (8 clients)",
    "get largest, p50": "agentsview 0.46.1: 0.5 ms (header alone)",
    "transcript of 100, p50": "agentsview 0.46.1: 3.1 ms",
    "memory idle": "agentsview 0.46.1: 190-225 MB",
    "memory peak": "agentsview 0.46.1: 256 MB; deja: 1,800 MB",
    "idle CPU": "agentsview 0.46.1: 0.05-0.06 %",
    "cache.db to logs": "agentsview 0.46.1: 32 %; claude-code-to-sqlite: 37 %",
    "ccdash sessions": "agentsview 0.46.1: 62 ms",
}
