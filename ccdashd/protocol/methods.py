"""THE TABLE: every method of the wire, its lane, its types, and what it is for.

The lane decides where a method runs: ``loop`` (on the event loop: from memory, or in steps that run elsewhere), ``read``
(short query), ``heavy`` (own reader, so that it never makes a short query wait), ``write`` (the one writer, or a job of
many steps).
Dispatch, the reference page, the JSON Schema and the TypeScript types are all made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ccdashd.protocol import types as t

PROTOCOL = 1
"""Number of the protocol; raised when an older client could misunderstand an answer."""

MIN_PROTOCOL = 1
"""Oldest client protocol that is still served."""

Lane = Literal["loop", "read", "heavy", "write"]


@dataclass(frozen=True, eq=False)
class Method:
    """One row of the table."""

    name: str
    lane: Lane
    params: type[t.Wire]
    result: Any
    doc: str
    cached: bool = False
    """The encoded answer may be kept until the revision changes: it depends on parameters and database only."""


@dataclass(frozen=True, eq=False)
class Notification:
    """One message that the daemon sends on its own."""

    name: str
    params: type[t.Wire]
    doc: str


HELLO = Method("ccdash/hello", "loop", t.Hello, t.HelloResult, "Introduce a client; the first request of a connection.")
STATUS = Method("ccdash/status", "loop", t.NoParams, t.Status, "How the daemon is.")
DOCTOR = Method(
    "ccdash/doctor",
    "heavy",
    t.DoctorParams,
    t.Doctor,
    "Everything that was not understood, and every session a user might miss, with the reason.",
)
SUBSCRIBE = Method(
    "ccdash/subscribe",
    "loop",
    t.SubscribeParams,
    t.SubscribeResult,
    "Send notifications for topics to this connection.",
)
UNSUBSCRIBE = Method("ccdash/unsubscribe", "loop", t.SubscribeParams, t.SubscribeResult, "Stop notifications for topics.")
CHANGES = Method(
    "ccdash/changes",
    "loop",
    t.ChangesParams,
    t.Changes,
    "What changed since a revision, or that all should be read anew.",
)
SHUTDOWN = Method("ccdash/shutdown", "loop", t.NoParams, t.Ok, "Finish what runs, then stop the daemon.")

PROJECTS_LIST = Method(
    "projects/list", "read", t.ProjectsList, t.Page[t.Project], "Projects, last active first.", cached=True
)
PROJECTS_GET = Method("projects/get", "read", t.ProjectId, t.Project, "One project.", cached=True)
PROJECTS_ADD = Method(
    "projects/add", "write", t.ProjectsAdd, t.Project, "Register a folder as a project; sessions below it join it."
)
PROJECTS_UPDATE = Method("projects/update", "write", t.ProjectsUpdate, t.Project, "Name, hide or show a project.")
PROJECTS_REMOVE = Method(
    "projects/remove", "write", t.ProjectId, t.Ok, "Undo add, name and hide of a project. No session is removed."
)

SESSIONS_LIST = Method(
    "sessions/list", "read", t.SessionsList, t.Page[t.SessionRow], "Sessions, filtered, sorted, paged.", cached=True
)
SESSIONS_GET = Method("sessions/get", "read", t.SessionParams, t.Session, "One session with all its figures.", cached=True)
SESSIONS_TRANSCRIPT = Method(
    "sessions/transcript", "read", t.TranscriptParams, t.Transcript, "A chunk of a transcript.", cached=True
)
SESSIONS_BRANCHES = Method(
    "sessions/branches",
    "read",
    t.SessionParams,
    t.Branches,
    "Branches of a transcript: rewinds, compactions, sidechains.",
    cached=True,
)
SESSIONS_ENTRY = Method(
    "sessions/entry", "read", t.EntryParams, t.EntryPayload, "One record in full, read from the log by offset."
)
SESSIONS_BLOB = Method(
    "sessions/blob", "read", t.BlobParams, t.Blob, "The bytes of an image or other binary content of a record."
)
SESSIONS_TOOLS = Method(
    "sessions/tools", "read", t.ToolsParams, t.Tools, "Tool calls of a session, and usage by tool.", cached=True
)
SESSIONS_FILES = Method(
    "sessions/files", "read", t.SessionParams, t.SessionFiles, "Files that a session read and changed.", cached=True
)
SESSIONS_THREAD = Method(
    "sessions/thread",
    "read",
    t.SessionParams,
    t.Thread,
    "Parent, sub-agents, forks and origin of a session.",
    cached=True,
)
SESSIONS_RENDER = Method(
    "sessions/render", "heavy", t.RenderParams, t.RenderedPiece, "A transcript as Markdown, HTML or JSON, piece by piece."
)
SESSIONS_ACTIVE = Method("sessions/active", "read", t.ActiveParams, t.SessionRows, "Sessions that are being written.")

FILES_CONTEXT = Method(
    "files/context",
    "read",
    t.FileContextParams,
    t.FileContext,
    "Which sessions touched a path, newest first, and which documents, tasks and features speak of it.",
)

FILES_BLAME = Method(
    "files/blame", "loop", t.BlameParams, t.Blame, "Which session and prompt wrote which lines of a file as it is now."
)

DOCUMENTS_LIST = Method(
    "documents/list",
    "read",
    t.DocumentsList,
    t.Page[t.DocumentRow],
    "Planning files, filtered, sorted, paged.",
    cached=True,
)
DOCUMENTS_GET = Method("documents/get", "read", t.DocumentId, t.Document, "One planning file with all that was read in it.")
DOCUMENTS_TREE = Method(
    "documents/tree", "read", t.DocumentsTree, t.Tree, "Planning files by project and folder.", cached=True
)

TASKS_LIST = Method("tasks/list", "read", t.TasksList, t.Page[t.TaskRow], "Tasks, filtered, sorted, paged.", cached=True)
TASKS_GET = Method("tasks/get", "read", t.TaskId, t.Task, "One task with all that its file says of it.", cached=True)
TASKS_TREE = Method("tasks/tree", "read", t.TasksTree, t.Tree, "Tasks by feature, phase and parent.", cached=True)
TASKS_SET_STATUS = Method(
    "tasks/setStatus", "write", t.SetTaskStatus, t.StatusResult, "Set the status of a task in its file, or preview that."
)

FEATURES_LIST = Method(
    "features/list", "read", t.FeaturesList, t.Page[t.FeatureRow], "Features, filtered, sorted, paged.", cached=True
)
FEATURES_GET = Method(
    "features/get", "read", t.FeatureId, t.Feature, "One feature with its phases, documents and sessions.", cached=True
)
FEATURES_TREE = Method("features/tree", "read", t.FeaturesTree, t.Tree, "Features with phases and tasks.", cached=True)
FEATURES_SET_STATUS = Method(
    "features/setStatus",
    "write",
    t.SetFeatureStatus,
    t.StatusResult,
    "Set the status of a feature in the document that holds it, or preview that.",
)
FEATURES_SET_PHASE_STATUS = Method(
    "features/setPhaseStatus",
    "write",
    t.SetPhaseStatus,
    t.StatusResult,
    "Set the status of a phase in its file, or preview that.",
)

LINKS_LIST = Method(
    "links/list", "read", t.LinksList, t.Page[t.Link], "Links of one entity, the surest first.", cached=True
)
LINKS_CREATE = Method("links/create", "write", t.LinkCreate, t.Link, "Link two entities by hand.")
LINKS_DELETE = Method("links/delete", "write", t.LinkId, t.Ok, "Remove a link that was made by hand.")
LINKS_DISMISS = Method(
    "links/dismiss", "write", t.LinkDismiss, t.Link, "Say that a link that was found is wrong; it stays away."
)
LINKS_TREE = Method(
    "links/tree", "read", t.LinksTree, t.LinkTree, "Parents, children and siblings of an entity.", cached=True
)
LINKS_RELATED = Method(
    "links/related",
    "read",
    t.RelatedParams,
    t.Related,
    "What hangs together with an entity, directly or over one other.",
    cached=True,
)
LINKS_AUDIT = Method("links/audit", "read", t.LinkId, t.LinkAudit, "The evidence for a link.", cached=True)

EXTERNAL_LINKS_LIST = Method(
    "externalLinks/list", "read", t.ExternalLinksList, t.Page[t.ExternalLink], "Links to the web.", cached=True
)
EXTERNAL_LINKS_CREATE = Method(
    "externalLinks/create", "write", t.ExternalLinkCreate, t.ExternalLink, "Link an entity to the web."
)
EXTERNAL_LINKS_DELETE = Method("externalLinks/delete", "write", t.ExternalLinkId, t.Ok, "Remove a link to the web.")

TAGS_LIST = Method("tags/list", "read", t.TagsList, t.Tags, "All tags, or those of one entity.", cached=True)
TAGS_CREATE = Method("tags/create", "write", t.TagCreate, t.Tag, "Make a tag, or give one another color.")
TAGS_ADD = Method("tags/add", "write", t.TagUse, t.Tags, "Give an entity a tag; answers all of its tags.")
TAGS_REMOVE = Method("tags/remove", "write", t.TagUse, t.Tags, "Take a tag from an entity; answers those that are left.")
TAGS_RENAME = Method("tags/rename", "write", t.TagRename, t.Tag, "Rename a tag.")
TAGS_DELETE = Method("tags/delete", "write", t.TagName, t.Ok, "Remove a tag from all entities.")

METADATA_GET = Method(
    "metadata/get", "read", t.MetadataGet, t.Metadata, "Notes, ratings and other values of an entity.", cached=True
)
METADATA_SET = Method("metadata/set", "write", t.MetadataSet, t.Metadata, "Set a note, a rating or any key of an entity.")

ANALYTICS_METRICS = Method(
    "analytics/metrics", "loop", t.NoParams, t.Metrics, "The registry of metrics, each with its unit and definition."
)
ANALYTICS_OVERVIEW = Method(
    "analytics/overview", "read", t.OverviewParams, t.Overview, "What it cost and how it develops, at a glance."
)
ANALYTICS_TRENDS = Method("analytics/trends", "read", t.TrendParams, t.Trend, "Metrics by hour, day, week or month.")
ANALYTICS_BREAKDOWN = Method(
    "analytics/breakdown", "read", t.BreakdownParams, t.Breakdown, "Metrics by project, model, feature, tool and others."
)
ANALYTICS_SESSION_COST = Method(
    "analytics/sessionCost",
    "read",
    t.SessionCostParams,
    t.SessionCost,
    "What a session cost, by model and kind of token, with the prices.",
    cached=True,
)
ANALYTICS_TOOLS = Method(
    "analytics/tools", "heavy", t.ToolsUsedParams, t.ToolsUsed, "Tools: calls, errors, and how long they took."
)
ANALYTICS_WINDOWS = Method(
    "analytics/windows", "read", t.WindowsParams, t.Windows, "Five-hour and weekly windows, burn rate and forecast."
)
ANALYTICS_HEATMAP = Method("analytics/heatmap", "read", t.HeatmapParams, t.Heatmap, "A metric by day of week and hour.")
ANALYTICS_DISTRIBUTION = Method(
    "analytics/distribution", "read", t.DistributionParams, t.Distribution, "How a metric is spread over sessions."
)
ANALYTICS_TOP = Method("analytics/top", "read", t.TopParams, t.Top, "The sessions with most of a metric.")
ANALYTICS_PROMETHEUS = Method(
    "analytics/prometheus", "heavy", t.NoParams, t.Prometheus, "All counters and gauges in Prometheus' text format."
)
ANALYTICS_STATUSLINE = Method(
    "analytics/statusline", "read", t.StatuslineParams, t.Statusline, "What fits on one line of a shell or an agent."
)

ALERTS_LIST = Method("alerts/list", "read", t.AlertsListParams, t.Alerts, "Alert rules, and what is firing.")
ALERTS_CREATE = Method("alerts/create", "write", t.AlertCreate, t.AlertRule, "Make an alert rule.")
ALERTS_UPDATE = Method("alerts/update", "write", t.AlertUpdate, t.AlertRule, "Change an alert rule, or turn it on or off.")
ALERTS_DELETE = Method(
    "alerts/delete", "write", t.AlertId, t.Ok, "Remove an alert rule; a seeded one goes back to what it was."
)
ALERTS_HISTORY = Method(
    "alerts/history", "read", t.AlertHistoryParams, t.Page[t.AlertFired], "Alerts that fired.", cached=True
)

CACHE_STATUS = Method("cache/status", "heavy", t.NoParams, t.CacheStatus, "What the cache holds, and how much work it did.")
CACHE_RESCAN = Method(
    "cache/rescan", "write", t.RescanParams, t.RescanResult, "Compare every file with the cache now; read what differs."
)
CACHE_REBUILD = Method(
    "cache/rebuild", "write", t.WorkParams, t.RescanResult, "Read every file anew. Sessions whose log is gone stay."
)
CACHE_VERIFY = Method(
    "cache/verify",
    "write",
    t.VerifyParams,
    t.VerifyResult,
    "Check all files of ours, read every log and planning file again to compare, and repair what is wrong when asked.",
)
CACHE_BACKUP = Method(
    "cache/backup", "write", t.BackupParams, t.BackupResult, "Copy what is ours into a folder, while all goes on."
)
CACHE_STORAGE = Method("cache/storage", "heavy", t.NoParams, t.Storage, "Bytes on disk by part, table and project.")
CACHE_VACUUM = Method(
    "cache/vacuum", "write", t.WorkParams, t.VacuumResult, "Give free space of the databases back, a little at a time."
)
CACHE_MIGRATE = Method(
    "cache/migrate", "write", t.MigrateParams, t.MigrateResult, "The version of the cache, and going up or down to another."
)

SEARCH_QUERY = Method(
    "search/query", "loop", t.SearchParams, t.SearchResult, "Find words in everything that was said, done and planned."
)
SEARCH_DEEP = Method(
    "search/deep",
    "write",
    t.DeepSearchParams,
    t.DeepSearchResult,
    "Find bytes, or a regular expression, in the logs.",
)

ARCHIVE_STATUS = Method("archive/status", "read", t.NoParams, t.ArchiveStatus, "What the archive holds, and what waits.")
ARCHIVE_RUN = Method("archive/run", "write", t.ArchiveRunParams, t.ArchiveRunResult, "Copy logs into the archive now.")
ARCHIVE_LIST = Method(
    "archive/list", "read", t.ArchiveListParams, t.Page[t.ArchivedLog], "Logs that there are copies of, the newest first."
)
ARCHIVE_RESTORE = Method(
    "archive/restore", "write", t.ArchiveRestoreParams, t.ArchiveRestoreResult, "Write a session's logs back into a folder."
)
ARCHIVE_PRUNE = Method(
    "archive/prune", "write", t.PruneParams, t.PruneResult, "Delete ccdash's own copies of sessions, or say which would go."
)
ARCHIVE_PRUNES = Method("archive/prunes", "read", t.PrunesParams, t.Page[t.Pruned], "What was pruned, the newest first.")
ARCHIVE_EXPORT = Method("archive/export", "write", t.ExportParams, t.ExportResult, "Write a bundle.")
ARCHIVE_IMPORT = Method("archive/import", "write", t.ImportParams, t.ImportResult, "Take in the sessions of a bundle.")
RETENTION_GET = Method("retention/get", "read", t.NoParams, t.RetentionPolicies, "What may be pruned, and when.")
RETENTION_SET = Method("retention/set", "write", t.RetentionSetParams, t.RetentionPolicies, "Add or change a policy.")
RETENTION_DELETE = Method("retention/delete", "write", t.RetentionDeleteParams, t.RetentionPolicies, "Remove a policy.")

METHODS: dict[str, Method] = {value.name: value for value in list(globals().values()) if isinstance(value, Method)}

CHANGED = Notification("ccdash/changed", t.ChangedNotification, "Entities changed; sent to subscribers, coalesced.")
TRANSCRIPT = Notification("ccdash/transcript", t.TranscriptNotification, "Entries were added to a followed session.")
PROGRESS = Notification("$/progress", t.ProgressNotification, "Progress of a request that named a `workDoneToken`.")
ALERT_FIRED = Notification(
    "alerts/fired", t.AlertFiredNotification, "An alert fired, or was resolved; sent to subscribers of `alerts`."
)
SEARCH_MATCHES = Notification(
    "search/matches", t.DeepMatches, "What a deep search found so far, where its request named a `workDoneToken`."
)
INDEXING = Notification("ccdash/indexing", t.IndexingNotification, "Progress of an index run.")

NOTIFICATIONS: dict[str, Notification] = {
    value.name: value for value in list(globals().values()) if isinstance(value, Notification)
}
