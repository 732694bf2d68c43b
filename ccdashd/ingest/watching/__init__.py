"""The backends of the watcher: inotify on Linux, watchfiles elsewhere, polling where neither works."""
