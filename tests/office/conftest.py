"""Operators and browsers without a screen: Django's test client on a real site, its database, its key store."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.test import Client

from tests.office.codes import code
from tests.worker.test_intake import drain, signup
from troth.office import operators
from troth.office.models import Operator

PASSWORD = "heron under the slow bridge"
EMAIL = "olga@example.com"


def browser(**options) -> Client:
    """A browser that has never been here."""
    return Client(SERVER_NAME="localhost", **options)


@dataclass
class Desk:
    """An operator at their desk."""

    operator: Operator
    client: Client

    def get(self, path: str):
        return self.client.get(path)

    def post(self, path: str, typed: dict | None = None):
        return self.client.post(path, typed or {})


@pytest.fixture(autouse=True)
def _nobody_tried_yet() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@functools.cache
def _hashed(password: str) -> str:
    """As Troth itself hashes it, which is slow on purpose: once, not again for each test."""
    return make_password(password)


@pytest.fixture
def operator(site) -> Operator:
    """An operator with a password and no second factor."""
    operators.add("Olga", EMAIL)
    made = Operator.objects.get()
    made.password = _hashed(PASSWORD)
    made.save()
    return made


@pytest.fixture
def desk(operator) -> Desk:
    """Signed in by a link from the shell."""
    client = browser()
    answer = client.post(operators.new_link(EMAIL, signs_in=True))
    assert answer.status_code == 302
    return Desk(operator, client)


def type_password(client: Client, *, email: str = EMAIL, password: str = PASSWORD):
    """The first step."""
    return client.post("/sign-in/", {"login": email, "password": password})


def enrol(client: Client) -> str:
    """Add an authenticator app as a person does; returns its secret."""
    page = client.get("/account/app/add/")
    secret = page.context["form"].secret
    # The code of the period before: valid, and the present one stays unspent.
    answer = client.post("/account/app/add/", {"code": code(secret, steps=-1)})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account/codes/")
    return secret


@pytest.fixture
def enrolled(operator) -> str:
    """The operator's authenticator app: its secret."""
    client = browser()
    client.post(operators.new_link(EMAIL, signs_in=True))
    return enrol(client)


@pytest.fixture
def people(site):
    """`people(address, name)` signs somebody up and files it; returns their id."""
    from troth.newsletter.models import Subscription

    def sign_up(address: str = "ada@example.com", name: str = "Ada Example"):
        known = set(Subscription.objects.values_list("id", flat=True))
        site.submit(signup(address, name))
        drain()
        return Subscription.objects.exclude(id__in=known).get().person_id

    return sign_up


PAGES = [
    "/",
    "/people/",
    "/newsletter/",
    "/newsletter/topics/",
    "/promises/",
    "/promises/policy/",
    "/account/",
    "/account/passkeys/",
    "/account/app/add/",
    "/account/codes/",
    "/account/password/",
]
"""Every page that a signed-in operator may GET without naming a person."""
