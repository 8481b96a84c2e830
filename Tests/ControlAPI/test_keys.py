"""Keys by the API: made, used, revoked."""

import datetime
import pathlib

import pytest

from balancer import patiently
from client import API


def make(api, name, role="viewer", **members):
    response = api.post("/api/v1/keys", json={"name": name, "role": role} | members)
    assert response.status_code == 201, response.text
    return response


def listed(api, name):
    return next((key for key in api.get("/api/v1/keys").json()["keys"] if key["name"] == name), None)


def test_a_token_is_shown_once_and_works_at_once_with_its_role(fresh):
    token = make(fresh.api, "alice", "operator").json()["token"]
    assert listed(fresh.api, "alice")["role"] == "operator"
    assert token not in fresh.api.get("/api/v1/keys").text
    with API(fresh.admin, token) as alice:
        alice.done("PATCH", "/api/v1/redirect", {"status": 302})
        assert alice.get("/api/v1/keys").status_code == 403
    assert fresh.api.history()[-1]["author"] == "alice"
    for file in pathlib.Path(fresh.folder).iterdir():
        assert token.encode() not in file.read_bytes(), f"the token is in {file.name}"


def test_a_revoked_key_is_refused_with_the_next_request(fresh):
    token = make(fresh.api, "alice", "admin").json()["token"]
    with API(fresh.admin, token) as alice:
        assert alice.delete("/api/v1/keys/alice").status_code == 204
        assert alice.get("/api/v1/status").status_code == 401
    assert fresh.api.delete("/api/v1/keys/alice").status_code == 404
    assert fresh.api.get("/api/v1/keys").json() == {"keys": []}


@pytest.mark.parametrize("name", ["a/b", "100%", "~", "x" * 64, "a?b#c", "alice@example.com", "%2e%2e"])
def test_any_name_can_be_made_found_and_revoked_by_its_location(fresh, name):
    made = make(fresh.api, name)
    assert listed(fresh.api, name)
    assert fresh.api.delete(made.headers["location"]).status_code == 204
    assert not listed(fresh.api, name)


def test_a_name_is_given_once_and_by_the_command_line_too(fresh):
    fresh.key("alice", "viewer")
    response = fresh.api.post("/api/v1/keys", json={"name": "alice", "role": "admin"})
    assert response.status_code == 409
    assert listed(fresh.api, "alice")["role"] == "viewer"


@pytest.mark.parametrize(("body", "pointers"), [
    ({}, ["/name", "/role"]),
    ([], [""]),
    ({"name": "", "role": "viewer"}, ["/name"]),
    ({"name": "x" * 65, "role": "viewer"}, ["/name"]),
    ({"name": "with space", "role": "viewer"}, ["/name"]),
    ({"name": "environment", "role": "viewer"}, ["/name"]),
    ({"name": "cli:root", "role": "viewer"}, ["/name"]),
    ({"name": "é", "role": "viewer"}, ["/name"]),
    ({"name": 1, "role": "root"}, ["/name", "/role"]),
    ({"name": "a", "role": "viewer", "expires": "2020-01-01T00:00:00Z"}, ["/expires"]),
    ({"name": "a", "role": "viewer", "expires": "tomorrow"}, ["/expires"]),
    ({"name": "a", "role": "viewer", "expires": 5}, ["/expires"]),
    ({"name": "a", "role": "viewer", "token": "mine", "hash": "x"}, ["/token", "/hash"]),
])
def test_every_fault_of_a_key_is_named_and_nothing_is_stored(api, body, pointers):
    response = api.post("/api/v1/keys", json=body)
    assert response.status_code == 422
    assert sorted(fault["pointer"] for fault in response.json()["errors"]) == sorted(pointers)
    assert not listed(api, "a")


def test_a_key_ends_when_it_was_told_to(fresh):
    ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    made = make(fresh.api, "short", expires=ends.isoformat())
    assert made.json()["expires"].startswith(ends.strftime("%Y-%m-%dT%H:%M:%S"))
    with API(fresh.admin, made.json()["token"]) as short:
        assert short.get("/api/v1/status").status_code == 200
        assert patiently(lambda: short.get("/api/v1/status").status_code == 401, seconds=6, pause=0.05)


def test_the_last_use_is_told(fresh):
    token = make(fresh.api, "alice").json()["token"]
    assert listed(fresh.api, "alice")["lastUsed"] is None
    with API(fresh.admin, token) as alice:
        assert alice.get("/api/v1/status").status_code == 200
    assert listed(fresh.api, "alice")["lastUsed"] >= listed(fresh.api, "alice")["created"]
