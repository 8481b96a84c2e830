"""Reads the command line, plays cells side by side, prints the table. See scripts/fault-matrix."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

import faults
import world

HERE = pathlib.Path(__file__).parent
FOLDER = pathlib.Path(os.environ["FAULT_MATRIX_FOLDER"])
DATABASES = ("mariadb", "sqlite")
EVENTS = ("CDN dies", "edit", "key revoked", "SIGHUP", "SIGTERM", "restart", "log stuck", "name servers dead", "descriptors out", "clock")
SCENARIOS = ("descriptors", "large-catalog", "readers", "demoted")
LIMIT = 120
running = set()
stopping = threading.Event()


def apart(script, *arguments, environment=None):
    """A script of this folder in namespaces of its own: network, mounts, processes. Its end is the end of everything in them."""
    child = subprocess.Popen(
        ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, HERE / script, *map(str, arguments)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | (environment or {}))
    running.add(child)
    return child


def end(*_):
    """At a signal: what runs is killed, and nothing more begins."""
    stopping.set()
    for child in list(running):
        child.kill()
    sys.exit(143)


def disk(folder):
    """A file system of its own that can be frozen; mounted here, so that this process can thaw it whatever has become of the cell."""
    image, place = folder / "image", folder / "disk"
    place.mkdir()
    with open(image, "wb") as file:
        file.truncate(400 << 20)
    world.run("mkfs.ext4", "-q", "-O", "^has_journal", str(image))
    world.run("mount", "-o", "loop", str(image), str(place))
    place.chmod(0o755)
    return place


def play(database, fault, event, keep):
    if stopping.is_set():
        return {"failures": ["interrupted"], "figures": {}}
    folder = FOLDER / f"{database}-{fault}-{event}".replace(" ", "-")
    folder.mkdir()
    folder.chmod(0o755)
    environment = {"FAULT_MATRIX_DISK": str(disk(folder))} if fault == "disk frozen" else {}
    cell = apart("cell.py", folder, FOLDER / "template", database, fault, event, environment=environment)
    try:
        output, errors = cell.communicate(timeout=LIMIT)
        result = json.loads(output)
    except subprocess.TimeoutExpired:
        result = {"failures": [f"the cell has not ended within {LIMIT} s"], "figures": {}}
    except ValueError:
        result = {"failures": ["the cell has failed: " + errors.strip().split("\n")[-1][:300]], "figures": {"errors": errors[-500:]}}
    finally:
        for place in environment.values():
            world.run("fsfreeze", "--unfreeze", place, check=False)
        cell.kill()
        cell.wait()
        running.discard(cell)
        for place in environment.values():
            world.run("umount", "--lazy", place, check=False)
    world.run("chattr", "-R", "-i", str(folder), check=False)
    if keep and result["failures"]:
        for log in folder.glob("balancer/log-*"):
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(log, keep / f"{folder.name}.{log.name}")
    shutil.rmtree(folder, ignore_errors=True)
    return result


def say(figures):
    """The figures that have a bound."""
    words = [f"{name.replace('degraded /', '')} {value} s" for name, value in figures.items() if isinstance(value, (int, float)) and name != "redirects"
             and not isinstance(value, bool)]
    return ", ".join(words)


def matrix(options):
    databases, rows, columns = options.database or DATABASES, options.fault or faults.FAULTS, options.event or EVENTS
    started = time.monotonic()
    world.MariaDB.make_template(FOLDER / "template")
    os.environ["FAULT_MATRIX_CLOCK"] = str(FOLDER / "clock.so")
    world.run("cc", "-shared", "-fPIC", "-O1", "-o", str(FOLDER / "clock.so"), str(HERE / "clock.c"))
    cells = [(d, f, e) for d in databases for f in rows for e in columns if (d, f) not in faults.WITHOUT_MEANING]
    results = {}
    with concurrent.futures.ThreadPoolExecutor(options.parallel) as pool:
        begun = {pool.submit(play, *cell, options.keep): cell for cell in cells}
        for done in concurrent.futures.as_completed(begun):
            cell = begun[done]
            result = results[cell] = done.result()
            verdict = "ok" if not result["failures"] else "FAILS: " + "; ".join(result["failures"])
            print(f"[{len(results)}/{len(cells)}] {' × '.join(cell)}: {verdict} ({say(result['figures'])})", flush=True)
            if options.verbose:
                print("    " + json.dumps(result["figures"]), flush=True)
    for database in databases:
        print(f"\n## {database}\n\n| | " + " | ".join("clock ±1 h" if e == "clock" else e for e in columns) + " |\n|" + " --- |" * (len(columns) + 1))
        for fault in rows:
            if why := faults.WITHOUT_MEANING.get((database, fault)):
                print(f"| {fault} | " + " | ".join([f"no meaning: {why}"] + ["〃"] * (len(columns) - 1)) + " |")
                continue
            print(f"| {fault} | " + " | ".join("<br>".join(results[database, fault, e]["failures"]) or "ok" for e in columns) + " |")
    failed = [cell for cell, result in results.items() if result["failures"]]
    print("\n" + "; ".join(f"{name}: {text}" for name, text in faults.MEANING.items() if name in rows))
    print(f"\nfault-matrix: {len(cells) - len(failed)} of {len(cells)} cells hold, in {(time.monotonic() - started) / 60:.1f} minutes")
    return 1 if failed else 0


def scenario(options):
    folder = FOLDER / options.scenario
    folder.mkdir()
    world.MariaDB.make_template(FOLDER / "template")
    script = apart(options.scenario.replace("-", "_") + ".py", folder, FOLDER / "template", *(["--soak"] if options.soak else []))
    threading.Thread(target=lambda: sys.stderr.write(script.stderr.read()), daemon=True).start()
    for line in script.stdout:
        print(line, end="", flush=True)
    return script.wait()


def main():
    parser = argparse.ArgumentParser(prog="fault-matrix", description="Pairs of faults against real balancers and real databases.")
    parser.add_argument("scenario", nargs="?", choices=SCENARIOS, help="another load than the matrix")
    parser.add_argument("--database", action="append", choices=DATABASES)
    parser.add_argument("--fault", action="append", choices=list(faults.FAULTS))
    parser.add_argument("--event", action="append", choices=EVENTS)
    parser.add_argument("--parallel", type=int, default=3, help="cells at once (3)")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for the logs of balancers whose cell fails")
    parser.add_argument("--soak", action="store_true", help="the long run of a scenario")
    parser.add_argument("--verbose", action="store_true", help="all figures of each cell")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return scenario(options) if options.scenario else matrix(options)


if __name__ == "__main__":
    sys.exit(main())
