"""The history of traffic: what may be asked, and that it adds up over a restart."""

import pytest

from balancer import VIDEO
from client import API, Player


@pytest.mark.parametrize("query", [
    "by=", "by=cdns", "by=cdn,cdn", "by=minute,hour", "by=cdn,", "from=yesterday", "to=1", "from=2026-11-23T18:00:00",
    "from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z", "from=2026-11-23T00:00:00Z&to=2026-11-23T00:00:00Z", "by=%ff", "to=%00",
    "from=99999-01-01T00:00:00Z", "from=-0001-01-01T00:00:00Z",
])
def test_a_question_that_cannot_be_read_is_refused(api, query):
    assert api.get(f"/api/v1/traffic?{query}").status_code == 400


def test_without_traffic_there_are_no_sums(fresh):
    answer = fresh.api.get("/api/v1/traffic").json()
    assert (answer["total"], answer["sums"], answer["by"]) == (0, [], ["target"])


def test_sums_add_up_whatever_they_are_kept_apart_by(begin):
    balancer = begin()
    with Player(balancer.listen) as player:
        for server in ("s1", "s2"):
            for _ in range(20):
                assert player.ask(VIDEO.replace("s1.", f"{server}.")).status_code == 301
        assert player.ask("http://elsewhere/x").status_code == 403
    balancer.stop()
    balancer.start()
    with API(balancer.admin, balancer.token) as api:
        def sums(by):
            answer = api.get(f"/api/v1/traffic?by={by}").json()
            assert answer["total"] == 41 == sum(entry["requests"] for entry in answer["sums"])
            return answer["sums"]

        assert sums("target") == [
            {"target": "cdn", "requests": 36}, {"target": "none", "requests": 1}, {"target": "origin", "requests": 4}]
        assert sums("status") == [{"status": 301, "requests": 40}, {"status": 403, "requests": 1}]
        assert [(entry["server"], entry["requests"]) for entry in sums("server,day")] == [("", 1), ("s1", 20), ("s2", 20)]
        node = api.get("/api/v1/status").json()["node"]["id"]
        assert {entry["node"] for entry in sums("minute,node,cdn")} == {node}
