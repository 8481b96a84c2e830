"""One cell of the matrix: a fault of the database, an event 0.4 s later, the death of a CDN 0.3 s after that, SIGTERM with all of it still broken.

Runs in namespaces of its own (see main.py), prints one line of JSON. The promises, each counted by the clock of this process:
  verdict    from the CDN's death to the last redirect to it: interval x fall + timeout + 1 s; the CDNs that live are not taken for dead
  redirects  none fails and none leads to a catalog that nobody wrote
  degraded   shown by /readyz and balancer_degraded of the admin port. The promise is 2 s after the first call of the database that has failed or has
             passed its deadline. The balancer asks at least once a second and a call has 2 s: so 1 + 2 + 2 s after the fault, whatever the fault is
  exit       from SIGTERM: lame duck + drain + 2 s, code 0. Where a thread waits for the frozen disk, when nothing but such threads is left
  restart    serves again, from its state, within 10 s (two calls of the database that hang for their 2 s, and reserve)
  edits      each call that was sent is answered before the process ends; each acknowledged one is in the database or in the state file
"""
import http.client
import json
import os
import pathlib
import struct
import subprocess
import sys
import threading
import time

import faults
import players
import world

VERDICT = world.INTERVAL * world.FALL + world.TIMEOUT + 1
DEGRADED = 1 + 2 + 2
RESTART = 10
# How long a figure that is out of its bound is waited for.
PATIENCE = 15


class Cell:
    def __init__(self, folder, template, database, fault, event):
        self.folder, self.event, self.fault_name, self.failures, self.figures = folder, event, fault, [], {}
        by_name = event == "name servers dead"
        place = pathlib.Path(os.environ.get("FAULT_MATRIX_DISK", folder))
        self.database = world.MariaDB(place, template) if database == "mariadb" else world.SQLite(place)
        self.fault = faults.FAULTS[fault](self.database)
        self.names = world.NameServer(folder)
        self.cdns = {name: world.CDN(folder, name) for name in world.CDNS}
        url = self.database.url.replace("127.0.0.1", "db.test") if by_name else self.database.url
        # SQLite's state stands beside the database by default, and suffers with it; but where the folder goes away, a restart is to find it.
        state = self.database.path.with_name("balancer.db.state") if database == "sqlite" and fault != "gone" else None
        self.clock = folder / "clock" if event == "clock" else None
        if self.clock:
            self.set_clock(0)
        # SIGTERM needs a lame duck in which a verdict shows.
        duck = 6 if event == "SIGTERM" else 1
        self.balancer = world.Balancer(
            folder, url, lame_duck=duck, descriptors=256 if event == "descriptors out" else None, clock=self.clock, state=state,
            pipe=event == "log stuck", level="trace" if event == "log stuck" else "info")
        self.editor = players.Editor()
        self.killed = self.watched = None
        self.dead = world.CDNS["cdn-a"] if not by_name else "cdn-a.test"
        self.living = ({f"{name}.test" for name in world.CDNS} if by_name else set(world.CDNS.values())) - {self.dead}
        self.known = self.living | {self.dead, world.ORIGIN}

        self.players, self.others = [], []
        self.witness = world.Balancer(folder, url, data=8010, admin=8011, name="witness") if (database, fault) == ("mariadb", "empty") else None

    def play(self):
        self.balancer.start().started()
        self.editor.replace(world.catalog(self.event == "name servers dead"))
        self.editor.edit()
        key = world.call("POST", "/api/v1/keys", {"name": "temporary", "role": "viewer"}).json()
        self.token = key["token"]
        self.revoked = None
        # The state file is to know the catalog, and each CDN is to be probed, before anything breaks.
        wait_state(self.balancer.state, "edit-1")
        time.sleep(1.5)
        self.players = [players.Player(kept=True), players.Player(kept=True), *([] if self.event == "descriptors out" else [players.Player(kept=False)])]
        if self.witness:
            # Another node of the fleet: what the first one makes of an empty database is not to be followed either.
            self.witness.start().started()
            self.others.append(players.Player(kept=True, port=self.witness.data))
        self.monitor = players.Monitor()
        time.sleep(1)
        self.broken = time.monotonic()
        self.fault.begin()
        self.figures["fault took"] = round(time.monotonic() - self.broken, 2)
        if self.fault.writes:
            self.editor.begin()
        self.since = self.broken
        time.sleep(max(0, self.broken + 0.4 - time.monotonic()))
        getattr(self, "event_" + self.event.replace(" ", "_"))()
        time.sleep(0.3)
        self.killed = self.cdns["cdn-a"].kill()
        self.watch()
        self.watched = time.monotonic()
        self.stop()
        self.heal()
        self.judge()

    # Events

    def event_CDN_dies(self):
        """Which it does in every cell; here nothing else happens."""

    def event_edit(self):
        for _ in range(5):
            self.editor.begin()

    def event_key_revoked(self):
        self.revoked = self.editor.revoke("temporary")

    def event_SIGHUP(self):
        for _ in range(3):
            self.balancer.hangup()
            time.sleep(0.1)

    def event_SIGTERM(self):
        self.editor.begin()
        time.sleep(0.3)
        self.begin_stopping()

    def event_restart(self):
        self.begin_stopping(again=True)
        self.ended()
        self.balancer.start()
        self.since = time.monotonic()
        try:
            self.balancer.started(RESTART + 10)
        except RuntimeError as error:
            raise Failed(f"does not serve after a restart: {error}") from None
        took = time.monotonic() - self.balancer.begun
        self.figures["restart"] = round(took, 2)
        if took > RESTART:
            self.failures.append(f"restart {took:.1f} s")
        for player in self.players:
            player.go_on()
        if self.fault.writes:
            world.wait_for("the admin port", 10, world.admin_answers)
            self.editor.begin()

    def event_log_stuck(self):
        self.balancer.stick()
        # Lines enough for one that does not fit to be waited for.
        self.balancer.hangup()

    def event_name_servers_dead(self):
        self.names.dead = True

    def event_descriptors_out(self):
        self.flood = subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name("idle.py"), str(world.DATA), "400"])
        time.sleep(1)

    def event_clock(self):
        self.set_clock(3600)
        time.sleep(1.5)
        self.set_clock(-3600)
        time.sleep(0.5)

    def set_clock(self, seconds):
        with open(self.clock, "r+b" if self.clock.exists() else "wb") as file:
            file.write(struct.pack("q", seconds))

    # What is watched

    def begin_stopping(self, again=False):
        asked = self.balancer.terminate()
        # Accepting ends with the lame duck; players have moved to another balancer by then.
        for player in self.players:
            player.until = float("inf") if again else asked + max(0.1, self.balancer.lame_duck - 0.3)
        if again:
            time.sleep(max(0.1, self.balancer.lame_duck - 0.3))
            for player in self.players:
                player.pause_now()

    def ended(self):
        took = self.balancer.wait()
        code = self.balancer.process.poll()
        if took is None:
            self.figures["killed"] = True
            self.failures.append(f"exit not within {self.balancer.may_take + 8} s (bound {self.balancer.may_take})")
        else:
            self.figures["exit"] = round(max(took, self.figures.get("exit", 0)), 2)
            if took > self.balancer.may_take:
                self.failures.append(f"exit {took:.1f} s (bound {self.balancer.may_take})")
            if code:
                self.failures.append(f"exit code {code}: {self.balancer.tail()}")

    def last_to_dead(self):
        return max((moment for player in self.players for moment, host in player.redirects if host == self.dead), default=0)

    def watch(self):
        """Until everything has shown itself, or its bound has passed by far."""
        if self.event == "SIGTERM":
            time.sleep(max(0, self.balancer.asked + self.balancer.lame_duck - time.monotonic()))
            return
        while (now := time.monotonic()) < self.killed + PATIENCE:
            if self.balancer.process.poll() is not None:
                raise Failed(f"crashed: {self.balancer.process.returncode}: {self.balancer.tail()}")
            settled = now > self.killed + VERDICT and now - self.last_to_dead() > 2.5
            shown = all(self.monitor.shown(path, self.since) for path in self.monitor.times)
            if settled and (shown or now > self.since + DEGRADED + 6):
                return
            time.sleep(0.1)

    def stop(self):
        if self.event == "SIGTERM":
            self.ended()
            return
        self.begin_stopping()
        self.ended()

    def heal(self):
        for player in self.players + self.others:
            player.until = 0
        self.monitor.until = 0
        self.fault.heal()
        for one in self.editor.calls:
            one.join(1)

    # What is judged

    def judge(self):
        self.judge_verdict()
        self.judge_redirects()
        self.judge_degraded()
        self.judge_edits()

    def judge_verdict(self):
        if self.killed is None:
            return
        figure = max(0, self.last_to_dead() - self.killed)
        self.figures["verdict"] = round(figure, 2)
        answers = sum(len([1 for moment, _ in player.redirects if moment > self.killed]) for player in self.players)
        if answers < 5:
            self.failures.append("no verdict: no redirects after the CDN's death")
        elif figure > VERDICT:
            last = max(moment for player in self.players for moment, _ in player.redirects)
            still = "and on" if self.last_to_dead() > last - 1 else ""
            self.failures.append(f"verdict {figure:.1f} s {still}".strip())
        self.judge_living()

    def judge_living(self):
        """Each CDN that lives was used in the last seconds that were watched."""
        end = self.watched or 0
        used = {host for player in self.players for moment, host in player.redirects if end - 3 < moment <= end}
        if used & self.living and self.living - used:
            self.failures.append(f"taken for dead: {', '.join(sorted(self.living - used))}")

    def judge_redirects(self):
        failed = sorted(failure for player in self.players + self.others for failure in player.failures)
        self.figures["redirects"] = sum(len(player.redirects) for player in self.players + self.others)
        if failed:
            self.failures.append(f"{len(failed)} failed redirects (first {failed[0][0] - self.broken:+.1f} s: {failed[0][1]})")
        foreign = {host for player in self.players + self.others for _, host in player.redirects} - self.known
        if foreign:
            count = sum(host in foreign for player in self.players + self.others for _, host in player.redirects)
            self.failures.append(f"{count} redirects by a foreign catalog ({', '.join(sorted(foreign))})")

    def judge_degraded(self):
        for path in self.monitor.times:
            # While it stops, /readyz says that it stops.
            if path == "/readyz" and self.event == "SIGTERM":
                continue
            shown = self.monitor.shown(path, self.since)
            begun = self.balancer.begun if self.event == "restart" else self.broken
            if shown is None:
                silent = [what for moment, what in self.monitor.silent if moment >= self.since and path in what]
                self.failures.append(f"degraded not shown by {path}" + (f" ({len(silent)} times {silent[0].split(': ', 1)[1]})" if silent else ""))
            else:
                self.figures["degraded " + path] = round(shown - begun, 2)
                if shown - begun > DEGRADED + (RESTART - DEGRADED if self.event == "restart" else 0):
                    self.failures.append(f"degraded {shown - begun:.1f} s ({path})")

    def judge_edits(self):
        state = read(self.balancer.state)
        comments = set()
        try:
            comments = self.database.comments()
            revoked = self.database.revoked("temporary")
        except Exception as error:
            revoked = None
            if self.fault.stored:
                self.failures.append(f"the database cannot be read afterwards: {error}")
        for one in self.editor.calls:
            if one.answer is None:
                self.failures.append(f"{one.name_}: {one.outcome}")
            elif one is self.revoked:
                if one.acknowledged and not revoked and self.fault.stored:
                    self.failures.append("a key revoked and acknowledged is there")
            elif one.acknowledged and one.name_ not in comments and f"{one.name_}.invalid" not in state:
                self.failures.append(f"lost: {one.name_}, acknowledged with {one.status}")
        self.figures["calls"] = [one.outcome for one in self.editor.calls[1:]]


class Failed(Exception):
    """Nothing more can be seen."""


def read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def wait_state(path, sign):
    world.wait_for(f"{sign} in the state file", 15, lambda: sign in read(path), pause=0.1)


def play(folder, template, database, fault, event):
    world.run("ip", "link", "set", "lo", "up")
    cell = Cell(folder, template, database, fault, event)
    try:
        cell.play()
    except Failed as failed:
        cell.failures.insert(0, str(failed))
        try:
            cell.heal()
            cell.judge()
        except Exception as error:
            cell.failures.append(f"not judged: {error}")
    return {"failures": cell.failures, "figures": cell.figures}


if __name__ == "__main__":
    folder, template, database, fault, event = sys.argv[1:]
    print(json.dumps(play(pathlib.Path(folder), pathlib.Path(template), database, fault, event)), flush=True)
    # Threads may wait for what never answers; the namespace ends with this process.
    os._exit(0)
