"""Which versions a policy wants."""

from typing import Any

import pytest

from camfleet_server.reload.version_policy import choose_versions

POLICIES: list[tuple[dict[str, Any] | None, set[int]]] = [
    (None, {4}),
    ({"latest": {}}, {4}),
    ({"latest": {"num_versions": 2}}, {2, 4}),
    ({"all": {}}, {1, 2, 4}),
    ({"specific": {"versions": [1, 9]}}, {1}),
]


@pytest.mark.parametrize(
    ("policy", "wanted"),
    POLICIES,
    ids=["default", "latest", "two latest without a refused one", "all usable", "specific"],
)
def test_policy_chooses_among_usable_versions(
    policy: dict[str, Any] | None, wanted: set[int]
) -> None:
    assert choose_versions(policy, {1, 2, 3, 4}, lambda version: version != 3) == wanted


@pytest.mark.parametrize(
    "policy",
    [{"latest": {"num_versions": 0}}, {"specific": {"versions": ["1"]}}, {"newest": {}}],
    ids=["zero", "text", "unknown"],
)
def test_policy_that_makes_no_sense_is_refused(policy: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="model_version_policy"):
        choose_versions(policy, {1}, lambda _: True)
