"""What the archive's folder says about itself, to people who find it."""

from __future__ import annotations

import os

NAME = "README.md"

TEXT = """\
# Copies of logs of AI coding agents

ccdash keeps them here, since agents delete their logs after a while. Delete nothing by hand: `ccdash prune` does that, and
`ccdash archive` tells more. To get a log back without ccdash, with `jq` and `zstd`:

```sh
manifest=$(grep -l PART-OF-ITS-PATH logs/*/*.json)
jq -r '.versions[-1].chunks[][0]' $manifest | while read -r hash; do
  zstd -dc "chunks/${hash:0:2}/$hash.zst"
done > log.jsonl
```

- `logs/`: a manifest for each log. It names the chunks of every version, the newest last, by the SHA-256 of their bytes.
- `chunks/`: those pieces of logs, each a zstd file. Put together in their order, they are the log.
- `tmp/`, `lock`: of a copy that is being made.
"""


def explain(folder: str) -> None:
    """Write it into the folder, where it is not there. Raises OSError."""
    path = os.path.join(folder, NAME)
    if not os.path.exists(path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(TEXT)
