"""Benchmarks of the real daemon over generated logs: ``python -m tests.bench``."""
