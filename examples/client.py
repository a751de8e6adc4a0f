#!/usr/bin/env python3
"""A client of Regent's API with nothing but Python's standard library: predict one row and many, say what came true, ask how it is.

    python3 examples/client.py [URL]        the model `rain` of `regent init --example rain`; http://127.0.0.1:8080 if nobody says

A key, where the server asks for one, is read from REGENT_KEY.
"""

import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
import uuid


class Problem(Exception):
    """What the server refuses, as RFC 9457 has it: `status`, `kind`, `detail`, and `errors`, the violations of the contract."""

    def __init__(self, status, body):
        self.status = status
        self.kind = body.get("type", "about:blank").rpartition(":")[2]
        self.detail = body.get("detail", "")
        self.errors = body.get("errors", [])
        told = [f"{error['feature']}: {error['detail']}" for error in self.errors]
        super().__init__("; ".join([f"{status} {self.kind}: {self.detail}", *told]))


class Regent:
    """A server. A request that it cannot take just now (429, 503) is sent again, with the same id: it counts once."""

    def __init__(self, url="http://127.0.0.1:8080", key=None, tries=5, timeout=10.0):
        self.url, self.key, self.tries, self.timeout = url.rstrip("/"), key, tries, timeout

    def predict(self, features, request_id=None):
        """The answer for one row: its `probability`, or its `prediction` with the `interval`."""
        return self._ask("/api/v1/predict", {"request_id": request_id or str(uuid.uuid4()), "features": features})

    def predict_batch(self, rows):
        """The answers for up to 10,000 rows, each answered, or refused with its `errors`, by itself."""
        rows = [{"request_id": str(uuid.uuid4()), "features": features} for features in rows]
        return self._ask("/api/v1/predict/batch", {"rows": rows})

    def label(self, request_id, label):
        """Say what came true of a request; how it was taken: `new`, `duplicate`, ..."""
        outcomes = self._ask("/api/v1/labels", {"request_id": request_id, "label": label})["outcomes"]
        return next(outcome for outcome, count in outcomes.items() if count)

    def health(self):
        """Who answers, and whether anybody does."""
        return self._ask("/health")

    def _ask(self, path, body=None):
        headers = {"accept": "application/json", "traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"}
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        data = None
        if body is not None:
            data, headers["content-type"] = json.dumps(body, allow_nan=False).encode(), "application/json"
        request = urllib.request.Request(self.url + path, data, headers)
        for left in reversed(range(self.tries)):
            try:
                with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as refused:
                with refused:
                    if refused.code in (429, 503) and left:
                        time.sleep(float(refused.headers.get("retry-after", 1)))
                        continue
                    raise Problem(refused.code, json.load(refused)) from None


RAINY = {
    "temperature": -0.4, "dew_point": 0.9, "sea_level_pressure": -0.8, "visibility": -1.2,
    "average_wind_speed": 0.6, "max_sustained_wind_speed": 0.5, "minimum_temperature": -0.1, "maximum_temperature": -0.5,
}


def main(url="http://127.0.0.1:8080"):
    regent = Regent(url, os.environ.get("REGENT_KEY"))
    health = regent.health()
    print(f"{health['model']} {health['model_version']} is {health['status']}")
    answer = regent.predict(RAINY)
    print(f"rain with a probability of {answer['probability']:.2f}")
    batch = regent.predict_batch([RAINY, {**RAINY, "visibility": 1.2}, {**RAINY, "colour": "blue"}])
    print(f"of {len(batch['rows'])} rows {batch['answered']} are answered, {batch['refused']} refused")
    print(f"the label is {regent.label(answer['request_id'], True)}")
    try:
        regent.predict({**RAINY, "temperature": "cold"})
    except Problem as problem:
        print(problem)


if __name__ == "__main__":
    main(*sys.argv[1:])
