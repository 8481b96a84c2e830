"""The largest catalog of the promises: what may be imported may be put, listed and edited."""
import json

from balancer import patiently


def large():
    return {
        "version": 1,
        "origin": {"domains": ["origin-cluster"], "servers": ["s[1-99]"], "every": 10},
        "cdns": [{"name": f"cdn-{n}", "url": f"http://cdn-{n}.example.com"} for n in range(1000)],
        "rules": [{"name": f"rule-{n}", "when": {"asns": list(range(1_000_000 + 100 * n, 1_000_100 + 100 * n))}, "cdns": {f"cdn-{n}": 1}}
                  for n in range(1000)],
    }


def test_the_largest_catalog_is_put_listed_edited_and_restored(fresh):
    api = fresh.api
    body = json.dumps(large() | {"cdns": [c | {"url": c["url"] + "/" + "x" * 500} for c in large()["cdns"]]}).encode()
    assert len(body) > 2**20
    put = api.put("/api/v1/catalog", content=body, headers={"If-Match": api.etag(), "Content-Type": "application/json"}, timeout=60)
    assert put.status_code == 200
    patch = api.patch("/api/v1/redirect", json={"status": 302}, headers={"If-Match": put.headers["etag"]}, timeout=60)
    assert patch.status_code == 200
    newest, whole, _ = api.get("/api/v1/revisions?limit=3", timeout=60).json()["revisions"]
    assert newest["changes"] == [{"pointer": "/redirect/status", "from": 301, "to": 302}] and newest["changeCount"] == 1
    assert whole["changeCount"] > 1000 and len(whole["changes"]) <= 100
    restored = api.post("/api/v1/revisions/1/restore", headers={"If-Match": patch.headers["etag"]}, timeout=60)
    assert restored.status_code == 200
    assert patiently(lambda: api.get("/api/v1/status").json()["revision"] == 4, seconds=5, pause=0.1)
