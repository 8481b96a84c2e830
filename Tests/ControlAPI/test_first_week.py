"""What an operator does with a new balancer, and what each step must give."""

import json
import re
import urllib.parse

from balancer import VIDEO, patiently
from client import API, Player
from contract import CONTROL

TWO_TO_ONE = [
    {"name": "cdn.example.com", "url": "http://cdn.example.com", "weight": 100, "enabled": True},
    {"name": "cdn-b", "url": "http://cdn-b.example.com", "weight": 50, "enabled": True},
]


def hosts(player, count):
    """How many of `count` redirects went to each host."""
    counted = {}
    for _ in range(count):
        response = player.ask(VIDEO)
        assert response.status_code == 301
        host = urllib.parse.urlsplit(response.headers["location"]).netloc
        counted[host] = counted.get(host, 0) + 1
    return counted


def test_the_operators_first_week(fresh):
    api, player = fresh.api, fresh.player
    anna, ben = (API(fresh.admin, fresh.key(name, "operator")) for name in ("anna", "ben"))
    with anna, ben:
        for client in (anna, ben):
            assert patiently(lambda: client.get("/api/v1/status").is_success, seconds=5, pause=0.1)

        # Monday: what is there?
        first = api.get("/api/v1/catalog")
        assert first.json()["cdns"] == TWO_TO_ONE[:1]
        assert hosts(player, 10) == {"cdn.example.com": 9, "s1.origin-cluster": 1}

        # Tuesday: a second CDN, a third of the traffic.
        added = anna.done(
            "POST", "/api/v1/cdns", {"name": "cdn-b", "url": "http://cdn-b.example.com", "weight": 50}, comment="contract 4711")
        assert added.status_code == 201
        assert added.headers["location"] == "/api/v1/cdns/cdn-b"
        assert added.json() == TWO_TO_ONE[1] == anna.get(added.headers["location"]).json()
        assert anna.get("/api/v1/cdns").json() == TWO_TO_ONE
        assert hosts(player, 300) == {"cdn.example.com": 180, "cdn-b.example.com": 90, "s1.origin-cluster": 30}

        # Wednesday: half and half.
        shifted = ben.done("PATCH", "/api/v1/cdns/cdn-b", {"weight": 100}, comment="they are faster")
        assert shifted.json() == TWO_TO_ONE[1] | {"weight": 100}
        assert hosts(player, 200) == {"cdn.example.com": 90, "cdn-b.example.com": 90, "s1.origin-cluster": 20}

        # Thursday: it has an outage. Out with it; those already playing go on.
        ben.done("PATCH", "/api/v1/cdns/cdn-b", {"enabled": False}, comment="outage")
        assert hosts(player, 100) == {"cdn.example.com": 90, "s1.origin-cluster": 10}

        # Friday: who changed what?
        history = api.get("/api/v1/revisions").json()
        assert history["next"] is None
        told = [(r["id"], r["author"], r["comment"], r["changes"]) for r in history["revisions"]]
        assert told == [
            (4, "ben", "outage", [{"pointer": "/cdns/cdn-b/enabled", "from": True, "to": False}]),
            (3, "ben", "they are faster", [{"pointer": "/cdns/cdn-b/weight", "from": 50, "to": 100}]),
            (2, "anna", "contract 4711", [{"pointer": "/cdns/cdn-b", "to": TWO_TO_ONE[1]}]),
            (1, "environment", "first start", []),
        ]
        times = [r["created"] for r in history["revisions"]]
        assert times == sorted(times, reverse=True)

        # And back to Tuesday.
        restored = anna.done("POST", "/api/v1/revisions/2/restore", comment="as agreed")
        assert restored.json()["cdns"] == TWO_TO_ONE
        newest = api.get("/api/v1/revisions/5").json()
        assert (newest["author"], newest["comment"], newest["catalog"]) == ("anna", "as agreed", restored.json())
        assert restored.headers["etag"] == f'"5-{newest["checksum"][:8]}"' == api.get("/api/v1/catalog").headers["etag"]
        assert newest["checksum"] == api.get("/api/v1/revisions/2").json()["checksum"]
        assert hosts(player, 300) == {"cdn.example.com": 180, "cdn-b.example.com": 90, "s1.origin-cluster": 30}

        # For good: the contract ends.
        removed = anna.write("DELETE", "/api/v1/cdns/cdn-b")
        assert removed.status_code == 204
        assert api.get("/api/v1/cdns").json() == TWO_TO_ONE[:1]
        assert api.get("/api/v1/cdns/cdn-b").status_code == 404
        assert api.get("/api/v1/catalog").json() == first.json()


def test_a_part_reads_as_it_stands_in_the_catalog_and_all_reads_have_one_etag(fresh):
    catalog = fresh.api.get("/api/v1/catalog")
    for part in ("origin", "cdns", "selection", "redirect"):
        response = fresh.api.get(f"/api/v1/{part}")
        assert response.json() == catalog.json()[part]
        assert response.headers["etag"] == catalog.headers["etag"]


def test_put_takes_defaults_and_patch_keeps_what_is_there(fresh):
    api = fresh.api
    api.done("PATCH", "/api/v1/cdns/cdn.example.com", {"weight": 7})
    assert api.done("PATCH", "/api/v1/cdns/cdn.example.com", {"enabled": False}).json()["weight"] == 7
    replaced = api.done("PUT", "/api/v1/cdns/cdn.example.com", {"name": "cdn.example.com", "url": "https://other.example.com/"})
    assert replaced.json() == {"name": "cdn.example.com", "url": "https://other.example.com", "weight": 100, "enabled": True}

    api.done("PATCH", "/api/v1/origin", {"every": 3, "scope": "server"})
    reset = api.done("PATCH", "/api/v1/origin", {"every": None}).json()
    assert (reset["every"], reset["scope"]) == (10, "server")
    assert api.done("PUT", "/api/v1/origin", {"domains": ["Origin-Cluster"], "servers": ["S[1-9]"]}).json() == {
        "domains": ["origin-cluster"], "servers": ["s[1-9]"], "scheme": "http", "every": 10, "scope": "all"}

    assert api.done("PATCH", "/api/v1/selection", {"strategy": "rotate", "every": 5}).json() == {"strategy": "rotate", "every": 5}
    assert api.done("PATCH", "/api/v1/selection", {"every": 6}).json() == {"strategy": "rotate", "every": 6}
    assert api.done("PATCH", "/api/v1/selection", {"strategy": "weighted", "every": None}).json() == {"strategy": "weighted"}
    assert api.done("PUT", "/api/v1/selection", {}).json() == {"strategy": "weighted"}

    assert api.done("PUT", "/api/v1/redirect", {"status": 307}).json() == {"status": 307, "links": False}
    assert fresh.player.get("/s1/v.m3u8").status_code == 307
    assert api.done("PATCH", "/api/v1/redirect", {"status": None}).json() == {"status": 301, "links": False}


def test_patch_takes_plain_json_too(fresh):
    headers = {"If-Match": fresh.api.etag(), "Content-Type": "application/json; charset=utf-8"}
    response = fresh.api.patch("/api/v1/redirect", headers=headers, content='{"status": 308}')
    assert response.json() == {"status": 308, "links": False}


def test_checking_a_catalog_tells_the_changes_and_stores_nothing(fresh):
    catalog = fresh.api.get("/api/v1/catalog").json()
    catalog["cdns"][0]["weight"] = 5
    catalog["cdns"].append({"name": "a-b_c", "url": "http://b.example.com"})
    catalog["origin"]["every"] = 0
    response = fresh.api.put("/api/v1/catalog?validate=true", json=catalog)
    assert response.status_code == 200
    changes = {change.pop("pointer"): change for change in response.json()["changes"]}
    assert changes == {
        "/origin/every": {"from": 10, "to": 0},
        "/cdns/cdn.example.com/weight": {"from": 100, "to": 5},
        "/cdns/a-b_c": {"to": {"name": "a-b_c", "url": "http://b.example.com", "weight": 100, "enabled": True}},
    }
    assert fresh.api.revision() == 1
    assert fresh.api.put("/api/v1/catalog?validate=true", json=fresh.api.get("/api/v1/catalog").json()).json()["changes"] == []
    refused = fresh.api.put("/api/v1/catalog?validate=true", json={"version": 1})
    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == {"/origin", "/cdns"}


def test_the_history_is_read_in_pages_without_gaps(fresh):
    for weight in range(1, 31):
        fresh.api.done("PATCH", "/api/v1/cdns/cdn.example.com", {"weight": weight}, comment=f"to {weight}")
    assert [r["id"] for r in fresh.api.get("/api/v1/revisions").json()["revisions"]] == list(range(31, 11, -1))
    for limit in (1, 7, 31, 100):
        ids, before, pages = [], None, 0
        while True:
            query = f"?limit={limit}" + (f"&before={before}" if before else "")
            page = fresh.api.get("/api/v1/revisions" + query).json()
            assert len(page["revisions"]) <= limit
            for revision in page["revisions"]:
                # The oldest of a page knows its changes as well.
                assert len(revision["changes"]) == (1 if revision["id"] > 1 else 0)
            ids += [revision["id"] for revision in page["revisions"]]
            pages += 1
            if (before := page["next"]) is None:
                break
        assert ids == list(range(31, 0, -1))
        assert pages == -(-31 // limit)


def test_explaining_is_what_happens_next_and_takes_no_number(fresh):
    for number in range(1, 21):
        question = {"video": VIDEO}
        told = fresh.api.post("/api/v1/explain", json=question).json()
        assert fresh.api.post("/api/v1/explain", json=question).json() == told
        response = fresh.player.ask(VIDEO)
        assert told["location"] == response.headers["location"]
        assert told["refusal"] is None and told["revision"] == 1
        assert ("origin-cluster" in told["location"]) == (number % 10 == 0)
    assert fresh.api.get("/api/v1/status").json()["sequences"] == [{"scope": "all", "redirects": 20, "cdnBound": 18}]


def test_explaining_a_refusal_gives_the_status_a_player_gets(fresh):
    for video in ("http://s1.elsewhere.example/v", "ftp://s1.origin-cluster/v", "http://u@s1.origin-cluster/v", "", "%zz", "/nobody/v",
                  "http://s1.origin-cluster/%2e%2e/v", "http://s1.origin-cluster/a%", "http%3A//s1.origin-cluster/%23x"):
        told = fresh.api.post("/api/v1/explain", json={"video": video}).json()
        assert told["location"] is None
        response = fresh.player.get(video if video.startswith("/") else "/?video=" + video)
        assert response.status_code == told["refusal"]["status"], video
        assert {"reason": response.json()["reason"], "detail": response.json()["detail"]} == {
            "reason": told["refusal"]["reason"], "detail": told["refusal"]["detail"]}


def test_explaining_leaves_out_a_cdn_as_avoid_does(fresh):
    told = fresh.api.post("/api/v1/explain", json={"video": VIDEO, "avoid": "cdn.example.com"}).json()
    assert told["location"] == VIDEO == fresh.player.get("/?avoid=cdn.example.com&video=" + VIDEO).headers["location"]
    fresh.api.done("PATCH", "/api/v1/origin", {"every": 0})
    told = fresh.api.post("/api/v1/explain", json={"video": VIDEO, "avoid": "CDN.example.com"}).json()
    assert told["refusal"]["status"] == 503 and told["refusal"]["reason"] == "no-target"
    response = fresh.player.get("/?avoid=cdn.example.com&video=" + VIDEO)
    assert (response.status_code, response.json()["reason"]) == (503, "no-target")


def test_the_status_tells_what_the_node_is(fresh):
    status = fresh.api.get("/api/v1/status").json()
    assert status["node"]["listen"] == fresh.listen
    assert re.fullmatch(r"\d+\.\d+\.\d+", status["node"]["version"])
    assert (status["state"], status["trouble"], status["revision"]) == ("ready", None, 1)


def test_health_and_metrics_need_no_token(fresh):
    with API(fresh.admin) as nobody:
        assert (nobody.get("/livez").status_code, nobody.get("/readyz").status_code) == (200, 200)
        metrics = nobody.get("/metrics")
        assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "\nbalancer_catalog_revision 1\n" in metrics.text


def test_head_answers_like_get_without_the_body(fresh):
    for path in ("/api/v1/catalog", "/api/v1/cdns", "/api/v1/status", "/api/v1/revisions", "/livez", "/openapi.json"):
        head, get = fresh.api.head(path), fresh.api.get(path)
        assert head.status_code == get.status_code == 200
        assert head.headers.get("etag") == get.headers.get("etag")
        assert head.headers["content-type"] == get.headers["content-type"]


def test_a_name_is_found_as_it_is_written(fresh):
    fresh.api.done("POST", "/api/v1/cdns", {"name": "A.b_c-9", "url": "http://b.example.com"})
    assert fresh.api.get("/api/v1/cdns/A.b_c-9").status_code == 200
    assert fresh.api.get("/api/v1/cdns/%41%2Eb%5Fc%2D9").status_code == 200
    assert fresh.api.get("/api/v1/cdns/A.b_c").status_code == 404


def test_a_balancer_without_a_configured_token_makes_one_for_its_owner_alone(begin):
    balancer = begin(BALANCER_ADMIN_TOKEN="")
    path = balancer.folder / "balancer.db.token"
    assert path.stat().st_mode & 0o777 == 0o600
    token = path.read_text().strip()
    assert token not in balancer.log.read_text()
    with API(balancer.admin, token) as api:
        assert patiently(lambda: api.get("/api/v1/status").is_success, seconds=5, pause=0.1)
        api.done("PATCH", "/api/v1/redirect", {"status": 302})
    balancer.stop()
    balancer.start()
    assert path.read_text().strip() == token


def test_every_answer_has_a_request_id_of_its_own(fresh):
    ids = {fresh.api.get(path).headers["x-request-id"] for path in ("/api/v1/cdns", "/api/v1/nothing", "/livez") for _ in range(20)}
    assert len(ids) == 60


def test_no_answer_lets_other_sites_in(fresh):
    for method, path, _ in CONTROL.operations():
        target = path.replace("{name}", "x").replace("{id}", "1").replace("/events", "/events?count=1")
        response = fresh.api.request(method, target, headers={"Origin": "http://evil.example"})
        assert not [name for name in response.headers if name.lower().startswith("access-control-")], f"{method} {path}"
    preflight = fresh.api.options(
        "/api/v1/catalog", headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"})
    assert preflight.status_code == 405
