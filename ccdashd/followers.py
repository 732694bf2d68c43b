"""What goes on beside the pipeline while the cache is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccdashd.analytics.alerting import Alerting
from ccdashd.analytics.daily import Daily
from ccdashd.archive.keeper import Keeper
from ccdashd.archive.retention import Retention
from ccdashd.log import survived
from ccdashd.search.builder import Texts

if TYPE_CHECKING:
    from ccdashd.app import App


class Followers:
    """These parts of a daemon whose cache is open."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.daily = Daily(app)
        """Keeps how far plans are on each day."""
        self.retention = Retention(app)
        """Prunes the archive."""
        self.keeper = Keeper(app)
        """Copies logs into the archive."""
        self.texts = Texts(app)
        """Has the index of texts."""
        self.alerting = Alerting(app)
        """Evaluates alert rules."""

    def start(self) -> None:
        """Begin with what each does of its own accord."""
        self.daily.start()
        self.retention.start()
        self.keeper.start()
        self.texts.start()
        if self._app.settings.alerts:
            self.alerting.start()

    async def stop(self) -> None:
        """End all, while the journal and the cache can still be had."""
        for part in (self.texts, self.keeper, self.retention, self.alerting, self.daily):
            await survived(part.stop(), "a part did not end in order")
