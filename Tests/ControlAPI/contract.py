"""The OpenAPI documents as judges: every answer is held against what the document of its port says."""

import json
import pathlib
import re

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

DOCUMENTS = pathlib.Path(__file__).resolve().parents[2] / "Sources/COpenAPI"
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")


class Breach(AssertionError):
    """An answer that its document does not allow."""


class Contract:
    """One document."""

    def __init__(self, name):
        self.bytes = (DOCUMENTS / f"{name}.json").read_bytes()
        self.document = json.loads(self.bytes)
        self.registry = Registry().with_resource("urn:api", Resource.from_contents(self.document, DRAFT202012))
        self.validators = {}
        # Fixed paths win over those with parameters (OpenAPI 3.1, "Paths Object").
        templates = sorted(self.document["paths"], key=lambda template: template.count("{"))
        self.templates = [(_pattern(template), template) for template in templates]

    def operations(self):
        """Every (method, path template, operation)."""
        for template, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), template, item[method]

    def check(self, method, target, response):
        """Raises Breach unless `response` (of httpx) is one that the document names for this request."""
        path = target.split("?")[0]
        if path == "/" and method in ("GET", "HEAD") or path.startswith(("/docs/", "/dashboard/")):
            return
        try:
            self._check(method, path, response)
        except Breach as breach:
            head = "\n".join(f"  {name}: {value}" for name, value in response.headers.items())
            raise Breach(
                f"{breach}\n  sent: {method} {target[:300]}\n  came: {response.status_code}\n{head}\n\n  {response.text[:2000]}"
            ) from None

    def faults(self, value, pointer):
        """What JSON Schema says against `value` by the schema at `pointer` of the document; empty when it fits."""
        validator = self.validators.get(pointer)
        if validator is None:
            schema = {"$ref": f"urn:api#{pointer}"}
            validator = Draft202012Validator(schema, registry=self.registry, format_checker=FormatChecker())
            self.validators[pointer] = validator
        return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]

    def resolve(self, pointer):
        """The pointer and the value it leads to, references followed."""
        value = self.document
        for token in pointer.split("/")[1:]:
            value = value[token.replace("~1", "/").replace("~0", "~")]
        if "$ref" in value:
            return self.resolve(value["$ref"].removeprefix("#"))
        return pointer, value

    def _check(self, method, path, response):
        pointer = self._response(method, path, response.status_code)
        pointer, described = self.resolve(pointer)
        for name in described.get("headers", {}):
            self._check_header(pointer, name, response)
        content = described.get("content")
        if method == "HEAD" or not content:
            _require(not response.content, f"a body of {len(response.content)} bytes where the document has none")
            return
        if not response.content:
            _require(300 <= response.status_code < 400, "no body where the document has one")
            return
        media_type = response.headers.get("content-type", "").split(";")[0].strip().lower()
        _require(media_type in content, f"Content-Type {media_type!r}, documented: {', '.join(content)}")
        if not media_type.endswith("json"):
            return
        value = json.loads(response.content)
        faults = self.faults(value, f"{pointer}/content/{_escape(media_type)}/schema")
        _require(not faults, "the body does not fit its schema: " + "; ".join(faults[:5]))
        if media_type == "application/problem+json":
            _require(value["status"] == response.status_code, f"the problem says {value['status']}")

    def _response(self, method, path, status):
        """The pointer of the documented response."""
        template = next((template for pattern, template in self.templates if pattern.fullmatch(path)), None)
        if template is None:
            _require(status == 404, "this path is unknown, but the answer is not 404")
            return "/components/responses/NotFound"
        item = self.document["paths"][template]
        # HEAD works wherever GET does; the control plane's document says so once for all.
        known = method.lower() if method.lower() in item or method != "HEAD" else "get"
        if known not in item:
            # A method that HTTP does not know is 501 (RFC 9110, section 9.1).
            wanted = 405 if method.lower() in (*METHODS, "trace") else 501
            _require(status == wanted, f"this path does not take this method, but the answer is not {wanted}")
            if "MethodNotAllowed" in self.document["components"]["responses"]:
                return "/components/responses/MethodNotAllowed"
            return "/components/responses/Fault"
        responses = item[known]["responses"]
        key = str(status) if str(status) in responses else "default"
        _require(key in responses, f"status {status} is not documented; documented: {', '.join(responses)}")
        return f"/paths/{_escape(template)}/{known}/responses/{key}"

    def _check_header(self, pointer, name, response):
        pointer, described = self.resolve(f"{pointer}/headers/{name}")
        value = response.headers.get(name)
        if value is None:
            _require(not described.get("required"), f"the header {name} is missing")
            return
        _, schema = self.resolve(f"{pointer}/schema")
        if schema.get("type") == "integer":
            _require(value.isdecimal(), f"the header {name}: {value!r} is no number")
            value = int(value)
        faults = self.faults(value, f"{pointer}/schema")
        _require(not faults, f"the header {name}: {value!r} does not fit: " + "; ".join(faults))


def _pattern(template):
    """`{path}` takes slashes and may be empty: the data plane's last parameter, which OpenAPI cannot describe."""
    pattern = re.escape(template).replace(r"/\{path\}", "(?:/.*)?")
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", pattern))


def _escape(token):
    return token.replace("~", "~0").replace("/", "~1")


def _require(condition, message):
    if not condition:
        raise Breach(message)


CONTROL = Contract("control-plane")
DATA = Contract("data-plane")
