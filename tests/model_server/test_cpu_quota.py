"""CPU threads follow the quota of the container and the CPU set, not the cores of the host."""

from pathlib import Path

import pytest

from camfleet_server.cpu_share import CpuShare, read_cpu_share

V1 = "5:cpuset:/box\n4:cpu,cpuacct:/box/inner\n1:name=systemd:/box\n"
V2 = "0::/box/inner\n"


@pytest.mark.parametrize(
    ("membership", "files", "quota", "threads"),
    [
        (V2, {"box/inner/cpu.max": "150000 100000"}, 1.5, 2),
        (V2, {"box/inner/cpu.max": "max 100000", "box/cpu.max": "300000 100000"}, 3.0, 3),
        (V2, {"box/inner/cpu.max": "400000 100000", "cpu.max": "50000 100000"}, 0.5, 1),
        (V2, {"cpu.max": "200000 100000"}, 2.0, 2),
        (V2, {"unified/cpu.max": "200000 100000"}, 2.0, 2),
        (V2, {"box/inner/cpu.max": "max 100000"}, None, 8),
        (V2, {"box/inner/cpu.max": "9900000 100000"}, 99.0, 8),
        (V1, {"cpu,cpuacct/box/inner/cpu.cfs": "250000 100000"}, 2.5, 3),
        (V1, {"cpu/cpu.cfs": "100000 100000"}, 1.0, 1),
        (V1, {"cpu/box/inner/cpu.cfs": "-1 100000"}, None, 8),
        (V1, {"cpuset/box/cpu.cfs": "100000 100000"}, None, 8),
        (V2, {"cpu.max": "nonsense"}, None, 8),
        ("", {}, None, 8),
    ],
    ids=[
        "own group",
        "parent",
        "smallest of all, at least one thread",
        "only the root is mounted",
        "hybrid",
        "no limit",
        "more than there is",
        "v1",
        "v1 in a container",
        "v1 no limit",
        "v1 other controller",
        "unreadable",
        "no cgroups",
    ],
)
def test_quota_of_the_control_group_bounds_the_threads(
    tmp_path: Path, membership: str, files: dict[str, str], quota: float | None, threads: int
) -> None:
    (tmp_path / "membership").write_text(membership)
    for name, text in files.items():
        _write(tmp_path / "cgroup" / name, text)
    share = read_cpu_share(tmp_path / "cgroup", tmp_path / "membership", cores=8)
    assert (share.quota, share.threads) == (quota, threads)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.name == "cpu.max":
        file.write_text(text + "\n")
        return
    quota, period = text.split()
    (file.parent / "cpu.cfs_quota_us").write_text(quota + "\n")
    (file.parent / "cpu.cfs_period_us").write_text(period + "\n")


def test_this_process_has_a_share() -> None:
    assert read_cpu_share().threads >= 1


@pytest.mark.parametrize(
    ("share", "is_limited"),
    [(CpuShare(2), False), (CpuShare(2, 1.0), True), (CpuShare(2, 2.0), False)],
    ids=["no quota", "less than the cores", "all of them"],
)
def test_only_a_quota_below_the_cores_is_a_limit(share: CpuShare, is_limited: bool) -> None:
    assert share.is_limited is is_limited
