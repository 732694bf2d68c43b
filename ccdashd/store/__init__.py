"""The cache: one SQLite file, its schema, and one repository per entity. SQL stands here and nowhere else."""

SCHEMA = "0006"
"""The newest migration; a database of that version needs none."""
