"""The table of all metrics that Prometheus is told: names, labels and help.

Names follow https://prometheus.io/docs/practices/naming/.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple


class Family(NamedTuple):
    """One metric: all series of a name."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...] = ()
    unit: int = 1
    """How many of what a counter is kept in make one of what it tells."""


_ONCE: Final = "each message once, however many logs hold it"

FAMILIES: Final[tuple[Family, ...]] = (
    Family(
        "ccdash_cost_usd_total",
        "counter",
        f"What messages cost in US dollars, at the prices of their day; {_ONCE}.",
        ("project", "model"),
        10**12,
    ),
    Family(
        "ccdash_tokens_total",
        "counter",
        f"Tokens, each of one kind; {_ONCE}. Cache writes of unknown lifetime are among those of five minutes.",
        ("project", "model", "kind"),
    ),
    Family("ccdash_messages_total", "counter", f"Answers of models; {_ONCE}.", ("project", "model")),
    Family("ccdash_web_searches_total", "counter", "Searches that the provider made.", ("project", "model")),
    Family("ccdash_sessions_total", "counter", "Sessions without sub-agents.", ("project",)),
    Family(
        "ccdash_active_seconds_total",
        "counter",
        "How long sessions and their sub-agents were at work, in whole minutes, without pauses of more than five.",
        ("project",),
    ),
    Family("ccdash_prompts_total", "counter", "Prompts of users.", ("project",)),
    Family("ccdash_steering_total", "counter", "Prompts that were queued while the agent worked.", ("project",)),
    Family("ccdash_commands_total", "counter", "Slash commands.", ("project",)),
    Family("ccdash_interrupts_total", "counter", "How often users stopped the agent.", ("project",)),
    Family("ccdash_compactions_total", "counter", "How often the context was summed up.", ("project",)),
    Family("ccdash_api_errors_total", "counter", "Requests to models that failed, with each try again.", ("project",)),
    Family("ccdash_edits_total", "counter", "Calls that changed a file.", ("project",)),
    Family("ccdash_lines_added_total", "counter", "Lines that edits added.", ("project",)),
    Family("ccdash_lines_removed_total", "counter", "Lines that edits removed.", ("project",)),
    Family("ccdash_tool_calls_total", "counter", "Calls of tools that ended.", ("tool", "status")),
    Family(
        "ccdash_tool_seconds_total",
        "counter",
        "Time from call to result of tools; parallel calls each count.",
        ("tool",),
        1000,
    ),
    Family("ccdash_sessions_live", "gauge", "Sessions that are being written."),
    Family("ccdash_messages_unpriced", "gauge", "Messages whose model has no price: the cost lacks them.", ("model",)),
    Family(
        "ccdash_messages_lower_bound",
        "gauge",
        "Messages of which logs tell a part: they cost at least what the cost has of them.",
        ("model",),
    ),
    Family("ccdash_window_cost_usd", "gauge", "Cost of the running five-hour window in US dollars; 0 without one."),
    Family("ccdash_window_tokens", "gauge", "Tokens of the running five-hour window; 0 without one."),
    Family("ccdash_window_end_timestamp_seconds", "gauge", "When the running five-hour window ends; none without one."),
    Family("ccdash_tasks", "gauge", "Tasks of planning files.", ("project", "status")),
    Family(
        "ccdash_task_completion_ratio",
        "gauge",
        "Share of the tasks that are done, of those neither deferred nor archived.",
        ("project",),
    ),
    Family("ccdash_features", "gauge", "Features of plans.", ("project",)),
    Family("ccdash_feature_progress_ratio", "gauge", "Mean of the progress of features.", ("project",)),
    Family("ccdash_alerts_firing", "gauge", "Alerts that are firing."),
    Family("ccdash_up", "gauge", "Whether the daemon runs and can read its cache."),
    Family("ccdash_build_info", "gauge", "The version of the daemon, and its profile; always 1.", ("version", "profile")),
    Family("ccdash_start_time_seconds", "gauge", "When the daemon started, as Unix time."),
    Family("ccdash_process_resident_memory_bytes", "gauge", "Resident memory of the daemon."),
    Family("ccdash_process_open_fds", "gauge", "Open file descriptors of the daemon."),
    Family("ccdash_process_cpu_seconds_total", "counter", "Processor time of the daemon, of all of its lives."),
    Family("ccdash_clients", "gauge", "Open connections."),
    Family("ccdash_problems", "gauge", "What is not well: see ccdash status."),
    Family("ccdash_cache_bytes", "gauge", "Size of cache.db."),
    Family("ccdash_cache_wal_bytes", "gauge", "Size of the write-ahead log of cache.db."),
    Family("ccdash_cache_revision", "gauge", "Number of the last change of the cache."),
    Family("ccdash_cache_rows_written_total", "counter", "Rows that were inserted, changed or deleted."),
    Family("ccdash_journal_bytes", "gauge", "Size of journal.jsonl."),
    Family("ccdash_index_complete", "gauge", "Whether the first index is complete."),
    Family("ccdash_index_progress_ratio", "gauge", "How far the running index run is; 1 while none runs."),
    Family("ccdash_log_files", "gauge", "Log files that are there."),
    Family("ccdash_files_parsed_total", "counter", "Logs that were read from their begin."),
    Family("ccdash_records_parsed_total", "counter", "Records of logs that were read."),
    Family("ccdash_watch_directories", "gauge", "Folders that are watched."),
    Family("ccdash_watch_healthy", "gauge", "Whether changes are noticed as they happen."),
    Family("ccdash_watch_events_total", "counter", "Paths that the watcher reported."),
    Family("ccdash_watch_restarts_total", "counter", "How often the watcher was replaced."),
    Family("ccdash_watch_overflows_total", "counter", "How often the watcher may have missed something."),
)
"""Every metric, in the order in which they are told."""

BY_NAME: Final = {family.name: family for family in FAMILIES}
