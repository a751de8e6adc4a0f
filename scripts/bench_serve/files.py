"""`regent predict` over the same million rows as Parquet, JSON lines and CSV, in turns: whole processes, from the file to the answers.

Called by scripts/bench_serve.sh after run.py, whose workspace it uses. Prints a table, writes it into docs/performance.md, and all numbers
into var/bench/files.json.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from run import FEATURES, NAMES, processor, written

ROWS, TURNS, FORMS = 1_000_000, 7, ["parquet", "jsonl", "csv"]


def files(folder: Path) -> dict:
    """The rows that the server is asked about, in every form that is read."""
    paths = {form: folder / f"rows.{form}" for form in FORMS}
    if not all(path.exists() for path in paths.values()):
        x = np.round(np.random.default_rng(4).normal(size=(ROWS, FEATURES)), 6)
        x[:, 0] = np.round(x[:, 0] * 3)
        rows = pl.DataFrame(dict(zip(NAMES, x.T)))
        rows.write_parquet(paths["parquet"])
        rows.write_csv(paths["csv"])
        # A line is what one would post.
        rows.select(features=pl.struct(NAMES)).write_ndjson(paths["jsonl"])
    return paths


def turn(regent: Path, workspace: Path, rows: Path, out: Path) -> tuple:
    """Seconds by the clock and of all cores."""
    out.unlink(missing_ok=True)
    spent = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    begun, before = time.perf_counter(), spent()
    subprocess.run([regent, "--quiet", "--workspace", workspace, "predict", rows, "--out", out], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun, spent() - before


def main() -> None:
    regent, folder = Path(sys.argv[1]) / "regent", Path(sys.argv[2]) / "bench-serve-data-1"
    paths, out = files(folder), folder / "answers.parquet"
    turns = {form: [] for form in FORMS}
    for _ in range(TURNS):
        for form in FORMS:
            turns[form].append(turn(regent, folder / "regent", paths[form], out))
    assert pl.read_parquet(out).height == ROWS, "a row has no answer"
    out.unlink()
    found = []
    for form, measured in turns.items():
        seconds, spent = (statistics.median(one) for one in zip(*measured))
        found.append({"form": form, "mib": round(paths[form].stat().st_size / 2**20), "rows_per_second": round(ROWS / seconds),
                      "cpu_us_per_row": round(spent / ROWS * 1e6, 2)})
    lines = ["| file | size | rows/s | CPU a row |", "|---|---:|---:|---:|"]
    for row in found:
        lines.append(f"| {row['form']} | {row['mib']} MiB | {row['rows_per_second']:,} | {row['cpu_us_per_row']:.2f} µs |")
    said = "\n".join(lines) + "\n"
    print(said)
    machine = f"{os.cpu_count()} cores of {processor()}, {date.today()}, the median of {TURNS} turns over {ROWS:,} rows"
    Path("var/bench/files.json").write_text(json.dumps({"machine": machine, "rows": found}, indent=1) + "\n")
    written("files", f"On {machine}.\n\n{said}")


if __name__ == "__main__":
    main()
