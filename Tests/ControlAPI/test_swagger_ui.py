"""Swagger UI of both ports in a real browser: Debian's Chromium, headless."""

import json

import pytest
from playwright.sync_api import expect

from balancer import ASSETS
from contract import CONTROL, DATA


@pytest.fixture(autouse=True)
def _has_swagger():
    assert (ASSETS / "swagger-ui/swagger-ui-bundle.js").exists(), "Swagger UI is missing: scripts/fetch-assets"


def open_documentation(page, address, judge):
    """Opens the page and waits until all operations are there."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    response = page.goto(f"http://{address}/docs/swagger")
    assert response.status == 200
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    expect(page.locator(".opblock")).to_have_count(len(list(judge.operations())))
    expect(page.locator("h1.title, h2.title").first).to_contain_text(judge.document["info"]["title"])
    expect(page.locator(".errors-wrapper")).to_have_count(0)
    for _, _, operation in judge.operations():
        expect(page.locator(f"#operations-{operation['tags'][0]}-{operation['operationId']}")).to_be_visible()
    # Everything comes from this very port.
    assert [url for url in asked if not url.startswith((f"http://{address}/", "data:"))] == []


def authorize(page, token):
    page.locator(".btn.authorize").first.click()
    page.locator(".modal-ux input").fill(token)
    page.locator(".modal-ux .btn.authorize").click()
    page.locator(".modal-ux .btn-done").click()


def execute(page, tag, operation, **parameters):
    """Opens an operation, tries it out with these parameters, and gives the status and the body shown."""
    block = page.locator(f"#operations-{tag}-{operation}")
    block.locator(".opblock-summary-control").click()
    block.locator(".try-out__btn").click()
    for name, value in parameters.items():
        block.locator(f'tr[data-param-name="{name.replace("_", "-")}"] input').fill(value)
    block.locator(".btn.execute").click()
    row = block.locator(".live-responses-table .response").first
    expect(row.locator(".response-col_status")).to_contain_text("200")
    return row.locator(".response-col_description pre").first.inner_text()


def test_the_control_plane_can_be_read_and_tried_out(page, fresh):
    open_documentation(page, fresh.admin, CONTROL)
    authorize(page, fresh.token)
    shown = execute(page, "Catalog", "readCatalog")
    assert json.loads(shown) == fresh.api.get("/api/v1/catalog").json()


def test_a_change_can_be_made_from_the_page(page, fresh):
    open_documentation(page, fresh.admin, CONTROL)
    authorize(page, fresh.token)
    # Path, body and comment as the page offers them or as typed; the ETag as read.
    execute(page, "CDNs", "changeCDN", If_Match=fresh.api.etag(), comment="by mouse & keyboard")
    newest = fresh.api.get("/api/v1/revisions/2").json()
    assert newest["comment"] == "by mouse & keyboard"
    assert newest["changes"] == [{"pointer": "/cdns/cdn.example.com/weight", "from": 100, "to": 50}]


def test_the_data_plane_can_be_read_and_tried_out(page, fresh):
    open_documentation(page, fresh.listen, DATA)
    assert execute(page, "Health", "readyz").strip() == "ok"
