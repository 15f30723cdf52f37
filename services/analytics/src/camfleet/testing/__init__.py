"""For tests of applications: fakes of camera, server and accelerator, clips, golden results.

Everything runs without hardware, network and models, in seconds; docs/develop.md shows how.
`pytest_plugins = ["camfleet.testing.plugin"]` in conftest.py brings the fixture `golden`.
"""

from camfleet.testing.app_run import AppRun, run_app
from camfleet.testing.cameras import FakeCamera, clip_as_camera
from camfleet.testing.fake_models import FakeModel, Sighting, painted_detector
from camfleet.testing.fake_server import FakeServer
from camfleet.testing.golden import Difference, differences
from camfleet.testing.painting import Walk, paint, write_clip

__all__ = [
    "AppRun",
    "Difference",
    "FakeCamera",
    "FakeModel",
    "FakeServer",
    "Sighting",
    "Walk",
    "clip_as_camera",
    "differences",
    "paint",
    "painted_detector",
    "run_app",
    "write_clip",
]
