"""What config.json says, taken up for the models whose changes are followed."""

from collections.abc import MutableMapping
from pathlib import Path

from camfleet_contracts.names import sendable
from camfleet_contracts.serving_config import BadServingConfig, ServingConfig
from camfleet_server.reload.config_source import ConfigSource
from camfleet_server.reload.load_news import LoadNews
from camfleet_server.reload.model_state import ModelState


class FollowedConfig:
    """Belongs to the reconciler's thread."""

    def __init__(self, source: ConfigSource, news: LoadNews, *, is_explicit: bool) -> None:
        """Follow all models; `is_explicit`: until the first rest."""
        self._source = source
        self._news = news
        self._is_explicit = is_explicit
        self._followed: set[str] | None = None  # models whose changes are taken up; None: all
        self._taken_up: ServingConfig | None = None
        self.fault = ""  # why it cannot be used; what it said before still counts
        self.is_known = False  # it was taken up once

    @property
    def folder(self) -> Path:
        """Return where config.json is."""
        return self._source.folder

    @property
    def is_settling(self) -> bool:
        """Tell whether it is half written."""
        return self._source.is_settling

    def is_followed(self, name: str) -> bool:
        """Tell whether changes of this model are taken up."""
        return self._followed is None or name in self._followed

    def follow(self, only: str | None) -> None:
        """Take up changes of one model, None: of all."""
        if only is None or self._followed is None:
            self._followed = None
        else:
            self._followed.add(only)
        self._taken_up = None  # what it says of models that were not followed is taken up now

    def rest(self) -> None:
        """Where models are loaded on request only: take up no changes until the next request."""
        if self._is_explicit:
            self._followed = set()

    def take_up(self, states: MutableMapping[str, ModelState]) -> None:
        """Read config.json, and tell the states what it says of them; new models are added."""
        if self._followed is not None and not self._followed:
            return
        try:
            config = self._source.read()
        except BadServingConfig as error:
            fault = sendable(str(error))
            if fault != self.fault:
                self._news.config_refused(fault)
            self.fault = fault
            return
        if self.fault:
            self._news.config_usable()
            self.fault = ""
        if config is not self._taken_up:
            self._taken_up = config
            self._apply(config, states)

    def _apply(self, config: ServingConfig, states: MutableMapping[str, ModelState]) -> None:
        models = {model.name: model for model in config.models}
        for name in filter(self.is_followed, models.keys() | config.entry_faults.keys()):
            states.setdefault(name, ModelState(name))
        for name, state in states.items():
            if not self.is_followed(name):
                continue
            before, state.entry_fault = state.entry_fault, config.entry_faults.get(name, "")
            if state.entry_fault:
                if state.entry_fault != before:
                    self._news.entry_refused(name, state.entry_fault)
            else:
                state.config = models.get(name)
        self.is_known = True
