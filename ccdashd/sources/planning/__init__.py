"""Readers of planning files: Markdown with YAML frontmatter. Pure: bytes in, a `model.Document` out."""
