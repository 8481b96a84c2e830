"""The dashboard in a real browser: what it shows is what the API says, and what it does is what the wire does."""

import datetime
import json
import re
import sqlite3
import threading
import time

import httpx
import pytest
from playwright.sync_api import expect

from balancer import VIDEO, Balancer, patiently
from client import API, Player, connect
from contract import CONTROL
from look import contrast_faults, nameless_controls, too_wide, walk_by_tab

CDNS = [
    {"name": "cdn-a", "url": "http://a.cdn.example.com", "weight": 75},
    {"name": "cdn-b", "url": "https://b.cdn.example.net/films", "weight": 25},
]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A balancer with two CDNs and a key of each role; tests that write put the catalog back."""
    with Balancer(tmp_path_factory.mktemp("dashboard")) as balancer:
        with API(balancer.admin, balancer.token) as api, Player(balancer.listen) as player:
            balancer.api, balancer.player = api, player
            catalog = api.get("/api/v1/catalog").json() | {"cdns": CDNS}
            balancer.catalog = api.done("PUT", "/api/v1/catalog", catalog, comment="two CDNs").json()
            balancer.tokens = {
                role: api.post("/api/v1/keys", json={"name": f"{role}-key", "role": role}).json()["token"]
                for role in ("viewer", "operator")}
            yield balancer


@pytest.fixture
def board(shared, page):
    """The shared balancer's dashboard, logged in as an operator."""
    log_in(page, shared, shared.tokens["operator"])
    yield page
    if shared.api.get("/api/v1/catalog").json() != shared.catalog:
        shared.api.done("PUT", "/api/v1/catalog", shared.catalog, comment="as it was")


def log_in(page, balancer, token):
    if page.url == "about:blank":
        assert page.goto(f"http://{balancer.admin}/").headers["content-security-policy"] == POLICY
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#targets tbody tr").first).to_be_visible()
    expect(page.locator("#revisions li").first).to_be_visible()


def edit(page):
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_role("button", name="Save")).to_be_visible()


def cdn(page, name):
    return page.get_by_role("group", name=name, exact=True)


def cells(page):
    """The table as it is shown: by target, the texts of its cells by label."""
    return page.evaluate("""
        Object.fromEntries([...document.querySelectorAll("#targets tbody tr")].map((row) => [row.dataset.target,
            Object.fromEntries([...row.querySelectorAll("td")].map((cell) => [cell.dataset.label, cell.textContent]))]))""")


def ask_many(player, requests):
    """The hosts that so many redirects went to."""
    hosts = [httpx.URL(player.ask(VIDEO).headers["location"]).host for _ in range(requests)]
    return {host: hosts.count(host) for host in set(hosts)}


# What is shown


def test_the_numbers_on_the_page_are_those_of_the_api(shared, board):
    for _ in range(10):
        ask_many(shared.player, 20)
        assert shared.player.ask("http://elsewhere/x").status_code == 403
    status = shared.api.get("/api/v1/status").json()
    assert sum(entry["requests"] for entry in status["answered"]) >= 210

    def shown():
        table = cells(board)
        for entry in status["answered"]:
            row = table.get(f"{entry['target']}/{entry['cdn']}", {})
            if row and row["Since start"] != f"{entry['requests']:,}":
                return None
        return table

    table = patiently(shown, seconds=20, pause=0.1)
    assert table, f"{cells(board)} is not {status['answered']}"
    assert set(table) == {"origin/", "cdn/cdn-a", "cdn/cdn-b", "none/"}
    wanted = {key: row["Wanted"] for key, row in table.items()}
    assert wanted == {"origin/": "10.0 %", "cdn/cdn-a": "67.5 %", "cdn/cdn-b": "22.5 %", "none/": ""}
    # Exact over whole rings, and less than two requests off in between.
    for key, share in {"origin/": 10, "cdn/cdn-a": 67.5, "cdn/cdn-b": 22.5}.items():
        assert abs(float(table[key]["Now"].removesuffix(" %")) - share) <= 2, table
    assert [table["cdn/cdn-a"]["Weight"], table["cdn/cdn-b"]["Weight"], table["origin/"]["N"]] == ["75", "25", "N = 10"]
    expect(board.locator("#revision")).to_have_text(f"revision {status['revision']}")
    expect(board.locator("#state")).to_have_text(status["state"])
    expect(board.locator("#fleet tbody th")).to_have_text([f"{status['node']['name']} (this)"])
    newest = shared.api.get("/api/v1/revisions?limit=10").json()["revisions"]
    expect(board.locator("#revisions .comment")).to_have_text([revision["comment"] for revision in newest])
    # The live chart has the same peak as the table had rates.
    expect(board.locator("#now-chart polygon")).to_have_count(4)


def test_a_cdn_whose_links_cannot_be_signed_is_an_alarm(shared, board):
    # Regression: it had no traffic, and nothing on the page said why.
    sign = {"sign": {"scheme": "bunny", "key": "bunny-key"}}
    shared.api.done("PUT", "/api/v1/catalog", shared.catalog | {"cdns": [CDNS[0], CDNS[1] | sign]})
    expect(board.locator("#alarms")).to_contain_text("Links to cdn-b cannot be signed on this node, nothing goes there: ")
    expect(board.locator("#alarms")).to_contain_text("--signing-keys")
    # Regression: the cell of a CDN without a probe was empty.
    expect(board.locator("#targets td.health").get_by_text("not probed")).to_have_count(2)


def test_steered_players_are_shown_by_their_first_pathway_and_why_they_move(shared, board):
    expect(board.locator("#steering")).to_be_hidden()
    shared.api.done("PUT", "/api/v1/catalog", shared.catalog | {"steering": {"enabled": True}})
    expect(board.locator("#steering")).to_be_visible()
    expect(board.locator("#steering-moves")).to_have_text("Nobody moves.")
    for session in range(1, 21):
        answer = shared.player.get(f"/steering/hls/s1/a?session={session}").json()
        shared.player.get(f"/steering/hls/s1/a?session={session}&avoid=cdn-a&_HLS_pathway=cdn-a")
        assert answer["PATHWAY-PRIORITY"]
    rows = board.locator("#steering tbody tr")
    expect(rows.locator("th")).to_have_text(["Origin", "cdn-a", "cdn-b"])
    expect(rows.nth(0).locator("td").nth(1)).to_have_text("10.0 %")
    # In a narrow window there are no headings.
    assert rows.nth(0).locator("td").evaluate_all("cells => cells.map((cell) => cell.dataset.label)") == ["Answers/s", "Share"]
    expect(board.locator("#steering-moves")).to_contain_text("because they asked to avoid it")
    board.get_by_label("Video").fill("/steering/hls/s1/a?session=10")
    board.get_by_role("button", name="Explain").click()
    expect(board.locator("#answer .outcome")).to_contain_text("origin, cdn-")


def test_the_history_on_the_page_is_that_of_the_api(begin, page):
    balancer = begin()
    minute = int(time.time()) // 60 * 60
    rows = [
        (60, minute - 60 * ago, "e" * 32, "b" * 32, target, name, "s1", 301, requests)
        for ago in (1, 2, 30) for target, name, requests in (("origin", "", 600 * ago), ("cdn", "cdn.example.com", 6000 * ago))]
    with sqlite3.connect(f"{balancer.folder}/balancer.db") as database:
        database.executemany("INSERT INTO balancer_traffic VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    log_in(page, balancer, balancer.token)
    slider = page.get_by_label("Moment of the history")
    expect(page.locator("#past-chart polygon")).to_have_count(2)
    with API(balancer.admin, balancer.token) as api:
        sums = api.get("/api/v1/traffic?by=minute,cdn").json()["sums"]
    for ago in (1, 2, 30):
        when = datetime.datetime.fromtimestamp(minute - 60 * ago, datetime.timezone.utc)
        expected = {
            entry["cdn"] or "Origin": entry["requests"] / 60 for entry in sums if entry["minute"] == when.strftime("%Y-%m-%dT%H:%M:%SZ")}
        slider.focus()
        slider.press("End")
        for _ in range(int(slider.get_attribute("max"))):
            if page.locator("#past-chart .moment").inner_text() == when.strftime("%H:%M"):
                break
            slider.press("ArrowLeft")
        legend = dict(zip(
            page.locator("#past-chart .legend li").evaluate_all("list => list.map(item => item.childNodes[1].textContent)"),
            page.locator("#past-chart .legend b").all_inner_texts()))
        assert {name: float(text.replace(",", "")) for name, text in legend.items()} == expected
    page.get_by_label("2 d").check()
    expect(page.locator("#past-chart .moment")).to_contain_text("-")


def test_names_and_comments_are_text_whatever_they_hold(shared, board):
    trick = '<img src="x" onerror="document.title=1"><script>document.title=2</script>'
    shared.api.done("PATCH", "/api/v1/cdns/cdn-b", {"weight": 30}, comment=trick)
    expect(board.locator("#revisions .comment").first).to_have_text(trick)
    assert board.locator("#revisions img, #revisions script").count() == 0


def test_a_request_is_explained_as_by_the_api(shared, board):
    board.get_by_label("Video").fill(VIDEO)
    board.get_by_role("button", name="Explain").click()
    answer = shared.api.post("/api/v1/explain", json={"video": VIDEO}).json()
    expect(board.locator("#answer .outcome")).to_have_text(answer["location"])
    expect(board.locator("#answer .steps li")).to_have_text([f"{step['about']} {step['text']}" for step in answer["steps"]])
    board.refusals.add(422)
    board.get_by_label("Client’s IP").fill("1.2.3")
    board.get_by_label("Client’s IP").press("Enter")
    expect(board.get_by_label("Client’s IP")).to_have_accessible_description("must be an IPv4 or IPv6 address")
    expect(board.get_by_label("Client’s IP")).to_be_focused()


# What is changed


def test_a_weight_edited_on_the_page_changes_the_wire_within_a_second(shared, board):
    assert ask_many(shared.player, 40)["b.cdn.example.net"] == pytest.approx(9, abs=2)
    edit(board)
    cdn(board, "cdn-a").get_by_label("Weight").fill("0")
    board.get_by_label("Why").fill("a is slow & costs too much")
    with board.expect_response("**/api/v1/catalog?comment=*") as saved:
        board.get_by_role("button", name="Save").click()
    answered = time.monotonic()
    assert saved.value.status == 200
    hosts = ask_many(shared.player, 40)
    assert time.monotonic() - answered < 1 and hosts == {"b.cdn.example.net": 36, "s1.origin-cluster": 4}
    newest = shared.api.get("/api/v1/revisions?limit=1").json()["revisions"][0]
    assert (newest["author"], newest["comment"]) == ("operator-key", "a is slow & costs too much")
    assert newest["changes"] == [{"pointer": "/cdns/cdn-a/weight", "from": 75, "to": 0}]
    expect(board.locator('tr[data-target="cdn/cdn-b"] td[data-label="Wanted"]')).to_have_text("90.0 %")
    expect(board.locator("#revisions li").first).to_contain_text("a is slow & costs too much")


def test_n_a_new_cdn_and_one_less_are_one_revision(shared, board):
    edit(board)
    board.get_by_label("every N-th").fill("4")
    board.get_by_role("button", name="Remove cdn-b").click()
    board.get_by_role("button", name="Add a CDN").click()
    new = cdn(board, "new CDN")
    expect(new.get_by_label("Name")).to_be_focused()
    new.get_by_label("Name").fill("cdn-c")
    new.get_by_label("URL").fill("http://c.example.org")
    new.get_by_label("Weight").fill("75")
    before = shared.api.revision()
    board.get_by_role("button", name="Preview").click()
    expect(board.locator("#editor .changes li")).to_have_count(3)
    assert shared.api.revision() == before
    board.get_by_role("button", name="Save").click()
    expect(board.locator("#message")).to_contain_text(f"Saved as revision {before + 1}")
    catalog = shared.api.get("/api/v1/catalog").json()
    assert [entry["name"] for entry in catalog["cdns"]] == ["cdn-a", "cdn-c"] and catalog["origin"]["every"] == 4
    expect(board.locator("#targets tbody .name")).to_have_text(["Origin", "cdn-a", "cdn-c", "Refused"])


def test_a_fault_stands_at_its_field_and_nothing_typed_is_lost(shared, board):
    before = shared.api.etag()
    board.refusals.add(422)
    edit(board)
    board.get_by_role("button", name="Remove cdn-a").click()
    cdn(board, "cdn-b").get_by_label("Weight").fill("-5")
    cdn(board, "cdn-b").get_by_label("URL").fill("ftp://x")
    board.get_by_label("every N-th").fill("often")
    board.get_by_role("button", name="Save").click()
    expect(cdn(board, "cdn-b").get_by_label("Weight")).to_have_accessible_description("must be a whole number from 0 to 1000, is -5")
    expect(cdn(board, "cdn-b").get_by_label("URL")).to_have_accessible_description(re.compile("must "))
    expect(board.get_by_label("every N-th")).to_have_accessible_description(re.compile("must be a whole number"))
    expect(cdn(board, "cdn-a").get_by_label("Weight")).to_have_accessible_description("")
    assert board.get_by_label("every N-th").input_value() == "often" and shared.api.etag() == before
    board.get_by_role("button", name="Cancel").click()
    expect(board.get_by_role("button", name="Edit")).to_be_focused()


def test_a_stale_edit_shows_the_conflict_and_loses_nothing_typed(shared, board):
    board.refusals.add(412)
    edit(board)
    cdn(board, "cdn-a").get_by_label("Weight").fill("60")
    board.get_by_label("Why").fill("my reason")
    shared.api.done("PATCH", "/api/v1/cdns/cdn-b", {"weight": 40}, comment="somebody else’s")
    number = shared.api.revision()
    board.get_by_role("button", name="Save").click()
    conflict = board.locator(".conflict")
    expect(conflict).to_contain_text(f"r{number} by environment: somebody else’s")
    expect(conflict.locator(".changes li")).to_have_text(["/cdns/cdn-b/weight 25 → 40"])
    expect(cdn(board, "cdn-a").get_by_label("Weight")).to_have_value("60")
    expect(board.get_by_label("Why")).to_have_value("my reason")
    assert shared.api.revision() == number
    board.get_by_role("button", name=f"Keep mine on top of r{number}").click()
    expect(cdn(board, "cdn-a").get_by_label("Weight")).to_have_value("60")
    expect(cdn(board, "cdn-b").get_by_label("Weight")).to_have_value("40")
    expect(board.get_by_label("Why")).to_have_value("my reason")
    board.get_by_role("button", name="Save").click()
    expect(board.locator("#message")).to_contain_text(f"revision {number + 1}")
    assert [entry["weight"] for entry in shared.api.get("/api/v1/cdns").json()] == [60, 40]


def test_an_older_revision_is_restored_after_its_difference_was_seen(shared, board):
    good = shared.api.revision()
    shared.api.done("PATCH", "/api/v1/origin", {"every": 3}, comment="a mistake")
    expect(board.locator("#revisions li").first).to_contain_text("a mistake")
    board.get_by_role("button", name=f"Restore revision {good}").click()
    dialog = board.get_by_role("dialog")
    expect(dialog.locator(".changes li")).to_have_text(["/origin/every 3 → 10"])
    dialog.get_by_label("Why").fill("back")
    dialog.get_by_role("button", name="Restore").click()
    expect(dialog).not_to_be_visible()
    expect(board.locator("#revisions li").first).to_contain_text("back")
    assert shared.api.get("/api/v1/origin").json()["every"] == 10


# Who may


def test_login_gives_a_cookie_that_is_no_token_and_logout_ends_it(shared, page):
    page.refusals.add(401)
    page.goto(f"http://{shared.admin}/")
    page.get_by_label("Token").fill("wrong")
    page.get_by_label("Token").press("Enter")
    expect(page.get_by_role("alert").filter(has_text="not known")).to_be_visible()
    expect(page.get_by_label("Token")).to_be_focused()
    log_in(page, shared, shared.tokens["operator"])
    expect(page.locator("#who")).to_have_text("operator-key (operator)")
    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert cookie["name"] == f"balancer-{shared.admin.rsplit(':')[-1]}" and cookie["value"] not in shared.tokens.values()
    assert page.evaluate("document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)") == "{}{}"
    # Reloading needs no token; logging out ends the session for whoever has the cookie.
    page.reload()
    expect(page.locator("#who")).to_have_text("operator-key (operator)")
    held = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    assert httpx.get(f"http://{shared.admin}/api/v1/status", headers=held).status_code == 200
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    assert page.context.cookies() == []
    assert httpx.get(f"http://{shared.admin}/api/v1/status", headers=held).status_code == 401


def test_a_viewer_sees_no_controls_of_editing_and_the_api_refuses(shared, page):
    page.refusals.add(403)
    log_in(page, shared, shared.tokens["viewer"])
    expect(page.locator("#revisions li").first).to_be_visible()
    assert page.get_by_role("button", name=re.compile("Edit|Restore|Save|Remove")).count() == 0
    before = shared.api.etag()
    status = page.evaluate("""
        (etag) => fetch("/api/v1/cdns/cdn-a", { method: "PATCH", headers: { "If-Match": etag, "Content-Type": "application/json" },
            body: '{"weight": 1}' }).then((answer) => answer.status)""", before)
    assert status == 403 and shared.api.etag() == before


def test_a_revoked_key_ends_the_session_and_what_was_typed_waits_for_the_next_login(begin, page):
    balancer = begin()
    page.refusals.add(401)
    with API(balancer.admin, balancer.token) as api:
        make = lambda: api.post("/api/v1/keys", json={"name": "alice", "role": "operator"}).json()["token"]
        log_in(page, balancer, make())
        edit(page)
        page.get_by_label("Why").fill("typed")
        assert api.delete("/api/v1/keys/alice").status_code == 204
        expect(page.get_by_label("Token")).to_be_visible()
        page.get_by_label("Token").fill(make())
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_label("Why")).to_have_value("typed")


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://{admin}.evil.example", "http://127.0.0.1", "http://localhost:{port}"])
def test_by_cookie_only_the_page_itself_may_write(shared, origin):
    port = shared.admin.rsplit(":")[-1]
    with httpx.Client(base_url=f"http://{shared.admin}", trust_env=False) as client:
        login = client.post("/dashboard/session", headers={"Authorization": f"Bearer {shared.tokens['operator']}"})
        assert login.json() == {"name": "operator-key", "role": "operator"}
        assert re.fullmatch(rf"balancer-{port}=vb_[0-9a-f]{{64}}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict", login.headers["set-cookie"])
        current = client.get("/api/v1/cdns")
        assert current.status_code == 200
        headers = {"If-Match": current.headers["etag"]}
        if origin:
            headers["Origin"] = origin.format(admin=shared.admin, port=port)
        for method, path in (("PATCH", "/api/v1/cdns/cdn-a"), ("POST", "/api/v1/explain"), ("DELETE", "/dashboard/session")):
            answer = client.request(method, path, headers=headers, json={"weight": 75, "video": VIDEO})
            assert answer.status_code == 403, f"{method} {path}: {answer.text}"
        assert client.get("/api/v1/cdns").headers["etag"] == current.headers["etag"]
        own = client.patch("/api/v1/cdns/cdn-a", headers=headers | {"Origin": f"http://{shared.admin}"}, json={"weight": 75})
        assert own.status_code == 200


# The stream


def events(address, token, count=None, **options):
    """Opens a stream; its events as they come."""
    query = f"?count={count}" if count else ""
    with httpx.stream("GET", f"http://{address}/api/v1/events{query}", headers={"Authorization": f"Bearer {token}"}, timeout=10, **options) as answer:
        assert answer.status_code == 200 and answer.headers["content-type"] == "text/event-stream"
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def test_events_are_the_status_each_second(shared):
    began = time.monotonic()
    seen = list(events(shared.admin, shared.tokens["viewer"], count=3))
    assert time.monotonic() - began >= 1.9
    assert [CONTROL.faults(event, "/components/schemas/Status") for event in seen] == [[]] * 3
    assert len({event["time"] for event in seen}) == 3
    assert shared.api.get("/api/v1/events?count=0").status_code == 400
    assert shared.api.head("/api/v1/events").status_code == 200


def test_streams_are_bounded_by_key_and_places_come_free(shared):
    # HEAD opens none.
    for _ in range(40):
        shared.api.head("/api/v1/events")
    request = f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shared.token}\r\n\r\n".encode()
    streams = [connect(shared.admin) for _ in range(8)]
    for stream in streams:
        stream.sendall(request)
        assert stream.recv(15) == b"HTTP/1.1 200 OK"
    refused = shared.api.get("/api/v1/events?count=1")
    assert refused.status_code == 503 and "8 event streams of this key" in refused.json()["detail"]
    # Another key has its own.
    assert len(list(events(shared.admin, shared.tokens["viewer"], count=1))) == 1
    for stream in streams:
        stream.close()
    assert patiently(lambda: shared.api.get("/api/v1/events?count=1").status_code == 200, seconds=5, pause=0.2)


def test_a_stream_ends_with_its_key_and_with_the_balancer(begin):
    balancer = begin()
    with API(balancer.admin, balancer.token) as api:
        token = api.post("/api/v1/keys", json={"name": "bob", "role": "viewer"}).json()["token"]
        stream = events(balancer.admin, token)
        next(stream)
        assert api.delete("/api/v1/keys/bob").status_code == 204
        began = time.monotonic()
        assert len(list(stream)) <= 1 and time.monotonic() - began < 3
        seen = []
        ended = threading.Event()
        reader = threading.Thread(target=lambda: (seen.extend(events(balancer.admin, balancer.token)), ended.set()))
        reader.start()
        assert patiently(lambda: api.get("/api/v1/status").is_success)
        time.sleep(0.3)
    balancer.stop()
    assert ended.wait(3), "the stream outlived the balancer"
    reader.join()
    assert seen


# How it is to use


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 360)])
def test_everything_has_a_name_enough_contrast_and_its_turn_by_tab(shared, page, scheme, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"http://{shared.admin}/")
    expect(page.get_by_label("Token")).to_be_focused()

    def check(what):
        assert nameless_controls(page) == [], what
        assert contrast_faults(page) == [], what
        assert too_wide(page) == [], what
        walk_by_tab(page, what)

    check("login")
    log_in(page, shared, shared.tokens["operator"])
    ask_many(shared.player, 20)
    page.get_by_label("Video").fill(VIDEO)
    page.get_by_role("button", name="Explain").press("Enter")
    expect(page.locator("#answer .steps")).to_be_visible()
    page.locator("summary").first.press("Enter")
    check("board")
    page.refusals.add(422)
    edit(page)
    cdn(page, "cdn-a").get_by_label("Weight").fill("x")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.locator(".fault").filter(has_text="whole number")).to_be_visible()
    check("editor")
