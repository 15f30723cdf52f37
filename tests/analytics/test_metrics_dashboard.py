"""Every metric and label that the dashboard of analytics asks for is there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from running_app import RunningApp, running_app
from waiting import wait_until

DASHBOARD = Path(__file__).parents[2] / "compose" / "grafana" / "analytics.json"
GIVEN_BY_PROMETHEUS = {"job"}  # it labels what it scrapes


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("app")) as app:
        app.show(count=3)
        wait_until(lambda: app.fleet.pipelines["door"].ledger.asked, 60, "a frame is analysed")
        yield app


@pytest.fixture(scope="module")
def labels_by_sample(app: RunningApp) -> dict[str, set[str]]:
    families = text_string_to_metric_families(httpx.get(app.address + "/metrics", timeout=60).text)
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def _expressions() -> list[str]:
    document = json.loads(DASHBOARD.read_text())
    targets = [one["expr"] for panel in document["panels"] for one in panel.get("targets", ())]
    variables = [
        v["query"]["query"] for v in document["templating"]["list"] if v["type"] == "query"
    ]
    return sorted({*targets, *variables})


@pytest.mark.parametrize("expression", _expressions())
def test_the_dashboard_asks_for_what_there_is(
    expression: str, labels_by_sample: dict[str, set[str]]
) -> None:
    asked = re.findall(r"((?:process|camfleet)_\w+)(?:\{([^}]*)\})?", expression)
    assert asked
    for name, selector in asked:
        selected = set(re.findall(r"(\w+)=~?\"", selector))
        assert selected - GIVEN_BY_PROMETHEUS <= labels_by_sample[name]
