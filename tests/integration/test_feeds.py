"""Feeds of changes over HTTP: snapshot, resume, long poll, tickets, limits."""
import json
import time
import urllib.error
import urllib.request

import pytest

VIEW = "/v1/views/penerima_bansos_meninggal"
CHANGES = VIEW + "/changes"


def get(sample, path, **more):
    status, headers, body = sample.request(path, **more)
    return status, json.loads(body)


def stream(sample, path, last=None, key=True):
    headers = {"Accept": "text/event-stream"}
    if key:
        headers["Authorization"] = "Bearer " + sample.city.key
    if last:
        headers["Last-Event-ID"] = last
    return urllib.request.urlopen(urllib.request.Request(sample.city.url + path, headers=headers), timeout=60)


def events(answer, until="up-to-date"):
    """[(event, cursor, data)] up to and with the first event of that name."""
    out, now = [], {}
    for line in answer:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            now[name] = value
        elif "event" in now:
            out.append((now["event"], now["id"], json.loads(now["data"])))
            if now["event"] == until:
                return out
            now = {}
    raise AssertionError("the stream ended")


def test_a_snapshot_has_every_row_and_its_end_is_a_place_to_go_on_from(sample):
    rows = {r["id_subjek"]: r for r in sample.city.get(VIEW)}
    with stream(sample, CHANGES) as answer:
        seen = events(answer)
    assert {d["key"]: d["row"] for e, _, d in seen if e == "upsert"} == rows
    with stream(sample, CHANGES, last=seen[-1][1]) as answer:
        assert [e for e, _, _ in events(answer)] == ["up-to-date"]
    with stream(sample, CHANGES, last=seen[0][1]) as answer:
        assert [c for _, c, _ in events(answer)][:-1] == [c for _, c, _ in seen][1:-1]


def test_a_poll_goes_on_where_the_last_one_ended(sample):
    status, first = get(sample, CHANGES)
    assert status == 200 and first["up_to_date"] and len(first["changes"]) == len(sample.city.get(VIEW))
    began = time.monotonic()
    status, second = get(sample, CHANGES + "?wait=2&after=" + first["cursor"])
    assert status == 200 and second["changes"] == [] and second["up_to_date"]
    assert 1.5 < time.monotonic() - began < 12, "less than a heartbeat"
    assert get(sample, CHANGES + "?after=" + second["cursor"])[0] == 200


def test_a_page_gives_the_cursor_of_its_moment(sample):
    _, headers, _ = sample.request(VIEW)
    status, answer = get(sample, CHANGES + "?after=" + headers["Titian-Cursor"])
    assert status == 200 and answer["changes"] == []


def test_ndjson_ends_at_the_present_end(sample):
    status, headers, body = sample.request(CHANGES + "?until=now", accept="application/x-ndjson")
    lines = [json.loads(l) for l in body.splitlines() if l]
    assert status == 200 and lines[-1]["event"] == "up-to-date"
    assert len(lines) == len(sample.city.get(VIEW)) + 1


@pytest.mark.parametrize("after, status", [("AAAA", 400), ("x" * 9000, 414), ("%00", 400)])
def test_a_cursor_that_is_not_ours_is_refused(sample, after, status):
    assert sample.request(CHANGES + "?after=" + after)[0] == status


def test_a_cursor_is_of_one_view(sample):
    _, answer = get(sample, CHANGES)
    status, problem = get(sample, "/v1/views/penduduk/changes?after=" + answer["cursor"])
    assert (status, problem["code"]) == (400, "cursor-invalid")


def test_a_ticket_opens_one_stream_once(sample):
    ticket = json.loads(sample.request("/v1/tickets", method="POST")[2])["ticket"]
    with stream(sample, CHANGES + "?ticket=" + ticket, key=False) as answer:
        assert events(answer)
        following = [v["name"] for r in sample.city.get("/v1/readers") for v in r["views"] if v["following"]]
        assert "penerima_bansos_meninggal" in following
    assert sample.request(CHANGES + "?ticket=" + ticket, key=False)[0] == 401


def test_a_reader_has_so_many_streams_and_no_more(sample):
    open_now = []
    try:
        with pytest.raises(urllib.error.HTTPError) as refused:
            for _ in range(21):
                open_now.append(stream(sample, CHANGES + "?after=now"))
        assert refused.value.code == 429 and refused.value.headers["Retry-After"]
        assert len(open_now) <= 20
    finally:
        for answer in open_now:
            answer.close()
