"""`regent serve`, its limit and its peers under the same load, in turns: medians of the turns.

Called by scripts/bench_serve.sh, which brings the environments and the programs. Prints a table, writes it into
docs/performance.md, and all numbers into var/bench/serve.json.
"""

import http.client
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
FEATURES, ROWS, BODIES = 20, 40_000, 512
NAMES = [f"x{i:02}" for i in range(FEATURES)]
PORT = 18_080
# Connections that rest between two requests, so that both cores are idle half of the time or more.
CALM, CALM_CONNECTIONS, CALM_REST_MS = "calm", 64, 4


def rows(seed: int, count: int):
    import numpy as np

    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(count, FEATURES)), 6)
    x[:, 0] = np.round(x[:, 0] * 3)
    margin = x[:, 2] + x[:, 3] * x[:, 4] + np.sin(2 * x[:, 5]) + rng.logistic(size=count)
    return x, margin > 0


def workspace(folder: Path, release: Path) -> None:
    """A champion of 200 trees with 31 leaves; and the same once more, with a candidate beside it and with `durable` events."""
    plain = folder / "regent"
    if (folder / "complete").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    for sub in ["schemas", "contracts", "governance/bench"]:
        (plain / sub).mkdir(parents=True)
    columns = "".join(f"- {{name: {name}, type: float}}\n" for name in NAMES)
    (plain / "schemas/bench.yaml").write_text(
        f"schema: bench\ncolumns:\n- {{name: at, type: integer, increasing: true}}\n{columns}- {{name: y, type: boolean}}\n")
    features = "".join(f"- {{name: {name}, kind: continuous}}\n" for name in NAMES)
    (plain / "contracts/bench.yaml").write_text(
        "contract: bench\nversion: 1.0.0\nschema: bench\ntask: binary\ntarget: {column: y}\ntime: at\n"
        f"features:\n{features}")
    (plain / "governance/bench/policy.yaml").write_text(
        "train:\n  families: [gbdt]\n  look_backs: [all]\n  gbdt: {trees: 200, leaves: 31, learning_rate: 0.05, l2: 0.0,"
        " leaf: {share: 0.001, at_least: 20, at_most: 20}, feature_share: 1.0, row_share: 1.0, bins: 255}\n"
        "evaluate: {margin: 0.5}\n")
    (plain / "regent.yaml").write_text("events: batched\n")
    for part, seed in enumerate([1, 2]):
        x, y = rows(seed, ROWS)
        lines = (f"{part * ROWS + i}," + ",".join(map(repr, row)) + f",{str(bool(label)).lower()}\n"
                 for i, (row, label) in enumerate(zip(x.tolist(), y)))
        (plain / f"part{part}.csv").write_text("at," + ",".join(NAMES) + ",y\n" + "".join(lines))

    def run(program: str, *arguments: str, where: Path = plain) -> None:
        subprocess.run([release / program, "--quiet", "--workspace", where, *arguments], check=True, stdout=subprocess.DEVNULL)

    run("regent", "contract", "register", "bench")
    run("regent", "ingest", plain / "part0.csv", "--contract", "bench")
    run("regent", "train", "baseline", "bench")
    run("governor")
    run("governor")
    shutil.copytree(plain, folder / "durable")
    (folder / "durable/regent.yaml").write_text("events: durable\n")
    shadow = folder / "shadow"
    shutil.copytree(plain, shadow)
    run("regent", "ingest", shadow / "part1.csv", "--contract", "bench", where=shadow)
    run("regent", "train", "candidate", "bench", where=shadow)
    run("governor", where=shadow)
    x, _ = rows(3, BODIES)
    (folder / "bodies.jsonl").write_text(
        "".join(json.dumps({"features": dict(zip(NAMES, row))}) + "\n" for row in x.tolist()))
    tensor = lambda row: {"inputs": [{"name": "x", "shape": [1, FEATURES], "datatype": "FP64", "data": row}]}
    (folder / "tensors.jsonl").write_text("".join(json.dumps(tensor(row)) + "\n" for row in x.tolist()))
    mlserver = folder / "mlserver"
    mlserver.mkdir()
    model = str(next((plain / "registry/bench").glob("*/model.txt")))
    (mlserver / "model-settings.json").write_text(json.dumps({
        "name": "bench", "implementation": "mlserver_lightgbm.LightGBMModel", "parameters": {"uri": model}}))
    (mlserver / "settings.json").write_text(json.dumps(
        {"host": "127.0.0.1", "http_port": PORT, "grpc_port": PORT + 1, "metrics_port": PORT + 2,
         "parallel_workers": 0, "debug": False}))
    (folder / "complete").touch()


@dataclass
class Server:
    """A program that answers, and what is sent to it."""

    name: str
    command: list
    path: str = "/api/v1/predict"
    bodies: str = "bodies.jsonl"
    environment: dict = field(default_factory=dict)


def servers(folder: Path, release: Path, cache: Path) -> list:
    regent = lambda name: Server(name, [
        release / "regent", "--quiet", "--workspace", folder / name, "serve", "--listen", f"127.0.0.1:{PORT}"])
    model = next((folder / "regent/registry/bench").glob("*/model.txt"))
    found = [
        regent("regent"), regent("durable"), regent("shadow"),
        Server("fixed", [release / "examples/fixed_answer", f"127.0.0.1:{PORT}"]),
        Server("fastapi", [
            cache / "bench-serve-3/bin/python", "-m", "uvicorn", "--app-dir", HERE, "--port", str(PORT),
            "--no-access-log", "app:app"], environment={"MODEL": str(model)}),
    ]
    mlserver = cache / "bench-serve-mlserver-1"
    if (mlserver / "complete").exists():
        found.append(Server("mlserver", [mlserver / "bin/mlserver", "start", folder / "mlserver"],
                            "/v2/models/bench/infer", "tensors.jsonl"))
    return found


def family(pid: int) -> list:
    """A process and all below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    below = children.read_text().split() if children.exists() else []
    return [pid, *(one for child in below for one in family(int(child)))]


def cpu_us(pid: int) -> float:
    ticks = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK") * 1e6


def rss_mib(pid: int) -> float:
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) * page for one in family(pid)) / 2**20


def answers(server: Server, folder: Path, process: subprocess.Popen) -> None:
    """Wait until it answers; a server that does not is an error here, and not a row of zeros."""
    body = (folder / server.bodies).open().readline().encode()
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            connection.request("POST", server.path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            told = answer.read()
            if answer.status == 200:
                return
            error = f"{answer.status}: {told[:300]}"
        except OSError as failed:
            error = str(failed)
        time.sleep(0.1)
    raise SystemExit(f"bench-serve: {server.name} does not answer: {error}")


def load(server: Server, folder: Path, connections: int, seconds: float, rest_ms: int = 0) -> dict:
    # A batch job wakes for an answer without cutting the turn short of the server that is about to give the next one. Where it rests
    # in between there is room for both.
    threads, job = (1, []) if rest_ms else (min(2, connections), ["chrt", "--batch", "0"])
    command = [*job, "wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", HERE / "load.lua",
               f"http://127.0.0.1:{PORT}{server.path}", "--", folder / server.bodies, str(rest_ms)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(told.split("RESULT ", 1)[1])


def measure(server: Server, folder: Path, connections: list, seconds: int) -> dict:
    """One turn: started, warmed, loaded with each number of connections, and stopped."""
    log = (folder / f"{server.name}.log").open("w")
    process = subprocess.Popen(server.command, env=os.environ | server.environment, stdout=log, stderr=log)
    try:
        answers(server, folder, process)
        load(server, folder, 16, 1)
        found = {}
        for count in connections:
            before = cpu_us(process.pid)
            result = load(server, folder, count, seconds)
            result["cpu_us_per_request"] = round((cpu_us(process.pid) - before) / max(1, result["requests"]), 2)
            result["rss_mib"] = round(rss_mib(process.pid), 1)
            found[count] = result
        found[CALM] = load(server, folder, CALM_CONNECTIONS, seconds, CALM_REST_MS)
        return found
    finally:
        process.terminate()
        process.wait(60)


def calm(turns: dict) -> str:
    """What a server answers in while nothing is short of processors."""
    lines = ["| server | requests/s | p50 | p99 | p99.9 |", "|---|---:|---:|---:|---:|"]
    for name, measured in turns.items():
        median = lambda key: statistics.median(turn[CALM][key] for turn in measured)
        ms = lambda key: f"{median(key) / 1000:.2f} ms"
        lines.append(f"| {name} | {median('rps'):,.0f} | {ms('p50_us')} | {ms('p99_us')} | {ms('p999_us')} |")
    return "\n".join(lines) + "\n"


def table(found: list) -> str:
    rates = {(row["name"], row["connections"]): row["rps"] for row in found}
    lines = ["| server | connections | requests/s | of fixed | × FastAPI | p50 | p99 | p99.9 | CPU a request | RSS |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for row in found:
        against = lambda name: row["rps"] / rates[name, row["connections"]] if (name, row["connections"]) in rates else None
        fixed, fastapi = against("fixed"), against("fastapi")
        ms = lambda us: f"{us / 1000:.2f} ms"
        lines.append(
            f"| {row['name']} | {row['connections']} | {row['rps']:,.0f} | {f'{fixed:.0%}' if fixed else ''} | "
            f"{f'{fastapi:.1f}' if fastapi else ''} | {ms(row['p50_us'])} | {ms(row['p99_us'])} | {ms(row['p999_us'])} | "
            f"{row['cpu_us_per_request']:.1f} µs | {row['rss_mib']:.0f} MiB |")
    return "\n".join(lines) + "\n"


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def written(name: str, said: str) -> None:
    """Put a table into docs/performance.md, in the place of its last one."""
    page, begin, end = Path("docs/performance.md"), f"<!-- {name} -->\n", "<!-- end -->\n"
    before, rest = page.read_text().split(begin)
    page.write_text(f"{before}{begin}\n{said}\n{end}{rest.split(end, 1)[1]}")


def main() -> None:
    release, cache = Path(sys.argv[1]), Path(sys.argv[2])
    seconds, rounds, only = int(sys.argv[3]), int(sys.argv[4]), sys.argv[6]
    connections = [int(count) for count in sys.argv[5].split()]
    folder = cache / "bench-serve-data-1"
    workspace(folder, release)
    chosen = [server for server in servers(folder, release, cache) if only in server.name]
    turns = {server.name: [] for server in chosen}
    for turn in range(rounds):
        for server in chosen:
            print(f"bench-serve: turn {turn + 1} of {rounds}: {server.name}", file=sys.stderr)
            turns[server.name].append(measure(server, folder, connections, seconds))
    found = []
    for count in connections:
        for name, measured in turns.items():
            at = [turn[count] for turn in measured]
            failed = sum(one["failed"] for one in at)
            if failed:
                print(f"bench-serve: {name} failed {failed} requests at {count} connections", file=sys.stderr)
            keys = ["rps", "p50_us", "p99_us", "p999_us", "cpu_us_per_request", "rss_mib"]
            found.append({"name": name, "connections": count} | {key: statistics.median(one[key] for one in at) for key in keys})
    said, unhurried = table(found), calm(turns)
    print(said, unhurried, sep="\n")
    if only:
        return
    machine = f"{os.cpu_count()} cores of {processor()}, {date.today()}, {rounds} turns of {seconds} s"
    out = Path("var/bench/serve.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": machine, "rows": found}, indent=1) + "\n")
    written("table", f"On {machine}; the load generator runs beside the server.\n\n{said}")
    written("calm", f"On {machine}; {CALM_CONNECTIONS} connections, {CALM_REST_MS} ms between two requests of each.\n\n{unhurried}")


if __name__ == "__main__":
    main()
