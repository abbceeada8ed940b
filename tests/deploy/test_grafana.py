import json
import re
from pathlib import Path

from brakepoint.services.metrics import METRICS, OF

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "brakepoint.json"


def queries():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (one["query"]["query"] for one in dashboard["templating"]["list"] if one["type"] == "query")


def sample_names():
    """Names as Prometheus stores them: a counter's end in _total, and a histogram has buckets."""
    return {
        sample
        for metric in METRICS
        for family in metric.collect()
        for sample in (family.name, f"{family.name}_total", f"{family.name}_bucket")
        if sample.endswith({"counter": "_total", "histogram": "_bucket"}.get(family.type, ""))
    }


def test_the_dashboard_asks_only_for_metrics_that_there_are():
    asked = {name for query in queries() for name in re.findall(r"brakepoint_\w+", query)}

    assert asked <= sample_names()


def test_the_dashboard_shows_every_metric_that_a_person_may_want():
    asked = "\n".join(queries())
    unshown = {"brakepoint_messages", "brakepoint_broker_connections", "brakepoint_mission_running"}
    families = {family.name for metric in METRICS for family in metric.collect()}

    assert {name for name in families - unshown if name not in asked} == set()


def test_names_and_labels_keep_to_the_scheme():
    for metric in METRICS:
        assert metric._labelnames[: len(OF)] == OF
        for family in metric.collect():
            assert re.fullmatch(r"brakepoint_[a-z_]+", family.name)
            assert family.documentation.endswith(".")


def test_panels_do_not_overlap():
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
