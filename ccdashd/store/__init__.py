"""The cache: one SQLite file, its schema, and one repository per entity. SQL stands here and nowhere else."""
