"""The documents themselves: valid, served as they are, and their examples work."""

import json
import re

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import contract
from client import API, MERGE_PATCH, Player

BOTH = pytest.mark.parametrize("judge", [contract.CONTROL, contract.DATA], ids=["control", "data"])


@BOTH
def test_the_document_is_valid_openapi_3_1(judge):
    assert judge.document["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(judge.document).iter_errors()) == []


@BOTH
def test_every_reference_leads_somewhere_and_every_component_is_used(judge):
    used = set(references(judge.document))
    for reference in used:
        judge.resolve(reference.removeprefix("#"))
    unused = {
        f"#/components/{kind}/{name}"
        for kind, members in judge.document["components"].items() if kind != "securitySchemes" for name in members
    } - used
    # OpenAPI has no place for the answer to a method that a path does not have.
    assert unused <= {"#/components/responses/MethodNotAllowed"}


@BOTH
def test_every_object_schema_refuses_unknown_members(judge):
    objects = {name: schema for name, schema in judge.document["components"]["schemas"].items() if schema.get("type") == "object"}
    assert [name for name, schema in objects.items() if schema.get("additionalProperties") is not False] == []


@BOTH
def test_every_operation_has_a_summary_a_tag_and_an_id_of_its_own(judge):
    operations = [operation for _, _, operation in judge.operations()]
    assert all(operation["summary"] and operation["tags"] for operation in operations)
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    declared = {tag["name"] for tag in judge.document["tags"]}
    assert {tag for operation in operations for tag in operation["tags"]} == declared


@BOTH
def test_every_example_fits_its_schema(judge):
    faults = []
    for pointer, example in examples(judge, judge.document, ""):
        faults += [f"{pointer}: {fault}" for fault in judge.faults(example, pointer)]
    assert faults == []


def test_every_operation_of_the_api_needs_a_token_and_says_so():
    for method, path, operation in contract.CONTROL.operations():
        needs_token = path.startswith("/api/")
        assert (operation.get("security") != []) == needs_token, f"{method} {path}"
        assert ({"401", "429"} <= set(operation["responses"])) == needs_token, f"{method} {path}"
        is_for_admins = path.startswith(("/api/v1/keys", "/api/v1/database"))
        is_write = needs_token and method != "GET" and path != "/api/v1/explain" and not is_for_admins
        assert ({"412", "428"} <= set(operation["responses"])) == is_write, f"{method} {path}"
        assert ("403" in operation["responses"]) == (is_write or is_for_admins), f"{method} {path}"


def test_the_reasons_named_are_those_of_the_source():
    sources = contract.DOCUMENTS.parent
    refusals = re.findall(r'case \.\w+: "([a-z0-9-]+)"', (sources / "Steering/Reading/Refusal.swift").read_text())
    faults = re.findall(r'case \.\w+: \(\d+, "([a-z0-9-]+)"', (sources / "Edge/Answering/HTTPFault.swift").read_text())
    assert len(refusals) > 5 and len(faults) > 10
    reasons = contract.DATA.document["components"]["schemas"]["Problem"]["properties"]["reason"]["enum"]
    assert sorted(reasons) == sorted(refusals + faults)
    assert contract.CONTROL.document["components"]["schemas"]["Refusal"]["properties"]["reason"]["enum"] == refusals


def test_the_control_plane_serves_its_document_as_it_is(balancer):
    with API(balancer.admin) as client:
        assert client.get("/openapi.json").content == contract.CONTROL.bytes


def test_the_data_plane_serves_its_document_as_it_is(balancer):
    with Player(balancer.listen) as client:
        response = client.get("/openapi.json")
        assert response.content == contract.DATA.bytes
        assert client.head("/openapi.json").headers["content-length"] == str(len(contract.DATA.bytes))


def test_every_example_body_works_on_a_fresh_balancer(begin):
    tried = 0
    for method, path, operation in contract.CONTROL.operations():
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            for name, example in content.get("examples", {}).items():
                balancer = begin()
                with API(balancer.admin, balancer.token) as api:
                    headers = {"Content-Type": media_type, "If-Match": api.etag()}
                    response = api.request(
                        method, path.replace("{name}", "cdn.example.com"), headers=headers, content=json.dumps(example["value"]))
                    assert response.is_success, f"{method} {path}, example {name}: {response.text}"
                    tried += 1
                balancer.stop()
    assert tried >= 15


def test_every_example_of_the_data_plane_works_on_a_fresh_balancer(fresh):
    body = contract.DATA.document["paths"]["/origin"]["post"]["requestBody"]
    for name, example in body["content"]["application/json"]["examples"].items():
        response = fresh.player.post("/origin", json=example["value"])
        assert response.status_code == 301, f"example {name}: {response.text}"
    video = contract.DATA.document["components"]["parameters"]["Video"]["example"]
    assert fresh.player.ask(video).status_code == 301
    assert fresh.player.get("/s1/video/1488/xcg2djHckad.m3u8").status_code == 301


def test_the_commands_in_the_description_work(fresh):
    response = fresh.api.patch(
        "/api/v1/cdns/cdn.example.com?comment=half%20the%20share",
        headers={"If-Match": fresh.api.etag(), "Content-Type": MERGE_PATCH},
        content='{"weight": 50}')
    assert response.status_code == 200
    assert fresh.api.get("/api/v1/revisions").json()["revisions"][0]["comment"] == "half the share"


def test_the_judge_refuses_what_the_document_does_not_allow():
    """A judge that accepts everything would make every other test worthless."""
    good = {
        "X-Request-Id": "1", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "ETag": '"1-00000000"',
        "Content-Type": "application/json",
    }
    body = {"status": 301, "links": False}
    contract.CONTROL.check("GET", "/api/v1/redirect", httpx.Response(200, headers=good, content=json.dumps(body)))
    bad = [
        (200, good, body | {"status": 303}), (200, good, body | {"more": 1}), (200, good, {}), (200, good, []), (500, good, body),
        (200, good | {"Content-Type": "text/html"}, body), (200, good | {"ETag": "1-00000000"}, body),
        (200, {name: value for name, value in good.items() if name != "ETag"}, body), (404, good, body),
        (200, good | {"Cache-Control": "max-age=5"}, body), (401, good | {"Content-Type": "application/problem+json"}, body),
    ]
    for status, headers, value in bad:
        with pytest.raises(contract.Breach):
            contract.CONTROL.check("GET", "/api/v1/redirect", httpx.Response(status, headers=headers, content=json.dumps(value)))


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for element in value:
            yield from references(element)


def examples(judge, value, pointer):
    """Every example with the pointer of its schema."""
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from examples(judge, element, f"{pointer}/{index}")
    elif isinstance(value, dict):
        if "schema" in value:
            for example in value.get("examples", {}).values():
                if "$ref" in example:
                    _, example = judge.resolve(example["$ref"].removeprefix("#"))
                yield f"{pointer}/schema", example["value"]
            if "example" in value:
                yield f"{pointer}/schema", value["example"]
        elif isinstance(value.get("examples"), list):
            for example in value["examples"]:
                yield pointer, example
        for name, member in value.items():
            yield from examples(judge, member, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
