"""One's own record: the form that asks, the pages behind the link. A GET changes nothing; nothing is readable here."""

import json
import uuid
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.front.client import Client
from troth.core import clock, receipts
from troth.core.signed_links import Act
from troth.core.site_files import answer_paths
from troth.rights.entry import RightsAsked, RightsUsed

KEY = bytes(range(32))


@pytest.fixture
def public(tmp_path):
    """What the front may read."""
    return tmp_path


@pytest.fixture
def request_id():
    return uuid.uuid4()


@pytest.fixture
def path(keys, request_id):
    return "/troth/privacy/me/" + keys.signer.sign(Act.RIGHTS, request_id, clock.now() + timedelta(hours=24))


def lay(public, request_id, what, data):
    answer_paths.folder(public).mkdir(exist_ok=True)
    answer_paths.path(public, request_id, what).write_bytes(data)


async def test_the_address_goes_sealed_to_the_clerk_and_the_thanks_tell_nothing(client, line, keys):
    shown = await client.get("/troth/privacy/me")
    assert shown.status == 200 and "don’t store it" in shown.text
    answer = await client.post("/troth/privacy/me", {"email": "ada@example.com"})
    assert (answer.status, answer.headers["location"]) == (303, "/troth/thanks/rights")
    [(kind, envelope, _, _)] = line.frames
    assert kind == 4
    assert keys.opening.open(envelope, RightsAsked).email.reveal() == "ada@example.com"
    thanks = await client.get("/troth/thanks/rights")
    assert "we store nothing under that address, it got two of these emails" in thanks.text


async def test_looking_changes_nothing(client, line, path):
    for rest in ("", "/erase", "/erased", "/answer/" + "0" * 16, "/receipt.json"):
        for method in ("GET", "HEAD"):
            assert (await client.ask(method, path + rest)).status in {200, 404, 405}
    assert not line.frames


@pytest.mark.parametrize(("wish", "leads"), [("erase", "/erased"), ("mail", "/troth/thanks/export")])
async def test_a_button_goes_sealed_to_the_clerk_once(client, line, keys, path, wish, leads):
    answer = await client.post(path, {"wish": wish})
    assert answer.status == 303 and answer.headers["location"].endswith(leads)
    assert (await client.post(path, {"wish": wish})).status == 303
    [(kind, envelope, _, _)] = line.frames
    used = keys.opening.open(envelope, RightsUsed)
    assert (kind, used.wish, used.link) == (2, wish, path.rpartition("/")[2])


async def test_other_wishes_are_refused(client, line, path):
    for typed in ({"wish": "everything"}, {}, {"wish": "erase", "who": "x"}):
        assert (await client.post(path, typed)).status == 400
    assert not line.frames


async def test_the_answer_comes_by_its_mark_and_by_no_other_name(client, public, path, request_id):
    lay(public, request_id, answer_paths.mark_of(KEY), b"sealed bytes")
    got = await client.get(f"{path}/answer/{answer_paths.mark_of(KEY)}")
    assert (got.status, got.body) == (200, b"sealed bytes")
    for wrong in ("f" * 16, "receipt", "..%2f..%2fcurrent", "", "X" * 16):
        assert (await client.get(f"{path}/answer/{wrong}")).status == 404


async def test_anothers_link_does_not_get_it(client, keys, public, request_id):
    lay(public, request_id, answer_paths.mark_of(KEY), b"sealed bytes")
    for act, late in ((Act.RIGHTS, 1), (Act.CONFIRM, 1), (Act.RIGHTS, -1)):
        subject = uuid.uuid4() if late > 0 and act is Act.RIGHTS else request_id
        link = keys.signer.sign(act, subject, clock.now() + timedelta(hours=late))
        got = await client.get(f"/troth/privacy/me/{link}/answer/{answer_paths.mark_of(KEY)}")
        assert got.status in {400, 404, 410} and got.body != b"sealed bytes"


async def test_the_receipt_stands_on_the_same_page_and_can_be_saved(client, keys, public, path, request_id):
    assert "Deleting your data" in (await client.get(f"{path}/erased")).text
    told = {
        "site": {"name": "Example", "url": "https://www.example.com"}, "erasure": "an-id", "asked_by": "the person",
        "erased_at": "2026-01-02T03:04:05+00:00", "went": {"Contact details": 1}, "kept_by_law": [],
        "remains": ["A mark."], "data_backups_forget": "at once", "key_backups_forget_by": "2026-01-16",
    }  # fmt: skip
    written = receipts.sign(told, 1, keys.signer._key)
    lay(public, request_id, answer_paths.RECEIPT, written.encode())
    for rest in ("", "/erased"):
        page = (await client.get(path + rest)).text
        assert "Your data has been deleted" in page and "Contact details: 1" in page
    saved = await client.get(f"{path}/receipt.json")
    assert "attachment" in saved.headers["content-disposition"]
    assert receipts.read(saved.body, {1: keys.verifying}).told["erasure"] == "an-id"


async def test_the_public_keys_are_there_for_whoever_checks(client, keys):
    told = (await client.get("/troth/privacy/keys")).text
    pem = told.partition("\n")[2].encode()
    assert load_pem_public_key(pem).public_bytes_raw() == keys.verifying


async def test_not_over_an_open_connection(front, path):
    abroad = Client(front, peer="203.0.113.9")
    for rest in ("", "/erase", "/erased", "/receipt.json", "/answer/" + "0" * 16):
        assert (await abroad.get(path + rest)).status == 403
    assert (await abroad.post(path, {"wish": "erase"})).status == 403


def test_an_altered_receipt_is_refused(keys):
    written = receipts.sign({"went": {"Contact details": 1}}, 1, keys.signer._key)
    assert receipts.read(written.encode()).told["went"]
    shell = json.loads(written)
    for change in (
        {"signed": shell["signed"].replace("1}", "2}")},
        {"signature": "AAAA"},
        {"ed25519": "x"},
        {"signed": None},
    ):
        with pytest.raises(receipts.ReceiptRefused):
            receipts.read(json.dumps({**shell, **change}).encode())
    for other in (b"", b"[]", b"null", b"{}", b"\xff"):
        with pytest.raises(receipts.ReceiptRefused):
            receipts.read(other)
    with pytest.raises(receipts.ReceiptRefused, match="another key"):
        receipts.read(written.encode(), {1: bytes(32)})
