"""Read one scrape as Prometheus' own Python client reads OpenMetrics: strictly."""

import sys
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families

url, key = sys.argv[1:]
request = urllib.request.Request(url, headers={"authorization": f"Bearer {key}"})
with urllib.request.urlopen(request, timeout=10) as answer:
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0"), answer.headers
    families = list(text_string_to_metric_families(answer.read().decode()))
assert all(family.documentation for family in families), "a metric says nothing"
print(f"test-openapi: {len(families)} metrics with {sum(len(family.samples) for family in families)} samples are read")
