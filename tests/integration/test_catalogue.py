"""The catalogue, read by others' programs: rdflib and pySHACL, ckanapi and a stock harvester's way of paging, frictionless,
openapi-spec-validator. What must stand in it is read from the definitions' files, not from the gateway."""
import io
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import urllib.parse

import ckanapi
import openpyxl
import pyshacl
import pytest
import rdflib
import yaml
from frictionless import Catalog
from frictionless.portals import CkanControl
from openapi_spec_validator import validate
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF

from conftest import OPDS, ROOT

sys.path.insert(0, str(ROOT / "tests" / "clients"))
import clients  # noqa: E402

ASYNCAPI = clients.Client("asyncapi", "@asyncapi/parser", ["node", "client.js"], clients.NPM, ["node", "npm"])

SHACL = rdflib.Namespace("http://www.w3.org/ns/shacl#")
EU = "http://publications.europa.eu/resource/authority/"


def front(path):
    return yaml.safe_load(path.read_text().split("/*---")[1].split("---*/")[0])


EVERY = {v["name"]: v for v in map(front, sorted((ROOT / "gateway/views").glob("*.sql")))}
SHIPPED = {n: v for n, v in EVERY.items() if not v.get("internal")}
FIGURES = {n for n, v in EVERY.items() if "figures" in v}  # served as /v1/nasional/agregat, never as rows
OPEN = {n for n, v in EVERY.items() if v.get("access") == "open"}


def text(sample, path, key=True, **headers):
    status, head, body = sample.request(path, accept=headers.pop("accept", "*/*"), key=key, headers=headers)
    assert status == 200, (path, status, body[:300])
    return head, body.decode()


def graph(sample, key=True):
    return rdflib.Graph().parse(data=text(sample, "/catalog.jsonld", key)[1], format="json-ld")


def shapes():
    """Ours, and the profile's where they are; in those of 3.0.1 some properties are named and not defined."""
    out = [rdflib.Graph().parse(str(ROOT / "tests/data/dcat-ap.shapes.ttl"))]
    if os.environ.get("DCAT_AP_SHAPES"):
        theirs = rdflib.Graph()
        for path in pathlib.Path(os.environ["DCAT_AP_SHAPES"]).glob("*.ttl"):
            theirs.parse(str(path))
        for node, prop in list(theirs.subject_objects(SHACL.property)):
            if not theirs.value(prop, SHACL.path):
                theirs.remove((node, SHACL.property, prop))
        out.append(theirs)
    return out


def test_both_forms_say_the_same_and_are_dcat_ap(sample):
    for key, names in ((False, OPEN), (True, set(SHIPPED) | FIGURES)):
        found = graph(sample, key)
        turtle = rdflib.Graph().parse(data=text(sample, "/catalog.ttl", key)[1], format="turtle")
        assert isomorphic(found, turtle)
        told = {str(found.value(d, DCTERMS.identifier)) for d in found.subjects(RDF.type, DCAT.Dataset)}
        assert told >= names and (key or told == names)
        for shape in shapes():
            conforms, _, report = pyshacl.validate(found, shacl_graph=shape)
            assert conforms, report[:3000]


def test_shapes_can_fail(sample):
    found = graph(sample, False)
    found.remove((None, DCAT.accessURL, None))
    assert not pyshacl.validate(found, shacl_graph=shapes()[0])[0]


def test_datasets_say_what_their_definitions_say(sample):
    found = graph(sample)
    for name, view in SHIPPED.items():
        node = next(found.subjects(DCTERMS.identifier, rdflib.Literal(name)))
        for predicate, key in ((DCTERMS.title, "title"), (DCTERMS.description, "about")):
            assert {(t.language, str(t)) for t in found.objects(node, predicate)} == set(view[key].items())
        card = view["catalogue"]
        assert str(found.value(node, DCTERMS.issued)) == str(card["issued"])
        assert found.value(node, DCAT.theme) == rdflib.URIRef(EU + "data-theme/" + card["theme"])
        assert {str(k) for k in found.objects(node, DCAT.keyword)} == set(card["keywords"])
        assert str(found.value(found.value(node, DCTERMS.temporal), DCAT.startDate)) == str(card["since"])
        publisher = found.value(node, DCTERMS.publisher)
        assert str(publisher).endswith("/" + view["owner"]) and found.value(publisher, FOAF.name)
        assert str(found.value(node, DCTERMS.accessRights)) == EU + "access-right/" + (
            "PUBLIC" if name in OPEN else "RESTRICTED")
        assert str(found.value(node, DCTERMS.accrualPeriodicity)) == EU + "frequency/DAILY"
        terms = rdflib.Namespace(sample.city.url + "/catalog/terms#")
        assert str(found.value(node, terms.satuan)) == card["unit"] and found.value(node, terms.konsep)
    one = rdflib.Graph().parse(data=text(sample, "/catalog/datasets/kualitas_umpan", False, accept="text/turtle")[1])
    assert set(one.subjects(RDF.type, DCAT.Dataset)) == {rdflib.URIRef(sample.city.url + "/catalog/datasets/kualitas_umpan")}


def test_accept_decides_the_form(sample):
    for accept, kind in (("*/*", "application/ld+json"), ("text/turtle", "text/turtle"),
                         ("application/ld+json;q=0.3, text/turtle;q=0.8", "text/turtle"),
                         ("text/turtle; q=0.3, application/ld+json", "application/ld+json"),
                         ("text/turtlesoup", "application/ld+json")):
        assert text(sample, "/catalog", accept=accept)[0].get_content_type() == kind, accept
    assert not list(rdflib.Graph().parse(data=text(sample, "/catalog.ttl?modified_since=2099-01-01")[1], format="turtle")
                    .subjects(RDF.type, DCAT.Dataset))
    for query in ("page=0", "page=x", "modified_since=soon"):
        assert sample.request("/catalog?" + query)[0] == 400, query


def test_every_link_leads_to_the_rows(sample):
    found = graph(sample)
    for name in ("kualitas_umpan", "penduduk_hidup_per_kelurahan", "agregat_kelahiran"):
        node = next(found.subjects(DCTERMS.identifier, rdflib.Literal(name)))
        forms = list(found.objects(node, DCAT.distribution))
        assert len(forms) == (2 if name in FIGURES else 7)
        for form in forms:
            url, media = str(found.value(form, DCAT.accessURL)), str(found.value(form, DCAT.mediaType))
            assert url.startswith(sample.city.url + "/")
            tail = "?until=now" if url.endswith("/changes") else ""
            status, head, _ = sample.request(url[len(sample.city.url):] + tail, accept="*/*")
            kind = media.split("media-types/")[1]
            assert status == 200, url
            assert tail or head.get_content_type() == kind, url


def test_data_json(sample):
    document = json.loads(text(sample, "/data.json")[1])
    assert document["conformsTo"] == "https://project-open-data.cio.gov/v1.1/schema"
    told = {d["identifier"].rsplit("/", 1)[1]: d for d in document["dataset"]}
    assert set(told) >= set(SHIPPED)
    for name, view in SHIPPED.items():
        d = told[name]
        assert all(d[k] for k in ("title", "description", "keyword", "modified", "publisher", "contactPoint", "distribution"))
        assert (d["title"], d["description"]) == (view["title"]["id"], view["about"]["id"])
        assert d["accessLevel"] == ("public" if name in OPEN else "restricted public")
        assert all(("downloadURL" in x and "mediaType" in x) != ("accessURL" in x) for x in d["distribution"])
        assert d["temporal"].split("/")[0] == str(view["catalogue"]["since"])
    english = json.loads(text(sample, "/data.json", **{"Accept-Language": "en"})[1])
    assert {d["title"] for d in english["dataset"]} >= {v["title"]["en"] for v in SHIPPED.values()}


# --- CKAN ---------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def ckan(sample):
    return ckanapi.RemoteCKAN(sample.city.url, apikey=sample.city.key)


def test_ckanapi_reads_us(sample, ckan):
    act = ckan.action
    assert act.site_read() is True and act.status_show()["ckan_version"].startswith("2.")
    names = act.package_list()
    assert set(names) >= set(SHIPPED) and ckanapi.RemoteCKAN(sample.city.url).action.package_list() == sorted(OPEN)
    assert act.package_list(limit=2, offset=1) == names[1:3]
    for name, view in SHIPPED.items():
        package = act.package_show(id=name)
        assert (package["title"], package["notes"]) == (view["title"]["id"], view["about"]["id"])
        assert act.package_show(id=package["id"]) == package
        assert package["organization"]["name"] == view["owner"]
        assert {t["name"] for t in package["tags"]} == set(view["catalogue"]["keywords"])
        extras = {e["key"]: e["value"] for e in package["extras"]}
        assert extras["konsep"] == view["catalogue"]["concept"]["id"] and extras["satuan"] == view["catalogue"]["unit"]
        assert package["isopen"] == (name in OPEN) and package["num_resources"] == len(package["resources"]) == 7
    assert act.resource_show(id=package["resources"][1]["id"]) == package["resources"][1]
    assert [r["format"] for r in act.package_show(id="agregat_kelahiran")["resources"]] == ["JSON", "CSV"]
    owners = sorted({v["owner"] for v in SHIPPED.values()})
    assert act.organization_list() == owners
    dinas = act.organization_show(id="dinkes", include_datasets=True)
    assert {p["name"] for p in dinas["packages"]} == {n for n, v in SHIPPED.items() if v["owner"] == "dinkes"}
    assert dinas["title"] == "Dinas Kesehatan" and dinas["package_count"] == len(dinas["packages"])
    assert act.group_list() == sorted({v["catalogue"]["theme"].lower() for v in SHIPPED.values()})
    assert set(act.tag_list()) == {k for v in EVERY.values() for k in v.get("catalogue", {}).get("keywords", [])}
    everything = act.current_package_list_with_resources(limit=100)
    assert [p["name"] for p in everything] == names


def test_what_ckan_refuses_and_how(sample, ckan):
    with pytest.raises(ckanapi.NotFound):
        ckan.action.package_show(id="tidak_ada")
    with pytest.raises(ckanapi.NotFound):  # not open, and nobody asks
        ckanapi.RemoteCKAN(sample.city.url).action.package_show(id="warga_rahasia")
    with pytest.raises(ckanapi.ValidationError) as missing:
        ckan.action.package_show()
    assert missing.value.error_dict["name_or_id"] == ["Missing value"]
    with pytest.raises(ckanapi.NotAuthorized):
        ckanapi.RemoteCKAN(sample.city.url, apikey="tk_00000000_" + "A" * 43).action.package_list()
    with pytest.raises(ckanapi.SearchQueryError):
        ckan.action.package_search(fq="metadata_modified:[kemarin TO *]")
    with pytest.raises(ckanapi.ValidationError):
        ckan.action.package_search(rows="banyak")
    for path, method, body in (("/api/3/action/package_delete", "POST", b"{}"), ("/api/3/action/package_show", "POST", b"{"),
                               ("/api/3/action/package_show", "POST", b"[]")):
        request = urllib.request.Request(sample.city.url + path, body, method=method)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        assert refused.value.code == 400 and json.loads(refused.value.read()).startswith("Bad request - ")


def search(ckan, **question):
    return [p["name"] for p in ckan.action.package_search(rows=1000, **question)["results"]]


def test_package_search(ckan):
    owned = lambda opd: {n for n, v in SHIPPED.items() if v["owner"] == opd}
    tagged = lambda tag: {n for n, v in SHIPPED.items() if tag in v["catalogue"]["keywords"]}
    assert set(search(ckan, fq="organization:dinsos")) == owned("dinsos")
    assert set(search(ckan, fq="organization:(dinsos OR dinkes) -tags:kematian")) == \
        (owned("dinsos") | owned("dinkes")) - tagged("kematian")
    assert set(search(ckan, q="tags:bansos", fq="+groups:soci")) == \
        {n for n in tagged("bansos") if SHIPPED[n]["catalogue"]["theme"] == "SOCI"}
    assert search(ckan, q='title:"Mutu umpan"') == ["kualitas_umpan"] and search(ckan, q="name:kualitas_*") == ["kualitas_umpan"]
    assert search(ckan, q="*:*", sort="name desc") == sorted(search(ckan, q=""), reverse=True)
    assert search(ckan, fq="metadata_modified:[2099-01-01T00:00:00Z TO *]") == []
    assert set(search(ckan, fq="isopen:true")) == OPEN
    assert search(ckan, fq="metadata_modified:[* TO NOW+1DAY] AND NOT license_id:cc-by") == search(ckan, fq="isopen:false")
    page = ckan.action.package_search(rows=2, start=1, **{"facet.field": ["organization", "groups"]})
    assert len(page["results"]) == 2 and page["count"] >= len(SHIPPED)
    assert page["search_facets"]["organization"]["title"] == "organization"
    assert page["facets"]["organization"]["dinsos"] >= len(owned("dinsos"))


def test_a_stock_harvester_gets_everything_and_then_only_what_changed(sample):
    """ckanext-harvest's paging: rows=100, sort=id asc, fq=metadata_modified:[.. TO *], until a page is empty."""
    def harvest(rows, since=None):
        seen, start = {}, 0
        while True:
            query = {"rows": rows, "start": start, "sort": "id asc"}
            if since:
                query["fq"] = "metadata_modified:[%sZ TO *]" % since
            answer = json.loads(text(sample, "/api/3/action/package_search?" + urllib.parse.urlencode(query))[1])
            assert answer["success"]
            if not answer["result"]["results"]:
                return seen
            for package in answer["result"]["results"]:
                assert package["id"] not in seen, "a package twice"
                seen[package["id"]] = package
            start += rows
    everything = harvest(7)
    assert {p["name"] for p in everything.values()} >= set(SHIPPED)
    newest = max(p["metadata_modified"] for p in everything.values())
    later = harvest(100, newest[:19])
    assert {i for i in later} == {i for i, p in everything.items() if p["metadata_modified"] >= newest[:19]}


def test_frictionless_reads_us_as_a_ckan_portal(sample):
    catalog = Catalog(control=CkanControl(baseurl=sample.city.url, apikey=sample.city.key, num_packages=1000))
    assert {d.package.name for d in catalog.datasets} >= set(SHIPPED)


# --- API gateways ---------------------------------------------------------------------------------------------

def test_a_views_own_openapi_document(sample):
    for name in SHIPPED:
        document = json.loads(text(sample, "/v1/views/%s/openapi.json?version=3.0" % name)[1])
        validate(document)
        assert document["openapi"] == "3.0.3" and document["servers"] == [{"url": sample.city.url}]
        assert set(document["paths"]) == {"/v1/views/" + name + t for t in ("", "/{key}", "/changes")}
        assert all(set(p) == {"get"} for p in document["paths"].values())
        assert set(document["components"]["schemas"]["view_" + name]["properties"]) == set(SHIPPED[name]["columns"])
    newer = json.loads(text(sample, "/v1/views/kualitas_umpan/openapi.json?version=3.1", False)[1])
    validate(newer)
    assert newer["openapi"] == "3.1.0"
    assert sample.request("/v1/views/penduduk/openapi.json", key=False)[0] == 404
    assert sample.request("/v1/views/penduduk/openapi.json?version=2")[0] == 400


def lines_of(command, folder, cpu_s=120):
    """What a program prints. It is given time by what it computes: on a busy machine it waits long for a core."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s)))
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return done.stdout.splitlines()


def test_asyncapi_is_read_by_its_own_parser(sample, tmp_path):
    """Every department's topics with their schemas, and the feeds of the views it answers for."""
    ASYNCAPI.prepare()
    for opd in OPDS + ["diskominfo"]:
        for kind in ("json", "yaml"):
            (tmp_path / ("%s.%s" % (opd, kind))).write_text(text(sample, "/asyncapi/%s.%s" % (opd, kind))[1])
    files = sorted(map(str, tmp_path.iterdir()))
    read = {pathlib.Path(r["file"]).name: r for r in map(json.loads, lines_of(["node", "client.js", *files], ASYNCAPI.home))}
    assert len(read) == 16 and not any(r["wrong"] for r in read.values()), [r["wrong"][:3] for r in read.values()]
    topics = {t["topic"] for t in sample.city.get("/v1/topics")["topics"]}
    for name, document in read.items():
        opd = name.split(".")[0]
        addresses = {a for a, _ in document["channels"]}
        assert {a for a in addresses if a[0] != "/"} == {t for t in topics if t.split(".")[1] == opd}
        assert {a.split("/")[3] for a in addresses if a[0] == "/"} >= {n for n, v in SHIPPED.items() if v["owner"] == opd}
    schema = json.loads((tmp_path / "dinsos.json").read_text())["channels"]["pku.dinsos.bansos.v1"]["messages"]["bansos"]
    registered = json.loads(urllib.request.urlopen(
        sample.registry + "/subjects/pku.dinsos.bansos.v1-value/versions/latest").read())["schema"]
    assert schema["payload"]["schema"] == json.loads(registered)
    assert sample.request("/asyncapi/dinsos.json", key=False)[0] == 404  # nothing of it is open
    nobody = json.loads(text(sample, "/asyncapi/diskominfo.json", False)[1])
    assert set(nobody["channels"]) == {"kualitas_umpan"} and "kafka" not in nobody["servers"]


def test_the_dictionary_is_a_sheet(sample):
    def sheets(path, key=True):
        status, head, body = sample.request(path, accept="*/*", key=key)
        assert status == 200 and "attachment" in head["Content-Disposition"]
        book = openpyxl.load_workbook(io.BytesIO(body))
        return [[list(r) for r in book[s].iter_rows(values_only=True, min_row=2)] for s in ("Tayangan", "Kolom")]
    views, columns = sheets("/catalog/dictionary.xlsx")
    for name, view in SHIPPED.items():
        line = next(l for l in views if l[0] == name)
        assert line[1:5] == [view["title"]["id"], view["title"]["en"], view["about"]["id"], view["about"]["en"]]
        assert view["catalogue"]["unit"] in line and view["basis"] in line
        told = {l[1]: l for l in columns if l[0] == name}
        assert list(told) == list(view["columns"])
        for column, says in view["columns"].items():
            assert told[column][2:4] == [says["title"]["id"], says["title"]["en"]] and told[column][6] == says["pdp"]
            assert set((told[column][7] or "").split(", ")) >= set(says.get("from", []))
    views, columns = sheets("/v1/views/kualitas_umpan/dictionary.xlsx", False)
    assert [v[0] for v in views] == ["kualitas_umpan"] and {c[0] for c in columns} == {"kualitas_umpan"}


def test_shipped_views_have_no_holes():
    assert len(SHIPPED) >= 24
    for name, view in SHIPPED.items():
        assert view["access"] in ("open", "shared"), name
        assert view["access"] == "shared" or all(c["pdp"] == "N" for c in view["columns"].values())
        assert re.fullmatch(r"[a-z]{3,}", view["owner"])
