import os
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.front.client import make_published, solved
from troth.core import contact_details
from troth.core.colours import contrast, readable
from troth.core.contact_details import LONGEST
from troth.core.personal import TYPES
from troth.core.purpose import Category
from troth.core.text.card_numbers import mask
from troth.front import published
from troth.front.forms import fields
from troth.front.forms.proof_of_work import ProofOfWork, WorkRefused
from troth.front.http import theme
from troth.front.http.form_parsing import FormRefused, parse
from troth.front.http.rate_limit import Buckets
from troth.front.http.trusted_proxies import Proxies
from troth.front.snapshot import origin

FIELDS = frozenset({"email", "name", "postal_address"})


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text(max_size=200)))
def test_what_a_browser_encodes_is_read_back(fields):
    from urllib.parse import urlencode

    fields = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    assert parse(urlencode(fields).encode(), FIELDS) == fields


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_with_a_reason(body):
    try:
        found = parse(body, FIELDS)
    except FormRefused as refused:
        assert refused.status in {400, 413}
    else:
        assert found.keys() <= FIELDS


@given(st.text(alphabet="abcdefgh%&=+ 0123456789\u00e9", max_size=60))
def test_a_refusal_repeats_no_value(typed):
    try:
        parse(b"email=" + b"%zz" + typed.encode(), FIELDS)
    except FormRefused as refused:
        assert "%zz" not in str(refused)


def test_too_many_fields_are_refused():
    with pytest.raises(FormRefused):
        parse(b"&".join(b"a%d=1" % n for n in range(17)), FIELDS)


class TestBuckets:
    def test_a_burst_then_one_each_refill(self):
        now = [0.0]
        buckets = Buckets(3, 10.0, clock=lambda: now[0])
        assert [buckets.take(b"a") for _ in range(3)] == [0, 0, 0]
        assert buckets.take(b"a") == pytest.approx(10.0)
        now[0] = 4.0
        assert buckets.take(b"a") == pytest.approx(6.0)
        now[0] = 10.0
        assert buckets.take(b"a") == 0
        assert buckets.take(b"a") == pytest.approx(10.0)
        now[0] = 1000.0
        assert [buckets.take(b"a") > 0 for _ in range(4)] == [False, False, False, True]

    def test_memory_is_bounded_and_the_newest_are_kept(self):
        buckets = Buckets(1, 1000.0, most=10)
        for number in range(1000):
            buckets.take(number.to_bytes(2))
        assert len(buckets) == 10
        assert buckets.take((999).to_bytes(2)) > 0

    @given(st.lists(st.floats(0, 50), max_size=60))
    def test_never_more_than_the_burst_and_the_refills(self, steps):
        now = [0.0]
        buckets = Buckets(5, 10.0, clock=lambda: now[0])
        taken = 0
        for step in steps:
            now[0] += step
            taken += buckets.take(b"a") == 0
        assert taken <= 5 + now[0] / 10 + 1e-6


class TestProxies:
    judge = staticmethod(
        lambda peer, trusted=(), **headers: Proxies(trusted, b"k").judge(
            peer, [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        )
    )

    def bucket(self, *arguments, **headers):
        return self.judge(*arguments, **headers).bucket

    def test_what_a_stranger_claims_is_not_believed(self):
        alone = self.judge("192.0.2.1")
        assert self.judge("192.0.2.1", x_forwarded_for="198.51.100.7", x_forwarded_proto="https") == alone
        assert not alone.private

    def test_the_right_most_hop_that_is_not_ours_is_the_visitor(self):
        ours = ["192.0.2.0/24"]
        direct = self.bucket("198.51.100.7")
        for chain in (
            "198.51.100.7",
            "203.0.113.9, 198.51.100.7",
            "198.51.100.7:1234, 192.0.2.8",
            "x, 198.51.100.7,192.0.2.9",
        ):
            assert self.bucket("192.0.2.1", ours, x_forwarded_for=chain) == direct
        assert self.bucket("192.0.2.1", ours, x_forwarded_for="198.51.100.7, nonsense") == self.bucket("192.0.2.1")

    def test_a_household_has_one_bucket_for_its_ipv6_addresses(self):
        assert self.bucket("2001:db8:1:2::1") == self.bucket("2001:db8:1:2:ffff::9")
        assert self.bucket("2001:db8:1:2::1") != self.bucket("2001:db8:1:3::1")
        assert self.bucket("::ffff:192.0.2.1") == self.bucket("192.0.2.1")
        assert self.bucket("192.0.2.9", ["192.0.2.9"], x_forwarded_for="[2001:db8:1:2::5]:80") == self.bucket(
            "2001:db8:1:2::1"
        )

    def test_another_key_gives_another_hash(self):
        assert Proxies([], b"a").judge("192.0.2.1", []).bucket != Proxies([], b"b").judge("192.0.2.1", []).bucket

    def test_a_caller_does_not_show_its_address(self):
        assert "192.0.2" not in repr(self.judge("192.0.2.1"))

    def test_no_peer_is_nobody(self):
        assert not self.judge(None).private


class TestWork:
    work = ProofOfWork(b"k" * 32, 30, 8)

    def test_another_fronts_challenge_is_taken_and_a_strangers_is_not(self):
        payload = solved(self.work.challenge())
        assert ProofOfWork(b"k" * 32, 30, 8).redeem_work(payload).once == self.work.redeem_work(payload).once
        with pytest.raises(WorkRefused):
            ProofOfWork(b"x" * 32, 30, 8).redeem_work(payload)

    def test_an_easier_challenge_is_not_accepted(self):
        challenge = self.work.challenge()
        challenge["parameters"]["keyPrefix"] = ""
        with pytest.raises(WorkRefused):
            self.work.redeem_work(solved(challenge))

    @given(st.text(max_size=100))
    def test_nonsense_is_refused_and_nothing_else(self, text):
        for redeem in (self.work.redeem_work, self.work.redeem_ticket):
            with pytest.raises(WorkRefused):
                redeem(text)

    def test_a_ticket_has_one_spelling(self):
        ticket = ProofOfWork(b"k" * 32, 30, 0).ticket()
        assert ProofOfWork(b"k" * 32, 30, 0).redeem_ticket(ticket)
        for other in (ticket + "=", ticket[:-1], ticket + " ", "B" + ticket[1:]):
            with pytest.raises(WorkRefused):
                ProofOfWork(b"k" * 32, 30, 0).redeem_ticket(other)


@given(st.integers(0, 0xFFFFFF))
def test_any_accent_is_made_readable_in_both_themes(number):
    accent = f"#{number:06x}"
    light = readable(accent, (theme.LIGHT_GROUND, theme.LIGHT_CARD), darker=True)
    dark = readable(accent, (theme.DARK_GROUND, theme.DARK_CARD), darker=False)
    assert min(contrast(light, other) for other in (theme.LIGHT_GROUND, theme.LIGHT_CARD)) >= 4.5
    assert min(contrast(dark, other) for other in (theme.DARK_GROUND, theme.DARK_CARD)) >= 4.5


def test_an_origin_is_written_as_browsers_write_it():
    assert origin("https://WWW.Example.com:443/a?b") == "https://www.example.com"
    assert origin("http://localhost:8000/") == "http://localhost:8000"
    assert origin("http://[::1]:8000/x") == "http://[::1]:8000"
    for wrong in ("javascript:alert(1)", "/news.html", "https://"):
        with pytest.raises(ValueError, match="http"):
            origin(wrong)


class TestPublished:
    def test_generations_are_switched_whole_and_three_are_kept(self, tmp_path, keys):
        assert published.load(tmp_path) is None
        for generation in range(1, 8):
            published.write(tmp_path, make_published(keys, generation=generation))
            assert published.load(tmp_path).generation == generation
        assert sorted(p.name for p in tmp_path.iterdir()) == [
            "current", "gen-000000000005", "gen-000000000006", "gen-000000000007",
        ]  # fmt: skip

    def test_what_a_crash_left_is_swept_away(self, tmp_path, keys):
        (tmp_path / ".gen-000000000001.new").mkdir()
        (tmp_path / "gen-000000000001").mkdir()
        (tmp_path / ".current.new").symlink_to("nowhere")
        published.write(tmp_path, make_published(keys))
        assert published.load(tmp_path).generation == 1

    def test_a_link_that_leads_elsewhere_is_not_followed(self, tmp_path, keys):
        os.symlink("../../etc", tmp_path / "current")
        assert published.current(tmp_path) is None

    def test_a_generation_of_another_version_is_a_clear_error(self, tmp_path, keys):
        published.write(tmp_path, make_published(keys))
        file = tmp_path / "current" / "front.msgpack"
        file.write_bytes(file.read_bytes()[:-5])
        with pytest.raises(published.PublishedError) as caught:
            published.load(tmp_path)
        assert "same version" in caught.value.mend


@pytest.mark.parametrize("category", sorted(LONGEST))
def test_what_is_far_too_long_is_refused_without_being_searched(category, monkeypatch):
    """Found by attack: sixty thousand digits, a dash behind each, held a front up for a second."""

    def search(text):
        assert len(text) <= 2 * LONGEST[category]
        return mask(text)

    monkeypatch.setattr(contact_details, "mask", search)

    def tidy(typed):
        return fields.tidied(SimpleNamespace(fields=[category]), {category: typed}).texts[category]

    assert len(tidy("4-" * 30_000)) > LONGEST[category]
    with pytest.raises(ValueError, match="at most"):
        contact_details.check(category, tidy("4-" * 30_000))
    assert "4242 4242" not in tidy("4242 4242 4242 4242 ")


def test_each_field_has_a_name_a_control_a_type_and_a_longest_value():
    for listed in (contact_details.FIELDS, TYPES):
        assert set(listed) == set(Category)
