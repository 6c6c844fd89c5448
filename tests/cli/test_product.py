"""`troth product` and `troth shop` on a site where nothing runs."""

import json
import re
import stat

import pytest

from tests import forked
from tests.cli.running import CODE, troth
from tests.demo.card_company.company import running
from tests.shop.conftest import PRODUCTS
from troth.core.site import Site

SECRET = "whsec_0123456789abcdef"


@pytest.fixture(scope="module")
def company():
    with running() as company:
        yield company


def typed(line, *words):
    """Run a command that reads a line."""
    named = {"COLUMNS": "200", "NO_COLOR": "1", "PATH": "/usr/bin:/bin"}
    return forked.run(CODE, *words, env=named, strict=True, stdin=line)


@pytest.fixture
def selling(root, company):
    text = root.joinpath("troth.toml").read_text()
    section = f'[shop]\nenabled = true\napi = "{company.url}"\npages = "{company.url}"\ncurrencies = ["EUR", "JPY"]\n'
    root.joinpath("troth.toml").write_text(re.sub(r"\[shop\]\n", section, text, count=1))
    return root


def test_a_file_is_published_and_listed(selling, company, tmp_path):
    file = tmp_path / "products.toml"
    file.write_text(PRODUCTS)
    refused = troth("product", "publish", file, "--site", selling)
    assert refused.returncode == 1 and "troth shop key" in refused.stderr
    assert typed(company.key, "shop", "key", "--site", selling).returncode == 0
    done = troth("product", "publish", file, "--json", "--site", selling)
    assert json.loads(done.stdout) == {"new_prices": 3, "published": 3, "withdrawn": 0}, done.stderr
    told = json.loads(troth("product", "list", "--json", "--site", selling).stdout)
    (product,) = told["products"]
    assert [price["price"] for price in product["prices"]] == ["49.00 EUR", "7,800 JPY", "199.00 EUR"]
    assert "49.00 EUR" in troth("product", "list", "--site", selling).stdout


def test_without_a_shop_nothing_is_published(root, tmp_path):
    file = tmp_path / "products.toml"
    file.write_text(PRODUCTS.replace(', JPY = "7800"', ""))
    done = troth("product", "publish", file, "--site", root)
    assert done.returncode == 1 and done.stderr.startswith("The shop is off.")


def test_a_file_that_is_wrong_is_one_sentence(root, tmp_path):
    file = tmp_path / "products.toml"
    file.write_text("[[product")
    done = troth("product", "publish", file, "--site", root)
    assert done.returncode == 1 and "not TOML" in done.stderr and "Traceback" not in done.stderr


def test_keys_are_stored_for_the_worker_alone_and_never_printed(root):
    site = Site(root)
    assert troth("shop", "address", "--site", root).returncode == 1
    done = typed("sk_test_0123456789\n", "shop", "key", "--site", root)
    assert "no restricted key" in done.stderr and "0123456789" not in done.stdout + done.stderr
    address = done.stdout.strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:18399/notices/[0-9a-f]{48}", address)
    assert typed("rk_test_another1234\n", "shop", "key", "--site", root).stdout.strip() == address
    assert site.card_company_key.read_text() == "rk_test_another1234\n"
    assert stat.S_IMODE(site.card_company_key.stat().st_mode) == 0o600
    for number in range(3):
        assert typed(f"{SECRET}{number}\n", "shop", "secret", "--site", root).returncode == 0
    assert site.card_company_secrets.read_text().split() == [f"{SECRET}2", f"{SECRET}1"]


@pytest.mark.parametrize(("command", "line"), [("key", "hunter2"), ("key", ""), ("secret", "rk_test_0123456789")])
def test_what_is_no_key_is_refused_and_not_repeated(root, command, line):
    done = typed(f"{line}\n", "shop", command, "--site", root)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert not line or line not in done.stderr
    assert not Site(root).card_company_files()


# -- orders ----------------------------------------------------------------------------------------------------


@pytest.fixture
def sold(selling, company, tmp_path):
    """A site that has sold something; returns its folder and the order's number."""
    file = tmp_path / "products.toml"
    file.write_text(PRODUCTS)
    typed(company.key, "shop", "key", "--site", selling)
    assert troth("product", "publish", file, "--site", selling).returncode == 0
    (product,) = json.loads(troth("product", "list", "--json", "--site", selling).stdout)["products"]
    session = company.web.get(product["prices"][0]["url"]).headers["location"].rpartition("/")[2]
    company.control("pay", session=session, email="ada@example.com")
    done = troth("reconcile", "--json", "--site", selling)
    assert done.returncode == 0 and json.loads(done.stdout)["orders"] == 1, done.stderr
    (line,) = json.loads(troth("order", "list", "--json", "--site", selling).stdout)
    return selling, line["number"]


def test_an_order_is_found_shown_refunded_and_its_email_sent_again(sold):
    site, number = sold
    for words in (number, "ada@example.com", "4242"):
        (line,) = json.loads(troth("order", "list", "--find", words, "--json", "--site", site).stdout)
        assert (line["number"], line["total"], line["state"]) == (number, "49.00 EUR", "paid")
    assert troth("order", "resend", number, "--site", site).stdout == "Queued.\n"
    part = troth("order", "refund", number, "--amount", "9.00", "--json", "--site", site)
    told = json.loads(part.stdout)
    assert (told["state"], told["left"]) == ("part_refunded", "40.00 EUR"), part.stderr
    whole = troth("order", "refund", number, "--site", site)
    assert whole.returncode == 0 and "refunded" in whole.stdout
    shown = troth("order", "show", number, "--site", site).stdout
    assert shown.count("refund ") == 2 and "payment" in shown and "ada" not in shown
    table = troth("order", "export", "--site", site).stdout
    assert table.count("refund") == 2 and "ada" not in table
    (sums,) = json.loads(troth("order", "statement", "--month", table.split()[1][:7], "--json", "--site", site).stdout)
    assert (sums["sales"], sums["refunds"], sums["total"]) == ("49.00", "-49.00", "0.00")
    assert "All 1 settled orders agree" in troth("reconcile", "--site", site).stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["refund", "{}", "--amount", "50.00"], "cannot be refunded"),
        (["refund", "{}", "--amount", "9,00"], "is no amount in EUR"),
        (["refund", "XXXXX-XXXXX"], "no order with this number"),
        (["show", "XXXXX-XXXXX"], "no order with this number"),
        (["resend", "XXXXX-XXXXX"], "no order with this number"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(sold, words, why):
    site, number = sold
    done = troth("order", *(word.format(number) for word in words), "--site", site)
    assert done.returncode == 1 and why in done.stderr and "Traceback" not in done.stderr


def test_without_orders_lists_are_empty(root):
    assert troth("order", "list", "--site", root).stdout == "There are no orders.\n"
    assert json.loads(troth("order", "list", "--json", "--site", root).stdout) == []
    done = troth("reconcile", "--site", root)
    assert done.returncode == 1 and done.stderr.startswith("The shop is off.")
