"""Steered players in the API: rules, explain and status say what the wire does; each answer is held against its document."""

import pytest

CDNS = [{"name": "cdn-a", "url": "http://a.example.com"}, {"name": "cdn-b", "url": "http://b.example.com"}]
RULES = [
    {"name": "off", "when": {"paths": ["/off/"]}, "steering": {"enabled": False}},
    {"name": "soon", "when": {"paths": ["/soon/"]}, "steering": {"ttl": 30}},
]


@pytest.fixture
def steered(fresh):
    catalog = fresh.api.get("/api/v1/catalog").json()
    catalog |= {"cdns": CDNS, "rules": RULES, "steering": {"enabled": True}}
    fresh.api.done("PUT", "/api/v1/catalog", catalog)
    return fresh


def test_explain_tells_a_steered_player_what_the_wire_does(steered):
    for target in (
        "/steering/hls/s1/film/a?session=7", "/steering/dash/s1/film/a?session=10&avoid=cdn-a", "/steering/hls/s2/soon/a",
        "/steering/hls/s1/film/a?session=x&_HLS_pathway=%22cdn-b%22",
    ):
        told = steered.api.post("/api/v1/explain", json={"video": target, "client": "127.0.0.1"}).json()
        wire = steered.player.get(target).json()
        assert told["steering"]["pathways"] == wire["PATHWAY-PRIORITY"] and told["location"] is None
        # A second may pass in between.
        assert abs(told["steering"]["ttl"] - wire["TTL"]) <= 1
        if "soon" in target:
            assert 26 <= wire["TTL"] <= 36 and {"about": "rule", "text": '"soon" is the first that matches'} in told["steps"]
    refused = steered.api.post("/api/v1/explain", json={"video": "/steering/hls/s1/off/a?session=7"}).json()
    assert refused["steering"] is None and refused["refusal"]["reason"] == "unknown-server"
    assert steered.player.get("/steering/hls/s1/off/a?session=7").status_code == 404
    redirect = steered.api.post("/api/v1/explain", json={"video": "/s1/film/a"}).json()
    assert redirect["steering"] is None and redirect["location"]


def test_status_counts_what_steered_players_were_told_and_why_they_move(steered):
    assert sum(entry["answers"] for entry in steered.api.get("/api/v1/status").json()["steering"]["answers"]) == 0
    first = [steered.player.get(f"/steering/hls/s1/a?session={session}").json()["PATHWAY-PRIORITY"][0] for session in range(1, 31)]
    other = {"cdn-a": "cdn-b", "cdn-b": "cdn-a"}[first[0]]
    steered.player.get(f"/steering/hls/s1/a?session=1&_HLS_pathway={other}")
    steered.player.get(f"/steering/hls/s1/a?session=1&_HLS_pathway={first[0]}&avoid={first[0]}")
    steering = steered.api.get("/api/v1/status").json()["steering"]
    counts = {entry["cdn"] or entry["target"]: entry["answers"] for entry in steering["answers"]}
    first += [first[0], other]
    assert counts == {name: first.count(name) for name in ("origin", "cdn-a", "cdn-b")}
    assert steering["moves"] == {"down": 0, "drained": 0, "avoided": 1, "place": 1}
    steered.api.done("PATCH", "/api/v1/cdns/cdn-a", {"enabled": False})
    steered.player.get("/steering/hls/s1/a?session=2&_HLS_pathway=cdn-a")
    assert steered.api.get("/api/v1/status").json()["steering"]["moves"]["drained"] == 1


def test_without_steering_the_status_says_so(fresh):
    assert fresh.api.get("/api/v1/status").json()["steering"] is None


def test_failover_passive_is_changed_alone_and_left_out_while_it_is_false(fresh):
    assert "passive" not in fresh.api.get("/api/v1/failover").json()
    assert fresh.api.done("PATCH", "/api/v1/failover", {"passive": True}).json()["passive"] is True
    assert "passive" not in fresh.api.done("PATCH", "/api/v1/failover", {"passive": None}).json()
