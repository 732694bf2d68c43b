"""The index of texts: an SQLite file of its own, read and written through apsw, and all SQL that is said to it.

It refers to logs by path, so it stays right when ``cache.db`` is made anew. Nothing is in it that is not in logs or cache,
so it is made anew itself where it is damaged or of another version.
"""
