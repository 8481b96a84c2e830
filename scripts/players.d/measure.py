"""See ../players."""

import argparse
import collections
import concurrent.futures
import contextlib
import dataclasses
import json
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading

from lab import BYTES_PER_SECOND, FORMS, HERE, Lab, make_film
from testbed import DemoError
from kinds import BROWSERS, KINDS

WORK = HERE.parents[1] / ".build/players"


def measure(options, name, stream, form, fault):
    kind = KINDS[name]
    slot = options.browsers if kind in BROWSERS else contextlib.nullcontext()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="video-balancer-players-"))
    try:
        with slot, contextlib.ExitStack() as processes:
            lab = Lab(folder, options.balancer, processes, WORK / "film", live=stream == "live", form=form, rate=options.rate)
            lab.start()
            player = kind(lab, lab.link(form))
            processes.callback(player.close)
            seen = dataclasses.asdict(lab.observe(player, fault, seconds=options.seconds))
            return seen | ({"version": player.version()} if kind in BROWSERS else {})
    except (DemoError, subprocess.SubprocessError) as error:
        return {"failed": str(error)}
    finally:
        if options.keep:
            print(f"kept {folder}")
        else:
            shutil.rmtree(folder)


def tell(seen):
    if "failed" in seen:
        return f"FAILED {seen['failed']}"
    times = [f"{when} s" for when in seen["asked"]]
    asked = f"asked {len(times)} times, after {', '.join(times[:4])}" if times else "never asked"
    other = "no content from the other CDN" if seen["other_cdn"] is None else f"the other CDN after {seen['other_cdn']} s"
    fate = "goes on" if seen["goes_on"] else "stands still" if seen["ended"] is None else f"ended after {seen['ended']} s"
    clock = f"stood still for {seen['stall']} s, played {seen['played']} s"
    return f"{asked}; {other}; {fate}, {clock}; {seen['words']}"


def summarize(rows):
    """One line for each kind of case that ran more than once."""
    for case, seen in sorted(rows.items()):
        if len(seen) > 1:
            went = [each for each in seen if each.get("goes_on")]
            stalls = sorted(each["stall"] for each in went)
            told = f", standing still for {stalls[0]} to {stalls[-1]} s, median {statistics.median(stalls):.1f} s" if stalls else ""
            print(f"{' '.join(case)}: {len(went)} of {len(seen)} go on{told}")


def read_options():
    usage = (HERE.parent / "players").read_text().split("\nset ")[0].split("\n", 1)[1]
    parser = argparse.ArgumentParser(
        description=usage.replace("# ", "").replace("#", ""), formatter_class=argparse.RawDescriptionHelpFormatter)
    choices = {"players": list(KINDS), "streams": ["vod", "live"], "forms": list(FORMS), "faults": ["kill", "freeze"]}
    for flag, known in choices.items():
        listed = lambda text: text.split(",")
        default = ["master"] if flag == "forms" else known
        told = f"of {', '.join(known)}; default {'all' if default == known else 'master'}"
        parser.add_argument(f"--{flag}", type=listed, default=default, metavar="LIST", help=told)
    default = HERE.parents[1] / ".build/release/video-balancer"
    parser.add_argument("--seconds", type=float, default=90, help="how long each is looked at after its CDN died; default 90")
    parser.add_argument("--runs", type=int, default=1, help="how often each is measured; default 1")
    rate = "bytes a second of a CDN on each connection; default twice the stream's"
    parser.add_argument("--rate", type=int, default=BYTES_PER_SECOND, metavar="BYTES", help=rate)
    parser.add_argument("--jobs", type=int, default=4, help="how many at once; default 4")
    # Each busy core makes a browser's clock stand still for reasons of its own.
    several = lambda text: threading.Semaphore(int(text))
    parser.add_argument("--browsers", type=several, default="1", metavar="NUMBER", help="how many browsers at once; default 1")
    parser.add_argument("--balancer", type=pathlib.Path, default=default, metavar="PATH", help="default .build/release/…")
    results = WORK / "results.jsonl"
    parser.add_argument("--results", type=pathlib.Path, default=results, metavar="PATH", help="default .build/players/…")
    parser.add_argument("--keep", action="store_true", help="keep the folders with logs")
    options = parser.parse_args()
    for flag, known in choices.items():
        if unknown := set(getattr(options, flag)) - set(known):
            parser.error(f"{', '.join(sorted(unknown))}: not one of {', '.join(known)}")
    return options


def main():
    options = read_options()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    try:
        make_film(WORK / "film")
    except (DemoError, subprocess.SubprocessError) as error:
        sys.exit(f"players: {error}")
    cases = [
        (player, stream, form, fault)
        for player in options.players for stream in options.streams for form in options.forms for fault in options.faults
    ]
    failed, rows = 0, collections.defaultdict(list)
    with (
        concurrent.futures.ThreadPoolExecutor(options.jobs) as pool,
        options.results.open("a", buffering=1) as results,
        contextlib.ExitStack() as ends,
    ):
        running = {pool.submit(measure, options, *case): case for _ in range(options.runs) for case in cases}
        ends.callback(pool.shutdown, wait=False, cancel_futures=True)  # those that run put their processes away
        for done in concurrent.futures.as_completed(running):
            case, seen = running[done], done.result()
            failed += "failed" in seen
            rows[case].append(seen)
            print(f"{' '.join(case)}: {tell(seen)}", flush=True)
            results.write(json.dumps(dict(zip(("player", "stream", "form", "fault"), case)) | seen) + "\n")
    summarize(rows)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
