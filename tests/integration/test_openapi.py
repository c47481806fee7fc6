"""The OpenAPI document: valid by somebody else's validator, complete, and true."""
import base64
import json
import re
import urllib.parse
import urllib.request

import pytest
from openapi_schema_validator import OAS30Validator, OAS31Validator
from openapi_spec_validator import validate

from conftest import ROOT

DAY = "2025-12-31"


@pytest.fixture(scope="module")
def general(sample):
    return json.loads(sample.request("/v1/openapi.json", key=False)[2])


@pytest.fixture(scope="module")
def document(sample):
    return sample.city.get("/v1/openapi.json")


def resolve(document, node):
    while "$ref" in node:
        found = document
        for part in node["$ref"].lstrip("#/").split("/"):
            found = found[part]
        node = found
    return node


def content_types(document, path, status, method="get"):
    return sorted(resolve(document, document["paths"][path][method]["responses"][str(status)]).get("content", {}))


def first_bytes(sample, path, accept):
    """(status, content type, first line) of an answer that may never end."""
    request = urllib.request.Request(sample.city.url + path,
                                     headers={"Accept": accept, "Authorization": "Bearer " + sample.city.key})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, answer.headers.get_content_type(), answer.readline()


def test_both_documents_are_valid(general, document):
    validate(general)
    validate(document)
    assert document["openapi"] == "3.0.3"


def test_the_same_as_3_1(sample, document):
    """Valid by the other standard, and the same but for how null is written."""
    newer = sample.city.get("/v1/openapi-3.1.json")
    validate(newer)
    assert newer["openapi"] == "3.1.0" and "nullable" not in json.dumps(newer)

    def older(node):
        if isinstance(node, list):
            return [older(x) for x in node]
        if not isinstance(node, dict):
            return node
        node = {k: older(v) for k, v in node.items() if k != "nullable"}
        if isinstance(node.get("type"), list):
            node["type"] = node["type"][0]
        return node
    assert older({**newer, "openapi": "3.0.3"}) == older(document)
    for view in ("kelayakan_bansos", "penduduk_per_tahun_lahir"):
        for row in sample.city.get("/v1/views/" + view, {"limit": 20}):
            OAS31Validator(newer["components"]["schemas"]["view_" + view]).validate(row)


def test_every_public_route_is_documented(general):
    source = (ROOT / "gateway/routes.c").read_text().split("gw_api_routes[] = {")[1].split("{ 0 }")[0]
    routes = re.findall(r'\{ "(\w+)", "([^"]+)"', source)
    assert len(routes) > 10
    assert {(m.lower(), p) for m, p in routes} == {(m, p) for p, item in general["paths"].items() for m in item}


def test_without_a_key_no_view_is_named(sample, general, document):
    names = [v["name"] for v in sample.city.get("/v1/views")]
    assert names and not any("/v1/views/" + n in general["paths"] for n in names)
    assert all("/v1/views/" + n + tail in document["paths"] for n in names for tail in ("", "/{key}", "/changes"))
    assert sample.request("/v1/openapi.json", key="tk_00000000_" + "A" * 43)[0] == 401


def test_it_speaks_the_readers_language(sample):
    title = {lang: json.loads(sample.request("/v1/openapi.json", key=False, headers={"Accept-Language": lang})[2])["info"]
             for lang in ("id", "en")}
    assert "kota" in title["id"]["title"] and "city" in title["en"]["title"]


def test_every_view_answers_as_documented(sample, document):
    for view in sample.city.get("/v1/views"):
        path, query = "/v1/views/" + view["name"], "?limit=3&per_tanggal=" + DAY
        for accept in content_types(document, path, 200):
            status, headers, _ = sample.request(path + query, accept=accept)
            assert (status, headers.get_content_type()) == (200, accept), path
        status, headers, body = sample.request(path + query)
        assert headers["ETag"] and headers["Titian-Cursor"] and headers["Titian-As-Of"]
        schema = document["components"]["schemas"]["view_" + view["name"]]
        rows = json.loads(body)
        for row in rows:
            OAS30Validator(schema).validate(row)
            assert set(row) == set(schema["properties"])
        assert sample.request(path + query, headers={"If-None-Match": headers["ETag"]})[0] == 304
        if rows:
            key = urllib.parse.quote(rows[0][view["key"]], safe="")
            status, headers, body = sample.request(path + "/" + key + "?per_tanggal=" + DAY)
            assert (status, headers.get_content_type()) == (200, "application/json")
            assert json.loads(body) == rows[0]
        assert sample.request(path + "/no-such-key?per_tanggal=" + DAY)[0] == 404
        for accept in content_types(document, path + "/changes", 200):
            status, kind, _ = first_bytes(sample, path + "/changes?until=now&per_tanggal=" + DAY, accept)
            assert (status, kind) == (200, accept), path


def test_masked_columns_are_described_and_masked(sample):
    """The demo's policy masks for `dinsos`; its key is printed at the first start only, so the document of a
    reader with everything must say that nothing is masked."""
    document = sample.city.get("/v1/openapi.json")
    columns = [c for name, s in document["components"]["schemas"].items() if name.startswith("view_")
               for c in s["properties"].values()]
    assert columns and not any(c["x-masked"] for c in columns)
    assert {"N", "P", "U"} <= {c["x-pdp"] for c in columns}


def test_the_other_routes_answer_as_documented(sample, general):
    for path in ("/v1/views", "/v1/topics", "/v1/quality", "/v1/adapters", "/v1/readers", "/v1/whoami", "/v1/openapi.json",
                 "/v1/openapi-3.1.json", "/healthz",
                 "/readyz"):
        status, headers, body = sample.request(path)
        assert status == 200 and [headers.get_content_type()] == content_types(general, path, 200), path
        schema = resolve(general, resolve(general, general["paths"][path]["get"]["responses"]["200"])["content"]
                         ["application/json"]["schema"])
        answer = json.loads(body)
        if schema.get("type") == "array":
            schema, answer = resolve(general, schema["items"]), answer[0]
        assert set(answer) <= set(schema.get("properties", answer)), path
        OAS30Validator(schema).validate(answer)
    status, headers, _ = sample.request("/v1/tickets", method="POST")
    assert status == 201 and [headers.get_content_type()] == content_types(general, "/v1/tickets", 201, "post")
    assert sample.request("/", accept="text/html", key=False)[1].get_content_type() in content_types(general, "/", 200)
    for name in ("portal.js", "portal.css", "icon.svg"):
        status, headers, _ = sample.request("/portal/" + name, accept="*/*", key=False)
        assert status == 200 and headers.get_content_type() in content_types(general, "/portal/{file}", 200)


def test_refusals_are_documented_problems(sample, general):
    for path, item in general["paths"].items():
        for method, operation in item.items():
            url = path.replace("{view}", "penduduk").replace("{key}", "kota").replace("{file}", "x")
            url = url.replace("{action}", "site_read")
            status, headers, body = sample.request(url, key=False, method=method.upper())
            if operation.get("security") == []:
                assert status in (200, 404)
                continue
            assert status == 401 and "401" in operation["responses"], path
            ways = {way for either in operation.get("security", general["security"]) for way in either}
            basic = base64.b64encode(("siapa:" + sample.city.key).encode()).decode()
            if method == "get" and "records" not in path:  # a key as password, where that is promised, and nowhere else
                status = sample.request(url, key=False, headers={"Authorization": "Basic " + basic}, accept="*/*")[0]
                assert ("basic" in ways) == (status != 401), (path, status)
            assert ways - {"basic"} == {"bearer", "api_key"} and ways <= set(general["components"]["securitySchemes"]), path
            proxied = operation["tags"] == ["rest-proxy"]  # Confluent's shape, and its clients know Basic only
            assert headers.get_content_type() == ("application/vnd.kafka.v2+json" if proxied else "application/problem+json"), path
            assert "Bearer" in headers.get_all("WWW-Authenticate")
            OAS30Validator(resolve(general, resolve(general, operation["responses"]["401"])["content"][headers.get_content_type()]
                                   ["schema"])).validate(json.loads(body))
    for query, status in (("limit=-1", 400), ("nowhere=eq.1", 400), ("after=AAAA", 400)):
        assert sample.request("/v1/views/penduduk?" + query)[0] == status
    assert sample.request("/v1/views/penduduk", accept="application/xml")[0] == 406
