"""Panels: what scripts show on the page (camfleet.Streamer), beside the cameras."""

from camfleet.web.panels.board import PanelBoard
from camfleet.web.panels.routes import panel_routes

__all__ = ["PanelBoard", "panel_routes"]
