"""Figures over time: trends, breakdowns, windows, Prometheus, alerts. Computed from the store when asked."""
