import contextlib
import os
import pathlib

import pytest
from playwright.sync_api import expect, sync_playwright

from balancer import BINARY, SOAK, Balancer, patiently
from client import API, Player

CHROMIUM = pathlib.Path("/usr/bin/chromium")
# Tells of what the page's policy blocked; the browser's own message alone has no details.
WATCH = """
    window.blocked = [];
    document.addEventListener("securitypolicyviolation", (event) => window.blocked.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


def pytest_configure():
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} is missing: make build, or set BALANCER_BINARY")


def pytest_collection_modifyitems(items):
    if SOAK:
        for item in items:
            item.add_marker(pytest.mark.timeout(4 * 3600))


@pytest.fixture(scope="session")
def balancer(tmp_path_factory):
    """One balancer for all tests that leave it as it is. It must live to the end, and stop as it should."""
    balancer = Balancer(tmp_path_factory.mktemp("shared")).start()
    yield balancer
    assert balancer.process.poll() is None, f"the balancer died:\n{balancer.log.read_text()[-4000:]}"
    balancer.stop()


@pytest.fixture(scope="session")
def api(balancer):
    with API(balancer.admin, balancer.token) as api:
        yield api


@pytest.fixture(scope="session")
def tokens(balancer):
    """A token of each role, valid on the running balancer."""
    tokens = {role: balancer.key(f"the-{role}", role) for role in ("viewer", "operator", "admin")}
    for token in tokens.values():
        with API(balancer.admin, token) as api:
            # "A key is valid within a second"; the machine may be busy.
            assert patiently(lambda: api.get("/api/v1/status").is_success, seconds=5, pause=0.1), "a new key is not accepted"
    return tokens


@pytest.fixture
def begin(tmp_path_factory):
    """Starts balancers of the test's own; they must be alive at its end unless it stopped them."""
    with contextlib.ExitStack() as stack:
        def begin(*flags, **environment):
            balancer = Balancer(tmp_path_factory.mktemp("own"), *flags, **environment)
            stack.callback(balancer.stop)
            return balancer.start()

        yield begin


@pytest.fixture
def fresh(begin):
    """A balancer that nobody has changed yet, and its clients."""
    balancer = begin()
    with API(balancer.admin, balancer.token) as api, Player(balancer.listen) as player:
        balancer.api, balancer.player = api, player
        yield balancer
        assert balancer.process.poll() is None, f"the balancer died:\n{balancer.log.read_text()[-4000:]}"


@pytest.fixture(scope="module", params=["plain", "TLS", "plain, slow path", "TLS, slow path"])
def way(request, tmp_path_factory):
    """Where to connect, and whether by TLS."""
    secure = request.param.startswith("TLS")
    flags = ["--fast-path", "off"] if "slow" in request.param else []
    with Balancer(
            tmp_path_factory.mktemp("http2"), "--http2", "any", "--workers", "1", "--listen-tls", "127.0.0.1:0", "--tls-certificate",
            "self-signed", *flags, ORIGIN_EVERY="0") as balancer:
        balancer.secure = balancer.logged("serving redirects by HTTPS", "listen")
        balancer.way = (balancer.secure if secure else balancer.listen, secure)
        yield balancer


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, headless."""
    assert CHROMIUM.exists(), "Chromium is missing: scripts/setup test"
    # The machine may be busy; what is waited for comes, or the test fails anyway.
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        # Chromium's sandbox refuses to run as root.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A page whose every complaint fails the test, but for answers with a status in `page.refusals`."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.refusals = set()
    complaints = []

    def hear(message):
        # The browser says so of every answer that is no success, whatever the page does about it.
        is_refusal = any(f"responded with a status of {status} " in message.text for status in page.refusals)
        if message.type in ("error", "warning") and not is_refusal:
            complaints.append(message.text)

    def miss(request):
        # A stream that the page itself closed.
        if not (request.url.endswith("/api/v1/events") and request.failure == "net::ERR_ABORTED"):
            complaints.append(f"{request.url}: {request.failure}")

    page.add_init_script(WATCH)
    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", miss)
    yield page
    blocked = page.evaluate("window.blocked")
    context.close()
    assert complaints == [] and blocked == []
