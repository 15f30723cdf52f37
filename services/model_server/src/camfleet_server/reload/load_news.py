"""Tells what comes of loads: to the log, to the metrics, and to the list of the last loads."""

import logging

from camfleet_contracts.clock import now_utc
from camfleet_contracts.names import sendable
from camfleet_server.metrics import ServerMetrics
from camfleet_server.reload.loader import Breakage, LoadResult
from camfleet_server.serving.load_log import LoadLog, LoadRecord, Outcome
from camfleet_server.serving.model_version import LoadedVersion

logger = logging.getLogger(__name__)

CONFIG = "config.json"


class LoadNews:
    """Belongs to the reconciler's thread."""

    def __init__(self, metrics: ServerMetrics, log: LoadLog) -> None:
        self._metrics = metrics
        self._log = log

    def loaded(self, result: LoadResult, loaded: LoadedVersion, *, is_anew: bool) -> None:
        """A version answers from now on; `is_anew` when it did before."""
        self._metrics.count_load(loaded.name, result.outcome)
        self._metrics.observe_load(loaded.name, probe_s=result.probe_s, load_s=result.load_s)
        self._metrics.count_reload("changed")
        outcome = Outcome.RELOADED if is_anew else Outcome.LOADED
        self._note(loaded.name, loaded.number, outcome, took_s=result.took_s)
        logger.info(
            "version available model=%s version=%s device=%s",
            loaded.name,
            loaded.number,
            loaded.servable.device,
        )

    def not_loaded(self, result: LoadResult) -> None:
        """A version was refused, or its files changed while it was loaded."""
        source = result.job.source
        self._metrics.count_load(source.name, result.outcome)
        if not result.refusal:
            return
        self._metrics.count_reload("refused")
        reason, took_s = sendable(result.refusal), result.took_s
        self._note(source.name, source.version, Outcome.REFUSED, reason, took_s)
        logger.error(
            "version refused model=%s version=%s reason=%s next=%s",
            source.name,
            source.version,
            reason,
            "it is tried again when its files or its config change",
        )

    def broken(self, breakage: Breakage) -> None:
        """A request left a version of no use."""
        self._metrics.count_broken(breakage.model)
        self._note(breakage.model, breakage.version, Outcome.BROKEN, breakage.reason)

    def unloaded(self, loaded: LoadedVersion) -> None:
        """A version is drained, and gone."""
        self._note(loaded.name, loaded.number, Outcome.UNLOADED)
        logger.info("version unloaded model=%s version=%s", loaded.name, loaded.number)

    def entry_refused(self, name: str, reason: str) -> None:
        """An entry of config.json cannot be used."""
        self._note(name, None, Outcome.REFUSED, reason)
        logger.error("entry of config.json refused model=%s reason=%s", name, reason)

    def config_refused(self, reason: str) -> None:
        """Nothing of config.json can be used."""
        self._note(CONFIG, None, Outcome.REFUSED, reason)
        logger.warning("config refused reason=%s next=%s", reason, "what is served stays")

    def config_usable(self) -> None:
        """config.json was mended."""
        self._note(CONFIG, None, Outcome.LOADED)
        logger.info("config is usable again")

    def _note(
        self,
        model: str,
        version: int | None,
        outcome: Outcome,
        reason: str = "",
        took_s: float | None = None,
    ) -> None:
        self._log.note(LoadRecord(now_utc(), model, version, outcome, sendable(reason), took_s))
