"""Regent and its peers on the same generated files, as whole processes in turns: CPU seconds and peak memory, medians of the turns.

Called by scripts/bench_data.sh, which brings the Python environment and the programs; the arms are this file called again with
the name of one. Prints a table, writes it into docs/bench-data.md, and all numbers into var/bench/data.json.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS, NUMERIC, NOMINAL = 1_000_000, 20, 5
NUMBERS = [f"x{i:02}" for i in range(NUMERIC)]
WORDS = [f"k{i}" for i in range(NOMINAL)]


def kinds_of(i: int) -> list:
    return [f"{'abcde'[i]}{'xyzuvw'[j % 6]}{j}" for j in range(3 + 4 * i)]


def generate(folder: Path, rows: int) -> None:
    """Two files: normal, skewed and whole numbers, words of many shares; in the second four columns have moved."""
    import numpy as np
    import polars as pl

    for name, seed, shift in [("ref", 1, 0.0), ("cur", 2, 0.3)]:
        if (folder / f"{name}.parquet").exists():
            continue
        rng = np.random.default_rng(seed)
        data = {}
        for i, column in enumerate(NUMBERS):
            x = rng.normal(size=rows)
            if i % 4 == 1:
                x = np.exp(x)
            if i % 4 == 2:
                x = np.round(x * 10)
            data[column] = np.round(x + (shift if i < 4 else 0.0), 6)
        for i, column in enumerate(WORDS):
            kinds = kinds_of(i)
            weights = 1.0 / np.arange(1, len(kinds) + 1)
            data[column] = rng.choice(kinds, size=rows, p=weights / weights.sum())
        frame = pl.DataFrame(data)
        frame.write_csv(folder / f"{name}.csv", float_precision=6)
        frame.write_parquet(folder / f"{name}.parquet", compression="snappy")


# ── the peers, each a process of its own ──


def pandas_scipy(form: str, ref: str, cur: str) -> None:
    import pandas as pd
    from scipy import stats

    read = pd.read_csv if form == "csv" else pd.read_parquet
    a, b = read(ref), read(cur)
    for column in NUMBERS:
        stats.ks_2samp(a[column].to_numpy(), b[column].to_numpy(), method="asymp")
    for column in WORDS:
        table = pd.concat([a[column].value_counts(), b[column].value_counts()], axis=1).fillna(0)
        stats.chi2_contingency(table.to_numpy().T)


def polars_psi(form: str, ref: str, cur: str) -> None:
    import numpy as np
    import polars as pl

    read = pl.read_csv if form == "csv" else pl.read_parquet
    a, b = read(ref), read(cur)
    # Sorted once a column; nine calls of quantile would take nine times as long.
    places = [len(a) * q // 10 for q in range(1, 10)]
    deciles = a.select(pl.col(c).sort().gather(places) for c in NUMBERS)
    cuts = {c: sorted(set(deciles[c])) for c in NUMBERS}
    below = [(pl.col(c) <= e).sum().alias(f"{c}_{i}") for c in NUMBERS for i, e in enumerate(cuts[c])]
    sides = [side.select(below).row(0, named=True) for side in (a, b)]
    for column in NUMBERS:
        p, q = (
            np.diff([0, *(side[f"{column}_{i}"] for i in range(len(cuts[column]))), len(a)]) + 0.5 for side in sides
        )
        p, q = p / p.sum(), q / q.sum()
        np.sum((q - p) * np.log(q / p))
    for column in WORDS:
        a[column].value_counts(), b[column].value_counts()


def numpy_psi(form: str, ref: str, cur: str) -> None:
    import numpy as np
    import pandas as pd

    read = pd.read_csv if form == "csv" else pd.read_parquet
    a, b = read(ref), read(cur)
    for column in NUMBERS:
        x, y = a[column].to_numpy(), b[column].to_numpy()
        edges = np.unique(np.quantile(x, np.arange(1, 10) / 10))
        p, q = (np.bincount(np.searchsorted(edges, v), minlength=len(edges) + 1) + 0.5 for v in (x, y))
        p, q = p / p.sum(), q / q.sum()
        np.sum((q - p) * np.log(q / p))
    for column in WORDS:
        a[column].value_counts(), b[column].value_counts()


def evidently(form: str, ref: str, cur: str) -> None:
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    read = pd.read_csv if form == "csv" else pd.read_parquet
    definition = DataDefinition(numerical_columns=NUMBERS, categorical_columns=WORDS)
    a, b = (Dataset.from_pandas(read(path), data_definition=definition) for path in (ref, cur))
    Report([DataDriftPreset()]).run(b, a).dict()


def pandera_polars(ref: str) -> None:
    import pandera.polars as pa
    import polars as pl

    columns = {c: pa.Column(pl.Float64, pa.Check.in_range(-1e9, 1e9), nullable=False) for c in NUMBERS}
    columns |= {c: pa.Column(pl.String, pa.Check.isin(kinds_of(i)), nullable=False) for i, c in enumerate(WORDS)}
    schema = pa.DataFrameSchema(columns, strict=True)
    schema.validate(pl.read_csv(ref, schema_overrides=dict.fromkeys(NUMBERS, pl.Float64)), lazy=True)


def polars_scan(ref: str) -> None:
    import polars as pl

    rules = [(pl.col(c).is_finite() & pl.col(c).is_between(-1e9, 1e9)).all().alias(c) for c in NUMBERS]
    rules += [pl.col(c).is_in(kinds_of(i)).all().alias(c) for i, c in enumerate(WORDS)]
    assert all(pl.scan_csv(ref, schema_overrides=dict.fromkeys(NUMBERS, pl.Float64)).select(rules).collect().row(0))


ARMS = {f.__name__: f for f in (pandas_scipy, polars_psi, numpy_psi, evidently, pandera_polars, polars_scan)}


# ── the turns ──


def turn(command: list, cwd: str) -> dict:
    """One process from its beginning to its end."""
    with open(os.devnull, "w") as null, tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdout=null, stderr=said, cwd=cwd)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            said.seek(0)
            tail = said.read().decode(errors="replace").strip().splitlines()[-1:]
            return {"failed": f"exit {child.returncode}: {' '.join(tail)}"}
    return {"cpu_secs": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}


def workspace(regent: str, csv: Path, folder: Path) -> None:
    """A contract for the files, drafted from the first rows."""
    run = lambda *a: subprocess.run([regent, "-q", *a], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    with open(csv) as file, open(folder / "rows.csv", "w") as few:
        few.writelines(line for line, _ in zip(file, range(20_001)))
    run("init")
    run("schema", "infer", "rows.csv", "--name", "rows", "--write")
    run("contract", "infer", "rows", "--target", NUMBERS[0], "--write")
    run("contract", "register", "rows")


def arms(regent: str, limit: str, data: Path) -> dict:
    ref, cur = str(data / "ref.csv"), str(data / "cur.csv")
    refp, curp = str(data / "ref.parquet"), str(data / "cur.parquet")
    me = [sys.executable, __file__, "arm"]
    return {
        "limit: read and bin two CSV files": [limit, ref, cur],
        "regent check, CSV": [regent, "check", "--reference", ref, "--current", cur],
        "pandas + SciPy KS and χ², CSV": [*me, "pandas_scipy", "csv", ref, cur],
        "polars PSI, CSV": [*me, "polars_psi", "csv", ref, cur],
        "pandas + numpy PSI, CSV": [*me, "numpy_psi", "csv", ref, cur],
        "Evidently DataDriftPreset, CSV": [*me, "evidently", "csv", ref, cur],
        "regent check, Parquet": [regent, "check", "--reference", refp, "--current", curp],
        "pandas + SciPy KS and χ², Parquet": [*me, "pandas_scipy", "parquet", refp, curp],
        "polars PSI, Parquet": [*me, "polars_psi", "parquet", refp, curp],
        "limit: read and bin one CSV file": [limit, ref],
        "regent ingest --dry-run": [regent, "ingest", ref, "--contract", "rows", "--dry-run"],
        "pandera on polars": [*me, "pandera_polars", ref],
        "polars scan by hand": [*me, "polars_scan", ref],
    }


def main(regent: str, limit: str, cache: str, rounds: int, rows: int, only: str) -> None:
    data = Path(cache) / f"bench-data-{rows}"
    data.mkdir(parents=True, exist_ok=True)
    # In a process of its own: the peak of a child counts what its parent held when it was made.
    subprocess.run([sys.executable, __file__, "generate", str(data), str(rows)], check=True)
    with tempfile.TemporaryDirectory() as folder:
        workspace(regent, data / "ref.csv", Path(folder))
        chosen = {name: command for name, command in arms(regent, limit, data).items() if only in name}
        turns = {name: [] for name in chosen}
        for done in range(rounds):
            for name, command in chosen.items():
                if done > 0 and "failed" in turns[name][-1]:
                    continue
                turns[name].append(turn(command, folder))
                print(f"{done + 1}/{rounds} {name}: {turns[name][-1]}", file=sys.stderr, flush=True)
    report(turns, rows, rounds, write=rows == ROWS and not only)


def report(turns: dict, rows: int, rounds: int, write: bool) -> None:
    found = {}
    for name, all_of in turns.items():
        failed = next((one["failed"] for one in all_of if "failed" in one), None)
        middle = lambda key: statistics.median(one[key] for one in all_of)
        found[name] = {"failed": failed} if failed else {"cpu_secs": middle("cpu_secs"), "peak_mib": middle("peak_mib")}
    two, one = (found.get(f"limit: read and bin {files}", {}).get("cpu_secs") for files in ("two CSV files", "one CSV file"))
    lines = ["| | CPU s | of the limit | peak MiB |", "|---|---:|---:|---:|"]
    of_two = True
    for name, result in found.items():
        of_two &= name != "limit: read and bin one CSV file"
        limit = two if of_two else one
        if result.get("failed"):
            lines.append(f"| {name} | failed: {result['failed']} | | |")
            continue
        result["of_limit"] = result["cpu_secs"] / limit if limit else None
        ratio = f"{result['of_limit']:.2f}" if limit else ""
        lines.append(f"| {name} | {result['cpu_secs']:.2f} | {ratio} | {result['peak_mib']:.0f} |")
    print("\n".join(lines))
    if not write:
        return
    out = Path("var/bench")
    out.mkdir(parents=True, exist_ok=True)
    machine = {"machine": platform.machine(), "cpus": os.cpu_count(), "python": platform.python_version()}
    whole = {"format_version": 1, "rows": rows, "rounds": rounds, **machine, "arms": found, "turns": turns}
    (out / "data.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    page = Path("docs/bench-data.md")
    before, _, rest = page.read_text().partition("<!-- table -->\n")
    _, _, after = rest.partition("<!-- end -->\n")
    page.write_text(before + "<!-- table -->\n" + "\n".join(lines) + "\n<!-- end -->\n" + after)


if __name__ == "__main__":
    if sys.argv[1] == "arm":
        ARMS[sys.argv[2]](*sys.argv[3:])
    elif sys.argv[1] == "generate":
        generate(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        regent, limit, cache, rounds, rows, *only = sys.argv[1:]
        main(regent, limit, cache, int(rounds), int(rows), only[0] if only else "")
