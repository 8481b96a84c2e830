"""A player's page in a real browser, on another origin than the balancer and the CDN: what it may send, and what it may read and measure."""

import contextlib
import http.server
import threading

import pytest

VIDEO = "http://s1.origin-cluster/film/a.mp4"
FILM = bytes(range(256)) * 8
# What players send: a token, a part of the file, and CTA-5004's headers, none of which a page may send unasked.
SENT = {
    "Authorization": "Bearer token", "Range": "bytes=0-99", "CMCD-Request": "mtp=48100,su", "CMCD-Object": "br=3200,d=4004,ot=v",
    "CMCD-Status": "bs", "CMCD-Session": 'sid="6e2fb550-c457-11e9-bb97-0800200c9a66"',
}
FETCH = """
async ([url, options]) => {
    try {
        const response = await fetch(url, options);
        const body = await response.arrayBuffer();
        return { status: response.status, length: body.byteLength, date: response.headers.get("Date"), url: response.url,
                 text: response.status >= 400 ? new TextDecoder().decode(body) : "" };
    } catch (error) {
        return { error: String(error) };
    }
}
"""
TIMING = """
(url) => {
    const [entry] = performance.getEntriesByName(url);
    const { redirectStart, redirectEnd, requestStart, responseStart, responseEnd, transferSize, responseStatus } = entry;
    return { redirectStart, redirectEnd, requestStart, responseStart, responseEnd, transferSize, responseStatus };
}
"""


class CDN(http.server.BaseHTTPRequestHandler):
    """Allows every page everything, as docs/http.md asks of a CDN; keeps what it is asked."""

    def do_OPTIONS(self):
        self.answer(204)

    def do_GET(self):
        self.server.asked.append(self.headers)
        ranged = "Range" in self.headers
        self.answer(206 if ranged else 200, FILM[:100] if ranged else FILM, ranged)

    def answer(self, status, body=b"", ranged=False):
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
        self.send_header("Access-Control-Allow-Credentials", "true")
        self.send_header("Access-Control-Allow-Headers", self.headers.get("Access-Control-Request-Headers", "*"))
        self.send_header("Timing-Allow-Origin", "*")
        if ranged:
            self.send_header("Content-Range", f"bytes 0-99/{len(FILM)}")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Page(CDN):
    def do_GET(self):
        body = b"<!doctype html><link rel=icon href=data:,><title>player</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def served(handler):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cdn():
    with served(CDN) as server:
        yield server


@pytest.fixture
def origin():
    """Where the page comes from: another host, by name, than the balancer's address."""
    with served(Page) as server:
        yield f"http://localhost:{server.server_port}"


def start(begin, cdn, *flags):
    return begin(*flags, CDN_HOST=f"http://127.0.0.1:{cdn.server_port}", ORIGIN_EVERY="0")


def link(balancer, more=""):
    return f"http://{balancer.listen}/?video={VIDEO}{more}"


@pytest.mark.parametrize("credentials", ["omit", "include"])
def test_a_player_on_another_origin_sends_what_players_send(page, begin, cdn, origin, credentials):
    balancer = start(begin, cdn, "--cors-credentials-origins", f"https://player.example.com,{origin}")
    page.context.add_cookies([{"name": "viewer", "value": "7", "url": f"http://{balancer.listen}"}])
    page.goto(origin)
    answer = page.evaluate(FETCH, [link(balancer), {"headers": SENT, "credentials": credentials}])
    assert answer.get("status") == 206 and answer["length"] == 100, answer
    assert answer["url"].startswith(f"http://127.0.0.1:{cdn.server_port}/s1/film/a.mp4")
    [asked] = cdn.asked
    for name in ("Range", "CMCD-Request", "CMCD-Object", "CMCD-Status", "CMCD-Session"):
        assert asked[name] == SENT[name]
    # After a redirect from one foreign host to another the browser says no more of the page, and the token was for the first (Fetch standard).
    assert asked["Origin"] == "null" and "Authorization" not in asked


def test_a_page_that_is_not_named_reads_answers_without_credentials_only(browser, begin, cdn, origin):
    balancer = start(begin, cdn, "--cors-credentials-origins", "https://player.example.com")
    # Not the fixture: the browser complains, as it should.
    with contextlib.closing(browser.new_page()) as page:
        page.goto(origin)
        assert page.evaluate(FETCH, [link(balancer), {"headers": SENT, "credentials": "include"}]) == {"error": "TypeError: Failed to fetch"}
        assert cdn.asked == []
        assert page.evaluate(FETCH, [link(balancer), {"headers": SENT}])["status"] == 206


def test_a_page_measures_the_redirect_as_a_part_of_its_request(page, begin, cdn, origin):
    balancer = start(begin, cdn)
    page.goto(origin)
    assert page.evaluate(FETCH, [link(balancer), {"headers": SENT}])["status"] == 206
    seen = page.evaluate(TIMING, link(balancer))
    # Zero is what a browser shows of an answer that does not allow it, of the first on the way as of the last.
    assert 0 < seen["redirectStart"] < seen["redirectEnd"] <= seen["requestStart"] <= seen["responseStart"] <= seen["responseEnd"]
    assert seen["transferSize"] > 100 and seen["responseStatus"] == 206


def test_a_page_reads_why_it_was_refused_and_when(page, begin, cdn, origin):
    balancer = start(begin, cdn)
    page.refusals = {403}
    page.goto(origin)
    answer = page.evaluate(FETCH, [f"http://{balancer.listen}/?video=http://elsewhere/x", {"headers": SENT}])
    assert answer["status"] == 403 and '"reason":"unknown-host"' in answer["text"] and answer["date"].endswith(" GMT")
    assert page.evaluate(TIMING, f"http://{balancer.listen}/?video=http://elsewhere/x")["responseStatus"] == 403


def test_a_page_asks_with_a_json_body(page, begin, cdn, origin):
    """A preflight comes first: a form may not send this type."""
    balancer = start(begin, cdn)
    page.goto(origin)
    options = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": f'{{"video": "{VIDEO}"}}'}
    answer = page.evaluate(FETCH, [f"http://{balancer.listen}/origin", options])
    assert answer.get("status") == 200 and answer["length"] == len(FILM), answer
