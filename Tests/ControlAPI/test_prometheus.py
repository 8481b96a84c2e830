"""Metrics, alert rules and the dashboard's queries, by a real Prometheus that scrapes a real balancer."""

import contextlib
import json
import re
import subprocess

import httpx
import pytest

from balancer import ROOT, Balancer, free_port, patiently
from client import API

ALERTS = ROOT / "deploy/prometheus/alerts.yml"
DASHBOARD = ROOT / "deploy/grafana/video-balancer.json"
NAME = re.compile(r"\b(?:balancer|process)_[a-z_]+")


def make_tls(folder):
    """A certificate with an OCSP response beside it, and keys of tickets; the flags that name them."""
    script = """
        kind="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        openssl req -x509 $kind -days 30 -subj /CN=authority -keyout ca.key -out ca.pem
        openssl req $kind -subj /CN=leaf -keyout leaf.key -out leaf.csr
        printf 'subjectAltName=DNS:balancer.example.com' > names
        openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial 4711 -days 29 -extfile names -out leaf.pem
        printf 'V\t351231235959Z\t\t1267\tunknown\t/CN=leaf\n' > index.txt
        openssl ocsp -issuer ca.pem -cert leaf.pem -no_nonce -reqout request
        openssl ocsp -index index.txt -rsigner ca.pem -rkey ca.key -CA ca.pem -reqin request -ndays 7 -respout leaf.ocsp
        openssl rand -hex 32 > ticket.keys
    """
    subprocess.run(["sh", "-ec", script], cwd=folder, check=True, capture_output=True)
    return ["--listen-tls", "127.0.0.1:0", "--tls-certificate", "leaf.pem", "--tls-key", "leaf.key", "--tls-ticket-keys", "ticket.keys"]


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """A balancer under some traffic, one of whose CDNs is dead; and a function that asks the Prometheus that scrapes it."""
    folder = tmp_path_factory.mktemp("prometheus")
    tls = make_tls(folder)
    with Balancer(folder, "--access-log", "access.log", *tls) as balancer, API(balancer.admin, balancer.token) as api:
        probe = {"type": "tcp", "interval": 1, "timeout": 1, "fall": 1, "rise": 1}
        dead = free_port()
        catalog = api.get("/api/v1/catalog").json()
        catalog["cdns"] = [
            {"name": "alive", "url": f"http://{balancer.listen}", "probe": probe},
            {"name": "dead", "url": f"http://127.0.0.1:{dead}", "probe": probe},
            # Its certificate is seen, and refused: it gets nothing.
            {"name": "secure", "url": f"https://{balancer.logged('serving redirects by HTTPS', 'listen')}", "weight": 0,
             "probe": {"path": "/livez", "interval": 1}},
            {"name": "unsigned", "url": f"http://127.0.0.1:{dead}", "sign": {"scheme": "akamai", "key": "absent"}},
        ]
        catalog["failover"]["passive"] = True
        catalog |= {"steering": {"enabled": True}, "delivery": "playlist"}
        api.done("PUT", "/api/v1/catalog", catalog)
        config = (ROOT / "deploy/prometheus/prometheus.yml").read_text()
        config = config.replace("127.0.0.1:8001", balancer.admin).replace("15s", "500ms").replace("alerts.yml", str(ALERTS))
        (folder / "prometheus.yml").write_text(config)
        port = free_port()
        with (folder / "prometheus.log").open("wb") as output:
            prometheus = subprocess.Popen(
                ["prometheus", "--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.path=data"],
                cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        try:
            def query(expression):
                answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/query", params={"query": expression}, timeout=10).json()
                assert answer["status"] == "success", f"{expression}: {answer}"
                return answer["data"]["result"]

            def scrapes():
                with contextlib.suppress(httpx.HTTPError, ValueError, KeyError, IndexError):
                    return int(query("count_over_time(balancer_catalog_revision[1m])")[0]["value"][1]) >= 6

            load = subprocess.Popen(["wrk", "-t1", "-c2", "-d60s", f"http://{balancer.listen}/s1/x"], stdout=subprocess.DEVNULL)
            httpx.get(f"http://{balancer.listen}/nowhere/at/all")
            # Nobody has it.
            httpx.get(f"http://{balancer.listen}/s1/x.m3u8")
            # A hand-over: a body is read by the slow path.
            httpx.post(f"http://{balancer.listen}/origin", content=b'{"video": "http://s1.origin-cluster/x"}')
            try:
                assert patiently(scrapes, seconds=30), (folder / "prometheus.log").read_text()[-2000:]
                yield balancer, query
            finally:
                load.kill()
                load.wait()
        finally:
            prometheus.terminate()
            prometheus.wait(timeout=30)


def test_the_exposition_passes_promtool(scraped):
    balancer, _ = scraped
    text = httpx.get(f"http://{balancer.admin}/metrics").text
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert checked.returncode == 0 and not checked.stderr, checked.stderr
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP ")}
    written = set(re.findall(r"^\| `([a-z0-9_]+)` \|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE))
    assert told == written, f"docs/metrics.md and the exposition differ by {told ^ written}"


def test_alert_rules_and_configuration_pass_promtool(tmp_path):
    for words in (["check", "rules", ALERTS], ["check", "config", ALERTS.parent / "prometheus.yml"]):
        checked = subprocess.run(["promtool", *words], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_alert_asks_for_metrics_that_are_there(scraped):
    _, query = scraped
    expressions = re.findall(r"expr: (?:\|\n\s+)?((?:.|\n)+?)\n\s+for:", ALERTS.read_text())
    assert len(expressions) > 8
    for expression in expressions:
        query(expression)
        for name in NAME.findall(expression):
            assert query(name), f"{name} of {expression!r} is not scraped"


def test_the_alert_for_a_dead_cdn_is_pending_and_that_for_the_living_is_not(scraped):
    _, query = scraped
    assert patiently(lambda: query('ALERTS{alertname="BalancerCDNDown", name="dead"}'), seconds=20, pause=0.5)
    assert not query('ALERTS{alertname="BalancerCDNDown", name="alive"}')
    assert not query('ALERTS{alertname="BalancerDown"}')


def test_each_panel_of_the_dashboard_shows_something(scraped):
    _, query = scraped
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "10s").replace("$instance", ".*")
            assert patiently(lambda: query(expression), seconds=10, pause=0.5), f"{panel['title']}: {expression}"
