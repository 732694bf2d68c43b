"""Transcripts and what is known of files as text to read: Markdown, HTML, JSON, and the words of figures."""
