"""What arrived at origins and CDNs, by nginx's access logs, beside what the policy wants."""

import collections

from testbed import TARGETS, VIDEO, wait_until
from traffic import COUNTER

PLAYER = "Lavf"  # how ffmpeg's user agent begins

Arrival = collections.namedtuple("Arrival", "host uri status cache via tls agent")
Row = collections.namedtuple("Row", "target wanted located logged players theirs fills refused")


class AccessLogs:
    """What nginx has logged since `mark`, by target."""

    def __init__(self, testbed):
        self.paths = {target: testbed.folder / f"{target}.access" for target in TARGETS}
        self.mark()

    def mark(self):
        self.offsets = {target: path.stat().st_size for target, path in self.paths.items()}

    def arrivals(self, target):
        with self.paths[target].open() as log:
            log.seek(self.offsets[target])
            return [Arrival(*line.rstrip("\n").split("\t")) for line in log if line.endswith("\n")]


def make_row(target, wanted, targets, arrivals):
    direct = [arrival for arrival in arrivals if arrival.via == "-"]
    played = [arrival for arrival in direct if arrival.agent.startswith(PLAYER)]
    return Row(
        target,
        wanted,
        located=targets.count(target),
        logged=sum(arrival.agent == COUNTER for arrival in direct),
        players=sum(arrival.uri.endswith(VIDEO) for arrival in played),
        theirs=len(played),
        fills=sum(arrival.via != "-" or arrival.cache == "MISS" for arrival in arrivals),
        refused=sum(arrival.status not in ("200", "206") for arrival in arrivals),
    )


def make_table(wanted, targets, logs):
    """One row a target, once all counted requests are logged: nginx writes the line after the answer."""

    def rows():
        return [make_row(target, wanted[target], targets, logs.arrivals(target)) for target in TARGETS]

    wait_until(lambda: sum(row.logged for row in rows()) >= len(targets), seconds=2)
    return rows()


def print_table(table):
    print("            wanted  Location    in log │  players    theirs     fills")
    for row in table:
        counted = f"{row.wanted:10g}{row.located:10}{row.logged:10}"
        print(f"  {row.target:6}{counted} │{row.players:9}{row.theirs:10}{row.fills:10}", flush=True)
