"""An application as one image: built by the command, run without network on a read-only root."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.containers

COMMAND = Path(sys.executable).with_name("camfleet")
SCRIPT = """
import os
import numpy as np
import camfleet
detector = camfleet.ObjectDetection("demo-street")
detector.load()
found = detector.detect_objects(np.full((360, 640, 3), 90, np.uint8))
open("var/written", "w").close()
print("uid", os.getuid(), "engine", detector.engine, "found", len(found.predictions))
"""


@pytest.fixture
def app(tmp_path: Path, repository: Path) -> Path:
    """An application whose one model is published nowhere: it lies in its own folder."""
    folder = tmp_path / "packaged-by-test"
    (folder / "models").mkdir(parents=True)
    shutil.copytree(repository / "models" / "demo-street" / "1", folder / "models" / "demo-street")
    (folder / "app.py").write_text(SCRIPT)
    document = {"scripts": {"start": "python app.py"}, "models": {"demo-street": 1}}
    (folder / "camfleet.app.json").write_text(json.dumps(document))
    return folder


def test_packaged_application_needs_no_network_and_writes_nowhere(
    app: Path, engine_environment: dict[str, str]
) -> None:
    def run(*words: str | Path) -> str:
        done = subprocess.run(
            list(map(str, words)),
            env=engine_environment,
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    run(COMMAND, "app", "package", "--app", app, "--tag", "camfleet-test-packaged")
    try:
        locked_up = ("--read-only", "--cap-drop=ALL", "--network=none")
        said = run("docker", "run", "--rm", *locked_up, "camfleet-test-packaged")
        assert "uid 10001 engine DNN_OPENVINO found" in said
    finally:
        run("docker", "rmi", "--force", "camfleet-test-packaged")
