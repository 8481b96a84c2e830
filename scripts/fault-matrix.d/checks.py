"""What the scenarios share: a list of promises that are printed as they are seen, load whose delays are measured, and the way a script ends."""
import bisect
import json
import os
import pathlib
import subprocess
import sys
import time

import world

HERE = pathlib.Path(__file__).parent


class Checks:
    def __init__(self):
        self.failed = 0

    def holds(self, what, good, figure):
        self.failed += not good
        print(f"{'ok   ' if good else 'FAILS'} {what}: {figure}", flush=True)

    def at_most(self, what, figure, bound, unit="s"):
        self.holds(what, figure is not None and figure <= bound,
                   f"{'never' if figure is None else f'{figure:.3g} {unit}'} (bound {bound:g} {unit})")


class Load:
    """Redirects from a process of its own, which stands for another machine: nothing here delays it (chrt(1)), it delays others briefly."""

    def __init__(self, folder, port=world.DATA, name="load"):
        self.file = folder / name
        self.process = subprocess.Popen(["chrt", "--fifo", "1", sys.executable, HERE / "load.py", str(port), str(self.file)], stdin=subprocess.DEVNULL)

    def p99(self, begin, end):
        """Of the answers asked between the two moments, in milliseconds; and how many those were, and how many failed."""
        time.sleep(0.3)
        rows = [line.split() for line in self.file.read_text().split("\n")[:-1]]
        seen = [(float(delay), good == "1") for moment, delay, good in rows if begin <= float(moment) < end]
        delays = sorted(delay for delay, _ in seen)
        return (delays[int(len(delays) * 0.99)] * 1000 if delays else float("inf")), len(seen), sum(not good for _, good in seen)


def play(scenario):
    """Runs `scenario(checks, folder, template, soak)` in this process's namespaces, and ends with them."""
    folder, template, soak = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), "--soak" in sys.argv
    world.run("ip", "link", "set", "lo", "up")
    checks = Checks()
    scenario(checks, folder, template, soak)
    print(f"\n{pathlib.Path(sys.argv[0]).stem}: " + ("all holds" if not checks.failed else f"{checks.failed} promises fail"), flush=True)
    os._exit(1 if checks.failed else 0)
