"""The house's page and Prometheus' figures: what stands, what waits, and nobody's details."""

import json
import re

import pytest
from django.core.wsgi import get_wsgi_application

from tests.conftest import both
from tests.office.test_roles import sign_in
from tests.proofs.runs import write_run
from tests.worker.test_intake import drain, signup
from troth.core import clock
from troth.gate.models import Delivery
from troth.kit.roles import Role
from troth.office import metrics, system_status
from troth.vault.models import AsideItem
from troth.worker import timers


def tell(site, *processes, age_ms=0):
    told = {"at": clock.timestamp_ms() - age_ms, "processes": list(processes)}
    (site.data / "house.json").write_text(json.dumps(told))


CLERK = {"name": "clerk", "up": True, "since": 1_780_000_000_000, "restarts": 2}
FRONT = {"name": "front 0", "up": False, "since": 1_780_000_000_000, "restarts": 0}


@pytest.mark.parametrize("role", list(Role))
def test_the_page_shows_each_process_and_queue(site, role):
    tell(site, CLERK, FRONT)
    site.submit(signup("ada@example.com"))
    drain()
    timers.started()
    page = sign_in(role).get("/status/").content.decode()
    assert "Intake" in page and "Public server 1" in page and "running" in page and "down" in page and "working" in page
    assert "ada@example.com" not in page


def test_why_mails_wait_is_listed_with_what_to_do(site):
    site.submit(signup("ada@example.com"))
    drain()
    Delivery.objects.update(state="queued", reason="name")
    page = sign_in(Role.ANALYST).get("/status/").content.decode()
    assert "1 email is waiting: the SMTP server&#x27;s name cannot be resolved." in page
    assert "Check <code>relay</code> under [mail]" in page


def test_what_was_set_aside_is_listed_with_its_reason(site):
    AsideItem.objects.create(segment=1, offset=16, size=900, reason=AsideItem.Reason.NO_KEY, kept=True)
    page = sign_in(Role.ANALYST).get("/status/").content.decode()
    assert "key is missing" in page and "troth failed retry" in page


@pytest.mark.parametrize("text", ["", "{", '{"at": 1}', '{"at": 1, "processes": [{"name": 1, "x": 2}]}', "[]"])
def test_a_file_that_makes_no_sense_is_no_file(site, text):
    (site.data / "house.json").write_text(text)
    assert system_status.gather().processes == ()


def test_an_old_word_of_the_supervisor_does_not_count(site):
    tell(site, CLERK, age_ms=61_000)
    assert system_status.gather().processes == ()


def ask(port, path="/metrics", method="GET"):
    told = {}
    application = metrics.beside(get_wsgi_application(), 9108)
    environ = {"SERVER_PORT": port, "PATH_INFO": path, "REQUEST_METHOD": method}
    body = application(environ, lambda status, headers: told.update(status=status, headers=dict(headers)))
    return told["status"], b"".join(body).decode()


@both
def test_prometheus_gets_figures_without_a_person(site):
    tell(site, CLERK)
    site.submit(signup("ada@example.com"), signup("bob@example.com"))
    drain()
    timers.started()
    write_run(visits_nowhere="broken")
    status, body = ask("9108")
    assert status.startswith("200")
    figures_told = dict(re.findall(r"^(troth_\S+) (\S+)$", body, re.M))
    assert figures_told["troth_people"] == "2"
    assert figures_told['troth_mails{state="queued"}'] == "2"
    assert figures_told['troth_process_up{process="clerk"}'] == "1"
    assert figures_told["troth_worker_alive"] == "1"
    assert figures_told['troth_promise_broken{promise="visitors.aggregate"}'] == "1"
    assert figures_told['troth_promise_kept{promise="visitors.aggregate"}'] == "0"
    assert figures_told['troth_promise_kept{promise="contact.basic"}'] == "1"
    assert "example.com" not in body
    for line in body.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) troth_\w+ .+|troth_\w+(\{\w+="[^"]*"\})? -?[0-9.e+]+', line), line


@pytest.mark.parametrize(("path", "method"), [("/", "GET"), ("/people/", "GET"), ("/metrics", "POST")])
def test_the_port_for_figures_leads_to_nothing_else(site, path, method):
    assert ask("9108", path, method)[0].startswith("404")
