"""The data plane against its own document."""

import json

import pytest

from balancer import VIDEO, Balancer, patiently
from client import API, Player, answer, exchange
from contract import DATA


@pytest.fixture(scope="module")
def balancer(tmp_path_factory):
    with Balancer(tmp_path_factory.mktemp("data-plane")) as balancer:
        yield balancer


@pytest.fixture(scope="module")
def player(balancer):
    with Player(balancer.listen) as player:
        yield player


@pytest.mark.parametrize(("method", "target", "status"), [
    ("GET", "/?video=" + VIDEO, 301), ("HEAD", "/?video=" + VIDEO, 301), ("OPTIONS", "/", 204), ("GET", "/", 400),
    ("HEAD", "/", 400), ("POST", "/", 405),
    ("PUT", "/", 405), ("DELETE", "/?video=" + VIDEO, 405), ("TRACE", "/", 405), ("FOO", "/", 501),
    ("GET", "/?video=a&video=b", 400),
    ("GET", "/?video=x&avoid=a&avoid=b", 400), ("GET", "/?video=http://other.example/v", 403),
    ("GET", "/?video=http://s1.origin-cluster/%2e%2e/v", 400),
    ("GET", "/?redirect=false&video=" + VIDEO, 200), ("HEAD", "/?redirect=false&video=" + VIDEO, 200),
    ("GET", "/origin?redirect=false&video=" + VIDEO, 200), ("HEAD", "/origin?redirect=false&video=" + VIDEO, 200),
    ("POST", "/origin?redirect=false&video=" + VIDEO, 200), ("GET", "/?redirect=false", 400), ("GET", "/?redirect=0&video=" + VIDEO, 301),
    ("GET", "/origin?video=" + VIDEO, 301), ("HEAD", "/origin?video=" + VIDEO, 301), ("POST", "/origin?video=" + VIDEO, 301),
    ("OPTIONS", "/origin", 204),
    ("GET", "/origin", 400), ("POST", "/origin", 400), ("PUT", "/origin", 405), ("GET", "/s1/v.m3u8", 301), ("GET", "/s1", 301),
    ("GET", "/s1/", 301),
    ("GET", "/s1/a/b/c.ts?x=y&z", 301), ("HEAD", "/s99/v", 301), ("OPTIONS", "/s1/v", 204), ("POST", "/s1/v", 405),
    ("GET", "/s100/v", 404), ("GET", "/nothing", 404),
    ("OPTIONS", "/nothing/v", 404), ("GET", "/s1/%2e%2e/v", 400), ("GET", "/livez", 200), ("HEAD", "/livez", 200),
    ("POST", "/livez", 405), ("GET", "/readyz", 200),
    ("HEAD", "/readyz", 200), ("OPTIONS", "/readyz", 200), ("GET", "/openapi.json", 200), ("HEAD", "/openapi.json", 200),
    ("POST", "/openapi.json", 405),
    ("GET", "/?video=" + "x" * 9000, 414),
])
def test_every_answer_is_one_that_the_document_names(player, method, target, status):
    assert player.request(method, target).status_code == status


@pytest.mark.parametrize("target", ["/?video=" + VIDEO, "/origin?video=" + VIDEO, "/s1/v.m3u8", "/?avoid=cdn.example.com&video=" + VIDEO])
def test_the_decision_is_told_in_json_to_who_asks_for_it(player, target):
    response = player.get(target, headers={"Accept": "application/json"})
    assert response.json()["location"] == response.headers["location"]
    assert player.get(target).content == b""


@pytest.mark.parametrize(("body", "status"), [
    (json.dumps({"video": VIDEO}), 301), (json.dumps(VIDEO), 301), ('{ "%s"}' % VIDEO, 301), ("{}", 400), ("", 400), ("[]", 400),
    ("x", 400),
    (json.dumps({"video": VIDEO, "avoid": "x"}), 400), (json.dumps({"video": "http://other.example/v"}), 403),
    ('"' + "x" * 70000 + '"', 413),
])
def test_a_body_names_the_video(player, body, status):
    assert player.post("/origin", content=body).status_code == status


@pytest.mark.parametrize(("raw", "status"), [
    (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET /livez HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    (b"GET /livez HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417),
    (b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20000 + b"\r\n\r\n", 431),
    (b"GET /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    (b"POST /origin HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400)])
def test_what_is_wrong_as_http_is_told_as_the_document_says(balancer, raw, status):
    received, _ = exchange(balancer.listen, [raw], seconds=5)
    response = answer(received)
    method, target = raw.split(b" ")[:2]
    DATA.check(method.decode(), target.decode(), response)
    assert response.status_code == status


def test_a_setting_of_each_status_is_one_of_the_document(fresh):
    for status in (302, 307, 308, 301):
        fresh.api.done("PATCH", "/api/v1/redirect", {"status": status})
        assert fresh.player.ask(VIDEO).status_code == status
        assert fresh.player.head("/s1/v").status_code == status


def test_without_any_target_the_answer_is_503_with_retry_after(fresh):
    fresh.api.done("PATCH", "/api/v1/origin", {"every": 0})
    response = fresh.player.get("/?avoid=cdn.example.com&video=" + VIDEO)
    assert response.status_code == 503 and response.json()["reason"] == "no-target"


def test_a_node_that_is_taken_out_says_so_on_both_ports(begin):
    balancer = begin("--lame-duck", "3")
    with API(balancer.admin) as api, Player(balancer.listen) as player:
        assert (api.get("/readyz").status_code, player.get("/readyz").status_code) == (200, 200)
        balancer.begin_stopping()
        assert patiently(lambda: api.get("/readyz").status_code == 503, seconds=2)
        assert (api.get("/readyz").text, api.get("/livez").status_code) == ("draining\n", 200)
        assert player.get("/readyz").status_code == player.head("/readyz").status_code == 503
        assert player.ask(VIDEO).status_code == 301
