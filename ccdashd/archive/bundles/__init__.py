"""Bundles: sessions with all that hangs together with them, in one file that another machine takes in.

    bundle.tar.zst
    ├── manifest.json      what is in it: sessions, and size and SHA-256 of each file; see `manifest`
    ├── logs/000001.jsonl  one for each version of each log
    ├── documents/…        planning files, for people: they are never written into a project
    └── journal.jsonl      links, tags and notes, as lines of the journal

It is a tar archive (POSIX.1-1988) in zstd frames, which any tar unpacks; after the last frame stands the SHA-256 of all
bytes before it, in a frame that decoders skip (RFC 8878, 3.1.2). The tar holds the files that its manifest names, in that
order, and nothing else: one that holds a bit more or less is refused before anything is written.
"""
