"""Who may do what: every operation against every kind of token."""

import datetime
import time

import pytest

from balancer import patiently
from client import API
from contract import CONTROL

OPERATIONS = [(method, path) for method, path, _ in CONTROL.operations() if path.startswith("/api/")]
WRITES = [(method, path) for method, path in OPERATIONS if method != "GET" and path != "/api/v1/explain"]
BODIES = {
    "/api/v1/catalog": None,  # read from the balancer
    "/api/v1/cdns": {"name": "stolen", "url": "http://stolen.example.com"},
    "/api/v1/cdns/{name}": {"name": "cdn.example.com", "url": "http://stolen.example.com"},
    "/api/v1/origin": {"domains": ["stolen"], "servers": ["s1"]},
    "/api/v1/selection": {"strategy": "rotate", "every": 1},
    "/api/v1/redirect": {"status": 302},
    "/api/v1/failover": {"originLimit": 500},
    "/api/v1/rules": [{"name": "live", "when": {"paths": ["/live/"]}, "status": 302}],
    "/api/v1/keys": {"name": "stolen", "role": "admin"},
    "/api/v1/explain": {"video": "http://s1.origin-cluster/v"},
    "/api/v1/database/settle": {"wins": "database"},
}


def call(client, owner, method, path):
    """The operation as somebody would call it whose token is good."""
    headers = {"If-Match": owner.etag()} if (method, path) in WRITES else {}
    body = BODIES.get(path, None) or (owner.get(path).json() if path == "/api/v1/catalog" else None)
    if body is not None and method in ("POST", "PUT", "PATCH"):
        return client.request(method, fill(path), headers=headers, json=body)
    return client.request(method, fill(path), headers=headers)


def fill(path):
    name = "stolen" if is_for_admins(path) else "cdn.example.com"
    # One event, not an endless stream.
    return path.replace("{name}", name).replace("{id}", "1").replace("/events", "/events?count=1")


def is_for_admins(path):
    return path.startswith(("/api/v1/keys", "/api/v1/database"))


def names(client):
    return [key["name"] for key in client.get("/api/v1/keys").json()["keys"]]


def tampered(token):
    """Tokens that differ from a good one in as little as can be."""
    other = "0" if token[-1] != "0" else "1"
    return {
        "last character": token[:-1] + other, "first character": ("0" if token[0] != "0" else "1") + token[1:],
        "one more": token + "0",
        "one less": token[:-1], "letter case": token.swapcase(),
    }


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_without_a_good_token_nothing_is_told_or_done(balancer, api, tokens, method, path):
    before, keys = api.get("/api/v1/catalog"), names(api)
    bad = {
        "none": {}, "wrong": {"Authorization": "Bearer " + "ab" * 32}, "empty": {"Authorization": ""},
        "short": {"Authorization": "Bearer x"}, "word": {"Authorization": "Bearer"},
        "other scheme": {"Authorization": f"Basic {tokens['admin']}"}, "no scheme": {"Authorization": tokens["admin"]},
        "query": {},
    } | {kind: {"Authorization": f"Bearer {token}"} for kind, token in tampered(tokens["admin"]).items()}
    # An address of its own for each operation: bad tokens are counted by address.
    source = f"127.0.1.{OPERATIONS.index((method, path)) + 1}"
    with API(balancer.admin, source=source) as nobody:
        for kind, headers in bad.items():
            nobody.headers = headers
            # A token in the target would end up in logs, so it counts for nothing there.
            response = call(nobody, api, method, path + (f"?access_token={tokens['admin']}" if kind == "query" else ""))
            assert response.status_code == 401, f"{kind}: {response.status_code}"
            assert tokens["admin"] not in response.text
    after = api.get("/api/v1/catalog")
    assert (after.headers["etag"], after.json(), names(api)) == (before.headers["etag"], before.json(), keys)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_viewer_reads_and_explains_but_writes_nothing(balancer, api, tokens, method, path):
    before = api.revision(), names(api)
    with API(balancer.admin, tokens["viewer"]) as viewer:
        response = call(viewer, api, method, path)
        assert response.status_code == (403 if (method, path) in WRITES or is_for_admins(path) else 200)
    assert (api.revision(), names(api)) == before


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_operators_and_admins_may_call_every_operation_and_admins_alone_those_of_keys(fresh, role):
    with API(fresh.admin, fresh.key("own", role)) as client:
        assert patiently(lambda: client.get("/api/v1/status").is_success, seconds=5, pause=0.1)
        for method, path in OPERATIONS:
            if role == "operator" and is_for_admins(path):
                assert call(client, client, method, path).status_code == 403, f"{method} {path}"
            elif method != "DELETE":
                assert call(client, client, method, path).is_success, f"{method} {path}"
        assert names(fresh.api) == ["own"] + (["stolen"] if role == "admin" else [])
        if role == "admin":
            assert call(client, client, "DELETE", "/api/v1/keys/{name}").status_code == 204
        assert call(client, client, "DELETE", "/api/v1/cdns/{name}").status_code == 204
        authors = {revision["author"] for revision in client.get("/api/v1/revisions").json()["revisions"]}
        assert authors == {"own", "environment"}


def test_a_token_works_until_it_expires_and_not_after(fresh):
    ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    token = fresh.key("short", "admin", expires=ends.strftime("%Y-%m-%dT%H:%M:%SZ"))
    with API(fresh.admin, token) as client:
        assert patiently(lambda: client.get("/api/v1/status").is_success, seconds=2, pause=0.05), "a valid key is not accepted"
        assert patiently(lambda: client.get("/api/v1/status").status_code == 401, seconds=5, pause=0.05), "an expired key is accepted"
        assert datetime.datetime.now(datetime.timezone.utc) >= ends.replace(microsecond=0)
        for method, path in OPERATIONS:
            assert call(client, fresh.api, method, path).status_code == 401, f"{method} {path}"
    assert fresh.api.revision() == 1


def test_a_revoked_key_is_refused_within_a_second(fresh):
    token = fresh.key("leaver", "admin")
    with API(fresh.admin, token) as client:
        assert patiently(lambda: client.get("/api/v1/status").is_success, seconds=5, pause=0.05)
        fresh.command("key", "revoke", "leaver")
        assert patiently(lambda: client.get("/api/v1/status").status_code == 401, seconds=5, pause=0.05)


def test_the_scheme_is_read_in_any_letter_case(balancer, tokens):
    with API(balancer.admin) as client:
        for scheme in ("bearer", "BEARER", "Bearer"):
            assert client.get("/api/v1/status", headers={"Authorization": f"{scheme} {tokens['viewer']}"}).status_code == 200


def test_many_bad_tokens_are_slowed_by_address_and_good_ones_never(fresh):
    with API(fresh.admin, "00" * 32, source="127.0.2.1") as guesser, API(fresh.admin, "00" * 32, source="127.0.2.2") as other:
        statuses = [guesser.get("/api/v1/status").status_code for _ in range(600)]
        assert statuses[:200] == [401] * 200
        assert 429 in statuses, "600 bad tokens in a row were all let through"
        slowed = next(response for response in iter(lambda: guesser.get("/api/v1/status"), None) if response.status_code == 429)
        assert 1 <= int(slowed.headers["retry-after"]) <= 60
        # The same address with a good token, and another address with a bad one.
        good = guesser.get("/api/v1/status", headers={"Authorization": f"Bearer {fresh.token}"})
        assert good.status_code == 200
        assert other.get("/api/v1/status").status_code == 401
        # It refills: the guesser may err again.
        assert patiently(lambda: guesser.get("/api/v1/status").status_code == 401, seconds=10, pause=0.2)


def test_no_token_is_ever_logged(fresh):
    token = fresh.key("quiet", "operator")
    with API(fresh.admin, token) as client:
        assert patiently(lambda: client.get("/api/v1/status").is_success, seconds=5, pause=0.05)
        client.done("PATCH", "/api/v1/redirect", {"status": 302})
    with API(fresh.admin, "ef" * 32) as guesser:
        guesser.get("/api/v1/status")
    time.sleep(0.1)
    log = fresh.log.read_text()
    assert token not in log and fresh.token not in log and "ef" * 32 not in log
