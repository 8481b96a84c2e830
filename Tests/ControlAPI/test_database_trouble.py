"""When the database fails, players go on, the API says so with 503, and nothing is half done."""

import contextlib
import sqlite3

from balancer import VIDEO, patiently

PATCH = ("PATCH", "/api/v1/cdns/cdn.example.com", {"weight": 5})


@contextlib.contextmanager
def locked(balancer):
    """Another process writes and does not end."""
    other = sqlite3.connect(balancer.folder / "balancer.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


def test_a_locked_database_is_503_and_nothing_changes(fresh):
    etag = fresh.api.etag()
    with locked(fresh):
        response = fresh.api.write(*PATCH, etag=etag)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) >= 1
        assert fresh.player.ask(VIDEO).status_code == 301
    assert fresh.api.etag() == etag
    assert fresh.api.write(*PATCH, etag=etag).status_code == 200


def test_a_database_that_is_gone_is_told_everywhere_and_comes_back(fresh):
    etag = fresh.api.etag()
    path = fresh.folder / "balancer.db"
    path.rename(path.with_suffix(".away"))
    status = patiently(lambda: (status := fresh.api.get("/api/v1/status").json())["state"] == "degraded" and status, pause=0.1)
    assert status and status["trouble"] and status["revision"] == 1
    ready = fresh.api.get("/readyz")
    assert ready.status_code == 200 and ready.text.startswith("ready, degraded: ")
    assert "\nbalancer_degraded 1\n" in fresh.api.get("/metrics").text
    assert fresh.api.write(*PATCH, etag=etag).status_code == 503
    for read in ("catalog", "cdns", "cdns/cdn.example.com", "origin", "revisions", "revisions/1"):
        assert fresh.api.get(f"/api/v1/{read}").status_code in (200, 503)
    assert fresh.player.ask(VIDEO).status_code == 301
    assert fresh.api.post("/api/v1/explain", json={"video": VIDEO}).status_code == 200

    path.with_suffix(".away").rename(path)
    assert patiently(lambda: fresh.api.get("/api/v1/status").json()["state"] == "ready", pause=0.1)
    assert fresh.api.get("/api/v1/status").json()["trouble"] is None
    assert fresh.api.write(*PATCH, etag=etag).status_code == 200


def test_a_change_by_another_process_is_seen_and_makes_etags_stale(fresh):
    etag = fresh.api.etag()
    (fresh.folder / "new.json").write_text(fresh.api.get("/api/v1/catalog").text.replace('"every": 10', '"every": 11'))
    fresh.command("catalog", "import", "new.json", "--comment", "by hand")
    stale = fresh.api.write(*PATCH, etag=etag)
    assert stale.status_code == 412 and stale.headers["etag"] == fresh.api.etag()
    newest = fresh.api.get("/api/v1/revisions").json()["revisions"][0]
    assert (newest["id"], newest["comment"], newest["changes"]) == (2, "by hand", [{"pointer": "/origin/every", "from": 10, "to": 11}])
    assert newest["author"].startswith("cli:")
    assert patiently(lambda: fresh.api.revision() == 2, seconds=5)
