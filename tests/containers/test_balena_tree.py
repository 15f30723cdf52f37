from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from balena_tree import BadTarget, compose_for, overlay_of, targets, write_tree
from compose_merge import merged
from compose_rules import violations


def services_with(*names: str) -> dict[str, Any]:
    services: dict[str, Any] = compose_for([*names])["services"]
    return services


def test_the_targets_are_the_overlays_that_balena_can_use() -> None:
    assert targets() == ["hailo", "intel-gpu", "jetson", "small", "usb"]


@pytest.mark.parametrize("name", ["hailo", "intel-gpu", "jetson", "small", "usb"])
def test_a_merged_file_keeps_the_rules_of_balena(name: str) -> None:
    assert violations(compose_for([name])) == []


def test_overlays_can_be_combined() -> None:
    services = services_with("usb", "hailo")

    assert services["capture"]["privileged"] is True
    assert services["model-server"]["devices"] == ["/dev/hailo0:/dev/hailo0"]


def test_capture_sees_cameras_come_and_go_and_runs_without_privileges() -> None:
    script = services_with("usb")["capture"]["entrypoint"][-1]

    assert "mount -t devtmpfs devtmpfs /dev" in script
    assert "exec setpriv --reuid=10001" in script
    assert "--bounding-set=-all --no-new-privs camfleet-capture" in script


def test_a_file_for_balena_goes_before_the_one_for_docker() -> None:
    assert overlay_of("usb").parent.name == "balena"


def test_the_tree_has_what_the_images_are_built_from(tmp_path: Path) -> None:
    write_tree(["usb"], tmp_path / "tree")

    services = YAML(typ="safe").load(tmp_path / "tree" / "docker-compose.yml")["services"]
    builds = [tmp_path / "tree" / service["build"]["context"] for service in services.values()]
    assert all(folder.is_dir() for folder in builds)
    names = {path.name for path in (tmp_path / "tree").iterdir()}
    assert {".dockerignore", "balena.yml", "models", "notebooks", "proto", "requirements"} <= names
    assert (tmp_path / "tree" / "services" / "capture" / "Dockerfile").is_file()


@pytest.mark.parametrize("name", ["cuda", "monitoring"])
def test_an_overlay_that_balena_refuses_is_named_with_the_rule(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadTarget, match=r"balena can use hailo, intel-gpu, jetson, small, usb\n"):
        write_tree([name], tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


def test_an_unknown_target_is_answered_with_the_known_ones() -> None:
    with pytest.raises(BadTarget, match="no overlay 'webcam'; balena can use hailo"):
        compose_for(["webcam"])


def test_merging_follows_docker_compose() -> None:
    base = {
        "services": {
            "a": {
                "command": ["x", "y"],
                "volumes": ["models:/models:ro", "state:/state"],
                "environment": {"A": "1", "B": "1"},
                "cap_drop": ["ALL"],
            }
        }
    }
    overlay = {
        "services": {
            "a": {
                "command": ["z"],
                "volumes": ["other:/models"],
                "environment": {"B": "2"},
                "cap_drop": ["ALL"],
            }
        }
    }

    assert merged(base, overlay)["services"]["a"] == {
        "command": ["z"],
        "volumes": ["state:/state", "other:/models"],
        "environment": {"A": "1", "B": "2"},
        "cap_drop": ["ALL"],
    }
