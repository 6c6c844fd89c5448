"""A real site that can be served, stopped, backed up and restored, and a real mail server that counts what comes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from email import message_from_bytes, policy
from email.utils import parseaddr
from hashlib import sha256
from pathlib import Path

from aiosmtpd.controller import Controller

from bench.site import CONSENT, free_port, settings
from tests import forked, new_site
from troth.operate import create_site

TROTH = Path(sys.executable).with_name("troth")
COMMAND = "from troth.cli import main; main()"
DJANGO = """
import os, sys, json
os.environ["TROTH_SITE"] = sys.argv[1]; os.environ["DJANGO_SETTINGS_MODULE"] = "troth.django_settings"
import django; django.setup()
from troth.vault.keeper import keeper
from troth.vault.models import Person
from troth.gate.models import Delivery
from troth.newsletter.models import Subscription, Request
from troth.core.personal import EmailAddress
from troth.core import clock
def who(address): return keeper().find("worker", EmailAddress(address))
def tell(what): print(json.dumps(what, default=str))
"""


class MailCompany:
    """Takes every mail, or none for now."""

    def __init__(self):
        self.mails, self.refuses = [], False
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())

    def __enter__(self):
        self._controller.start()
        self.port = self._controller.port
        return self

    def __exit__(self, *_):
        self._controller.stop()

    async def handle_DATA(self, _server, _session, envelope):
        if self.refuses:
            return "451 4.3.0 later"
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((parseaddr(envelope.rcpt_tos[0])[1], mail["message-id"], mail))
        return "250 OK"

    def to(self, address):
        """The mails that one address got."""
        return [mail for who, _, mail in self.mails if who == address]

    def wait(self, address, count=1):
        """Wait until an address has got so many mails; the last."""
        until(lambda: len(self.to(address)) >= count, f"mail {count} to {address}")
        return self.to(address)[-1]

    @property
    def twice(self):
        """Message-IDs that came more than once."""
        ids = [ident for _, ident, _ in self.mails]
        return {ident for ident in ids if ids.count(ident) > 1}


def until(what, name, seconds=30):
    """Wait for something to be true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"waited in vain for {name}"
        time.sleep(0.05)


class House:
    """One site."""

    def __init__(self, folder, company, database=""):
        self.root, self.port, self.office = folder / "site", free_port(), free_port()
        self.company, self.database, self._serving = company, database, None
        make = create_site.init if database else new_site.create
        made = make(self.root, url=f"http://127.0.0.1:{self.port}")
        self.paper = folder / "paper"
        self.paper.write_text("\n".join(made.recovery))
        (self.root / "troth.toml").write_text(
            settings(self.port, self.office, smtp=company.port, proof=False, database=database)
        )

    # -- serving ----------------------------------------------------------------------------------------------------

    def serve(self, root=None):
        """Start every process and wait until the front answers."""
        self._serving = subprocess.Popen(
            [TROTH, "serve", "--one-user", "--site", root or self.root], stderr=subprocess.PIPE, start_new_session=True
        )
        until(self._answers, "the front")

    def _answers(self):
        if self._serving.poll() is not None:
            raise AssertionError(self._serving.stderr.read().decode())
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stop(self):
        """End it, as SIGTERM does."""
        if self._serving is not None:
            self._serving.send_signal(signal.SIGTERM)
            self._serving.communicate(timeout=60)
            self._serving = None

    # -- visitors ---------------------------------------------------------------------------------------------------

    def post(self, path, **typed):
        """Send a form, without following where it leads."""
        body = urllib.parse.urlencode(typed).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, method="POST")
        opener = urllib.request.build_opener(_Stay)
        try:
            with opener.open(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def sign_up(self, address, name="Ada Example"):
        """Fill in the form; the answer says that it is kept."""
        wording = sha256(CONSENT.encode()).hexdigest()
        assert self.post("/newsletter", email=address, name=name, wording=wording) == 303

    def follow(self, mail, what):
        """Press the button behind a link of a mail."""
        text = mail.get_body(("plain",)).get_content() + str(mail["list-unsubscribe"])
        link = re.search(rf"/{what}/[A-Za-z0-9_-]+", text)
        assert link, text
        assert self.post(link[0]) == 303

    # -- the operator -----------------------------------------------------------------------------------------------

    def troth(self, *words, code=0):
        """Run a command of the shell; its JSON, or its words where it fails as expected."""
        done = forked.run(COMMAND, *words, env=os.environ, timeout=200)
        assert done.returncode == code, (done.returncode, done.stdout[-2000:], done.stderr[-3000:])
        assert "Traceback" not in done.stderr, done.stderr
        if code:
            return done.stderr
        return json.loads(done.stdout) if "--json" in words else done.stdout

    def backup(self, folder):
        """Back up; the files, data and keys."""
        folder.mkdir(exist_ok=True)
        told = self.troth("backup", folder, "--site", self.root, "--json")
        return sorted((Path(name) for name in told["files"]), key=lambda path: path.name)

    def restore(self, *sources, to=None, options=(), code=0):
        """Restore with the key on the paper."""
        words = ["restore", *sources, "--to", to or self.root, "--recovery-key", self.paper, *options]
        return self.troth(*words, *(() if code else ("--json",)), code=code)

    def inside(self, code, root=None):
        """Run lines with Django on the site; what they tell."""
        done = forked.run(DJANGO + code, root or self.root, env=os.environ)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    def erase(self, address):
        """Erase somebody, as the office does."""
        self.inside(
            f"one = who({address!r}); keeper().suppress([EmailAddress({address!r})]); keeper().erase([one]); "
            "keeper().tidy()"
        )


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
