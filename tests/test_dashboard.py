"""The Grafana dashboard shows the metrics of the services."""

import json
import re
from importlib import import_module
from pathlib import Path

from prometheus_client import REGISTRY

ROOT = Path(__file__).parents[1]
DASHBOARD = json.loads((ROOT / "deploy/grafana/nightmail.json").read_text())
_METRIC = re.compile(r"\bnightmail_[a-z_]+")
_SUFFIX = re.compile(r"_(total|bucket|sum|count|info)$")


def test_the_dashboard_shows_every_metric_of_every_service_and_no_other() -> None:
    for module in ROOT.glob("*/*/nightmail_*/metrics.py"):
        import_module(f"{module.parent.name}.metrics")
    declared = {family.name for family in REGISTRY.collect() if family.name.startswith("nightmail_")}
    panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    shown = {_SUFFIX.sub("", name) for query in queries for name in _METRIC.findall(query)}
    assert shown == declared


def test_every_panel_has_a_description_and_none_overlaps_another() -> None:
    places: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        if panel["type"] != "row":
            assert panel["description"], panel["title"]
        at = panel["gridPos"]
        covered = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not covered & places, panel["title"]
        places |= covered
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
