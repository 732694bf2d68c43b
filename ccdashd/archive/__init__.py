"""Copies of the agents' logs, which stay when an agent deletes its log: files only, in the data folder."""
