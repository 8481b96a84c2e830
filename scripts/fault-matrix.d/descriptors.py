"""`ulimit -n` of 256 and 1,024, and more than three times as many connections from several processes, which open anew what is closed.

Nothing crashes; players on accepted connections are served; the admin port, the probes and the database can be reached all the while.
"""
import http.client
import resource
import subprocess
import sys
import time

import checks
import players
import world

PROCESSES = 4


def flood(limit, seconds):
    count = str(limit * 7 // 2 // PROCESSES)
    return [subprocess.Popen([sys.executable, checks.HERE / "idle.py", str(world.DATA), count, str(seconds)]) for _ in range(PROCESSES)]


def one(checks_, folder, template, limit, seconds):
    folder = folder / str(limit)
    folder.mkdir()
    database = world.MariaDB(folder, template)
    cdns = {name: world.CDN(folder, name) for name in world.CDNS}
    balancer = world.Balancer(folder, database.url, descriptors=limit).start().started()
    editor = players.Editor()
    editor.replace(world.catalog())
    editor.edit()
    time.sleep(1.5)
    kept = [players.Player(kept=True) for _ in range(4)]
    monitor = players.Monitor()
    time.sleep(0.5)
    floods = flood(limit, seconds)
    begun, killed, edits = time.monotonic(), None, []
    while balancer.process.poll() is None and time.monotonic() < begun + seconds:
        edits.append(editor.begin())
        edits[-1].join(5)
        if edits[-1].acknowledged:
            editor.etag = edits[-1].answer.fields.get("etag", editor.etag)
        if not killed and time.monotonic() > begun + seconds / 2:
            killed = cdns["cdn-a"].kill()
        time.sleep(1)
    crashed = balancer.process.poll()
    for player in kept:
        player.until = 0
    monitor.until = 0
    down = [line for line in balancer.log.read_text(errors="replace").split("\n") if '"cdn' in line and '"down"' in line and "cdn-a" not in line]
    last = max((moment for player in kept for moment, host in player.redirects if host == world.CDNS["cdn-a"]), default=0)
    failures = sorted(failure for player in kept for failure in player.failures)
    at = f"ulimit -n {limit}: "
    checks_.holds(at + "the process lives", crashed is None, "alive" if crashed is None else f"ended with {crashed} after {time.monotonic() - begun:.0f} s: {balancer.tail()}")
    checks_.holds(at + "failed redirects on accepted connections", not failures, f"{len(failures)} of {sum(len(p.redirects) for p in kept)}"
                  + (f", first {failures[0][1]}" if failures else ""))
    checks_.holds(at + "the admin port answers", not monitor.silent, f"{len(monitor.silent)} calls without an answer"
                  + (f", first {monitor.silent[0][1]}" if monitor.silent else ""))
    checks_.holds(at + "the database is reached", all(edit.acknowledged for edit in edits) and not monitor.times["/metrics"],
                  f"{sum(edit.acknowledged for edit in edits)} of {len(edits)} edits, {len(monitor.times['/metrics'])} times degraded"
                  + (f", first {monitor.reasons[0][:300]}" if monitor.reasons else ""))
    checks_.holds(at + "no living CDN is taken for dead", not down, f"{len(down)} verdicts" + (f", first {down[0][:200]}" if down else ""))
    if killed:
        checks_.at_most(at + "verdict on a dead CDN", max(0, last - killed), world.INTERVAL * world.FALL + world.TIMEOUT + 1)
    if crashed is None:
        balancer.terminate()
        checks_.at_most(at + "exit", balancer.wait(), balancer.may_take)
    for child in [*floods, *(cdn.process for cdn in cdns.values()), database.process]:
        child.kill()
        child.wait()


def scenario(checks_, folder, template, soak):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for limit in (256, 1024):
        one(checks_, folder, template, limit, 600 if soak else 30)


checks.play(scenario)
