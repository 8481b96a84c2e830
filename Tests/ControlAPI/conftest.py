import contextlib

import pytest

from balancer import BINARY, SOAK, Balancer, patiently
from client import API, Player


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
