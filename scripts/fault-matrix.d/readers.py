"""64 viewers ask for the dearest reads without a pause: lists of revisions, `explain` with a megabyte, status, traffic.

The verdict on a dead CDN and edits stay within their bounds, and the p99 of redirects within 1.1 times of before.
"""
import http.client
import json
import os
import subprocess
import sys
import threading
import time

import checks
import players
import world

PROCESSES, EACH = 4, 16
READS = [
    ("GET", "/api/v1/revisions?limit=100", None), ("POST", "/api/v1/explain", "large"), ("GET", "/api/v1/status", None),
    ("GET", "/api/v1/traffic?by=hour,cdn&from=2026-01-01T00:00:00Z", None),
]


def read(token, port):
    """The body of one process of viewers of the admin port `port`."""
    large = json.dumps({"video": f"http://{world.ORIGIN}/a.m3u8", "headers": {f"x-{number}": "y" * 4000 for number in range(99)}, "avoid": "z" * 600_000})

    def viewer(number):
        while True:
            method, path, body = READS[number % len(READS)]
            number += 1
            try:
                world.call(method, path, large if body else None, timeout=120, token=token, port=port)
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)

    answer = world.call(*READS[1][:2], large, timeout=120, token=token, port=port)
    if answer.status != 200:
        print(f"      explain with a large body: {answer.status} {answer.body[:200].decode(errors='replace')}", flush=True)
    for number in range(EACH):
        threading.Thread(target=viewer, args=(number,), daemon=True).start()
    threading.Event().wait()


def view(token, port):
    """Starts the viewers. Their own cost of CPU is not the balancer's fault: they get what others leave."""
    command = ["nice", "-n", "19", sys.executable, __file__, "--read", token, str(port)]
    return [subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(PROCESSES)]


def beside_another(folder, catalog, length):
    """The same reads of a balancer that redirects nobody, and when: what of the delay is the machine's, where all of them share two cores."""
    other = world.Balancer(folder, f"sqlite:{folder}/other.db", data=world.DATA + 100, admin=world.ADMIN + 100, name="other").start()
    world.wait_for("another balancer", 10, lambda: world.admin_answers(other.admin))
    for number in range(100):
        etag = world.call("GET", "/api/v1/catalog", port=other.admin).fields["etag"]
        catalog["cdns"][-1]["name"] = f"other-{number}"
        world.call("PUT", "/api/v1/catalog", catalog, etag, port=other.admin)
    viewers = view(world.TOKEN, other.admin)
    time.sleep(2)
    phase = time.monotonic(), (time.sleep(length) or time.monotonic())
    for one in viewers:
        one.kill()
    other.terminate()
    other.wait()
    return phase


def scenario(checks_, folder, template, soak):
    database = world.MariaDB(folder, template)
    cdns = {name: world.CDN(folder, name) for name in world.CDNS}
    balancer = world.Balancer(folder, database.url).start().started()
    editor = players.Editor()
    large = world.catalog()
    # About 20 KB, and a hundred revisions.
    large["cdns"] += [{"name": f"spare-{number}", "url": f"http://spare-{number}.example.com", "enabled": False} for number in range(180)]
    editor.replace(large)
    for _ in range(100):
        editor.edit()
    token = world.call("POST", "/api/v1/keys", {"name": "viewer", "role": "viewer"}).json()["token"]
    player, monitor = players.Player(kept=True), players.Monitor()
    time.sleep(2)
    load = checks.Load(folder)
    time.sleep(1)
    length = 120 if soak else 10
    before = time.monotonic(), (time.sleep(length) or time.monotonic())
    machine = beside_another(folder, large, length)
    viewers = view(token, world.ADMIN)
    time.sleep(2)
    begun, edits = time.monotonic(), []
    killed = cdns["cdn-a"].kill()
    while time.monotonic() < begun + length or len(edits) < 5:
        edits.append(editor.begin())
        edits[-1].join(20)
        if edits[-1].acknowledged:
            editor.etag = edits[-1].answer.fields.get("etag", editor.etag)
        elif edits[-1].status == 412:
            # An earlier one, given up by then, has been stored after all.
            edits.pop()
            editor.read()
        time.sleep(0.5)
        if time.monotonic() > begun + length + 60:
            break
    after = begun, time.monotonic()
    for one in viewers:
        one.kill()
    last = max((moment for moment, host in player.redirects if host == world.CDNS["cdn-a"]), default=0)
    checks_.at_most("verdict", max(0, last - killed), world.INTERVAL * world.FALL + world.TIMEOUT + 1)
    refused = [edit for edit in edits if not edit.acknowledged]
    slowest = max((edit.ended - edit.begun for edit in edits if edit.acknowledged), default=None)
    checks_.holds("edits are accepted", not refused, f"{len(edits) - len(refused)} of {len(edits)}" + (f", first {refused[0].outcome}" if refused else ""))
    checks_.at_most("the slowest edit", slowest, 2)
    checks_.holds("the admin port answers", not monitor.silent, f"{len(monitor.silent)} calls without an answer in 3 s")
    (without, _, _), (beside, count, failed) = load.p99(*before), load.p99(*after)
    checks_.at_most(f"p99 of redirects against {without:.2f} ms without", beside / without, 1.1, "×")
    elsewhere, _, _ = load.p99(*machine)
    print(f"      p99 while the same viewers read from another process on this machine: {elsewhere / without:.2f} ×", flush=True)
    checks_.holds("failed redirects", not failed, f"{failed} of {count}")
    player.until = monitor.until = 0
    balancer.terminate()
    checks_.at_most("exit", balancer.wait(), balancer.may_take)


if __name__ == "__main__":
    if sys.argv[1] == "--read":
        read(sys.argv[2], int(sys.argv[3]))
    checks.play(scenario)
