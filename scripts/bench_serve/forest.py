"""Regent's forest and LightGBM's C interface on the same rows and three trained models, in turns: the quickest of each, and equal bits.

Called by scripts/bench_serve.sh. LightGBM is called from here, because unsafe code has one place in the repository and a benchmark is no
reason for a second; the call of an empty function is taken off what its single-row call takes. Prints a table, and writes all
numbers into var/bench/forest.json.
"""

import ctypes
import json
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lightgbm
import numpy as np
from lightgbm.basic import _LIB

SIZES, TURNS, ROWS = [(200, 31), (500, 63), (300, 127)], 5, 1_024
NORMAL, RAW, FLOAT64 = 0, 1, 1


def rows(seed: int, count: int):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 20))
    x[:, 0] = np.round(x[:, 0] * 3)
    x[:, 1] = rng.integers(0, 12, count)
    margin = x[:, 2] + x[:, 3] * x[:, 4] + np.sin(2 * x[:, 5]) + (x[:, 1] % 3 == 0) + rng.logistic(size=count)
    return np.ascontiguousarray(x), margin > 0


def quickest(work, turns: int = 12) -> float:
    best = float("inf")
    for _ in range(turns):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best / ROWS * 1e6


def lightgbm_us(booster, x) -> dict:
    """Microseconds a row: all rows in one call, and each in a call of its own that was prepared."""
    fast, length, out = ctypes.c_void_p(), ctypes.c_int64(), ctypes.c_double()
    parameters = ctypes.c_char_p(b"num_threads=1")
    _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle, RAW, 0, -1, FLOAT64, x.shape[1], parameters, ctypes.byref(fast))
    call, nothing = _LIB.LGBM_BoosterPredictForMatSingleRowFast, _LIB.LGBM_GetLastError
    places = [ctypes.c_void_p(x.ctypes.data + x.strides[0] * row) for row in range(ROWS)]
    length, out = ctypes.byref(length), ctypes.byref(out)

    def one():
        for place in places:
            call(fast, place, length, out)

    def none():
        for _ in places:
            nothing()

    result = {"one_us": quickest(one) - quickest(none),
              "many_us": quickest(lambda: booster.predict(x, raw_score=True, num_threads=1))}
    _LIB.LGBM_FastConfigFree(fast)
    return result


def main(program: str) -> None:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        x, _ = rows(2, ROWS)
        data = Path(folder, "rows")
        data.write_bytes(x.astype("<f8").tobytes())
        for trees, leaves in SIZES:
            train = lightgbm.Dataset(*rows(1, 40_000), categorical_feature=[1])
            settings = {"objective": "binary", "num_leaves": leaves, "learning_rate": 0.05, "verbose": -1, "num_threads": 2}
            model = Path(folder, "model.txt")
            lightgbm.train(settings, train, trees).save_model(model)
            booster = lightgbm.Booster(model_file=model)
            expected = [struct.pack(">d", margin).hex() for margin in booster.predict(x, raw_score=True)]
            best = {}
            for _ in range(TURNS):
                told = subprocess.run([program, model, data], check=True, capture_output=True, text=True)
                assert told.stdout.split() == expected, "the margins have other bits than LightGBM's"
                for who, numbers in [("regent", json.loads(told.stderr)), ("lightgbm", lightgbm_us(booster, x))]:
                    for key, us in numbers.items():
                        best[who, key] = min(us, best.get((who, key), us))
            found.append({"trees": trees, "leaves": leaves} | {
                f"{who}_{key}": round(us, 3) for (who, key), us in sorted(best.items())})
    print("| trees × leaves | one row | LightGBM, single-row-fast | ratio | row of many | LightGBM, batch | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for row in found:
        cells = [f"{row['trees']} × {row['leaves']}"]
        for key in ["one_us", "many_us"]:
            ours, theirs = row[f"regent_{key}"], row[f"lightgbm_{key}"]
            cells += [f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}"]
        print("| " + " | ".join(cells) + " |")
    out = Path("var/bench/forest.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"rows": found}, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
