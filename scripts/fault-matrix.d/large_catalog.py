"""The largest catalog that is allowed, 1,000 CDNs, 1,000 rules, 100,000 autonomous systems, on two nodes and MariaDB.

An edit is live on both nodes within a second of its answer and costs 2 s of CPU at most; the list of revisions takes 100 ms; redirects beside the
swap have at most twice the p99 of redirects without.
"""
import http.client
import json
import os
import statistics
import subprocess
import time

import checks
import players
import world

ASNS = checks.HERE.parents[1] / "Tests/GeoIPTests/Databases/asn.mmdb"


def catalog():
    return {
        "version": 1,
        "cdns": [{"name": f"cdn-{number}", "url": f"http://cdn-{number}.example.com", "weight": 1 + number * 7 % 1000}
                 for number in range(1000)],
        "origin": {"domains": ["origin-cluster"], "servers": ["s[1-99]"], "every": 20},
        # Each rule counts for itself over all CDNs: what is compiled grows with the product of both.
        "rules": [{"name": f"rule-{number}", "when": {"asns": list(range(400_000_000 + number * 100, 400_000_100 + number * 100))},
                   "every": 20 + number} for number in range(1000)],
    }


def status(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", f"/?video=http://{world.ORIGIN}/a.m3u8")
        return connection.getresponse().status
    finally:
        connection.close()


def live(nodes, wanted, seconds):
    """When each node answered redirects with the status `wanted` first; None for never."""
    moments, end = {}, time.monotonic() + seconds
    while len(moments) < len(nodes) and time.monotonic() < end:
        for node in nodes:
            if node not in moments and status(node.data) == wanted:
                moments[node] = time.monotonic()
        time.sleep(0.01)
    return [moments.get(node) for node in nodes]


def put(checks_, folder, nodes, database):
    body = json.dumps(catalog())
    etag = world.call("GET", "/api/v1/catalog").fields["etag"]
    try:
        answer = world.call("PUT", "/api/v1/catalog?comment=large", body, etag, timeout=120)
        text = f"{answer.status}, {len(body)} bytes" + ("" if answer.status == 200 else f": {answer.body[:200].decode(errors='replace')}")
        good = answer.status == 200
    except OSError as error:
        good, text = False, str(error)
    checks_.holds("the API takes the largest catalog", good, text)
    if not good:
        (folder / "large.json").write_text(body)
        done = subprocess.run([world.BINARY, "catalog", "import", folder / "large.json", "--comment", "large", "--database", database.url],
                              capture_output=True, text=True, env={"PATH": os.environ["PATH"], "HOME": str(folder)}, cwd=folder)
        print("      imported instead: " + (done.stdout or done.stderr).strip().split("\n")[-1][:200])
    world.wait_for("the large catalog on both nodes", 120,
                   lambda: all(b'"rule-999"' in world.call("GET", "/api/v1/catalog", port=node.admin, timeout=60).body for node in nodes), pause=0.5)


def edit(nodes, wanted):
    """Changes the status of redirects; seconds to the answer, seconds from it to each node, CPU seconds of each node."""
    etag = world.call("GET", "/api/v1/catalog", timeout=60).fields["etag"]
    meters = [world.CPU(node.process.pid) for node in nodes]
    before = [meter.seconds() for meter in meters]
    begun = time.monotonic()
    answer = world.call("PATCH", f"/api/v1/redirect?comment=to+{wanted}", {"status": wanted}, etag, timeout=120, kind="application/merge-patch+json")
    answered = time.monotonic()
    if answer.status != 200:
        raise RuntimeError(f"PATCH: {answer.status} {answer.body[:200]}")
    moments = live(nodes, wanted, 60)
    time.sleep(2)
    used = [meter.seconds() - start for meter, start in zip(meters, before)]
    return answered - begun, [moment and max(0, moment - answered) for moment in moments], used, (begun, time.monotonic())


def scenario(checks_, folder, template, soak):
    database = world.MariaDB(folder, template, flags=("--max-allowed-packet=64M",))
    nodes = [world.Balancer(folder, database.url, flags=("--geoip-asn", str(ASNS)), data=8000 + 10 * number, admin=8001 + 10 * number, name=f"node-{number}").start().started()
             for number in range(2)]
    for node in nodes:
        world.wait_for("the admin port", 10, lambda: world.admin_answers(node.admin))
    put(checks_, folder, nodes, database)
    time.sleep(3)
    idle = [world.CPU(node.process.pid) for node in nodes]
    rest = [meter.seconds() for meter in idle]
    load = checks.Load(folder)
    time.sleep(1)
    quiet = time.monotonic(), (time.sleep(60 if soak else 8) or time.monotonic())
    costs = [(meter.seconds() - start) / (quiet[1] - quiet[0] + 1) for meter, start in zip(idle, rest)]
    answers, lives, used, windows, lists = [], [], [], [], []
    for number in range(30 if soak else 6):
        took, moments, cpu, window = edit(nodes, (302, 307, 308, 301)[number % 4])
        answers.append(took)
        lives.append(moments)
        # Less what the load and the routine cost without an edit.
        used += [seconds - cost * (window[1] - window[0]) for seconds, cost in zip(cpu, costs)]
        windows.append(window)
        begun = time.monotonic()
        world.call("GET", "/api/v1/revisions?limit=10", timeout=120)
        lists.append(time.monotonic() - begun)
    checks_.at_most("an edit is answered (median)", statistics.median(answers), 2)
    for number in range(2):
        seen = [moments[number] for moments in lives]
        checks_.at_most(f"live on node {number + 1} after the answer (worst)", None if None in seen else max(seen), 1)
    checks_.at_most("CPU of an edit on one node (worst)", max(used), 2)
    checks_.at_most("revisions?limit=10 (worst)", max(lists), 0.1)
    without, count, failed = load.p99(*quiet)
    beside = [load.p99(*window) for window in windows]
    worst = statistics.median(p99 for p99, _, _ in beside)
    checks_.at_most(f"p99 of redirects beside a swap against {without:.2f} ms without (median)", worst / without, 2, "×")
    checks_.holds("failed redirects", not failed and not sum(bad for _, _, bad in beside), f"{failed + sum(bad for _, _, bad in beside)} of {count + sum(n for _, n, _ in beside)}")


checks.play(scenario)
