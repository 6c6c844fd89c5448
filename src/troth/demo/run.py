"""`troth demo`: a complete site on this machine, with a sample vendor's website, a test mail server and a test card
company. Creates it in a temporary folder and starts Troth's processes as `troth serve` would, and those three. Ends on
SIGTERM or SIGINT, leaves no process behind, deletes the site. May touch: that folder, and six ports on 127.0.0.1."""

import errno
import http
import http.client
import importlib.util
import json as jsonlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from troth.core.errors import TrothError
from troth.core.site import Site
from troth.demo import helpers, vendor
from troth.demo.vendor import OPERATOR_EMAIL
from troth.operate import create_site
from troth.supervisor.supervisor import Supervisor

PORT_BASE = 8700
_READY_SECONDS = 60.0
_PUBLISHED_SECONDS = 20.0
_LINES = 15
_PACKAGES = {"aiosmtpd": "aiosmtpd", "dkim": "dkimpy"}
_DOMAIN = "example.com"


class DemoError(TrothError):
    """The demo cannot run."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Six ports in a row, all on loopback."""

    base: int

    @property
    def front(self) -> str:
        """The public server, on the same site as the vendor's pages because the opt-out from statistics is a cookie."""
        return f"http://localhost:{self.base}"

    @property
    def office(self) -> str:
        """Admin, under a host name because passkeys need one."""
        return f"http://localhost:{self.base + 1}"

    @property
    def vendor(self) -> str:
        """The sample vendor's website."""
        return f"http://localhost:{self.base + 2}"

    @property
    def mail(self) -> str:
        """The test mail server's web pages."""
        return f"http://localhost:{self.base + 3}"

    @property
    def smtp(self) -> int:
        """The test mail server's SMTP port."""
        return self.base + 4

    @property
    def card_company(self) -> str:
        """The test card company's pages and API."""
        return f"http://localhost:{self.base + 5}"

    def check(self) -> None:
        """Raise `DemoError` if one of them is not available."""
        if not 1024 <= self.base <= 65530:
            raise DemoError(
                f"{self.base} cannot be the first of six ports.", mend="Choose 1024 to 65530 with --port-base."
            )
        for port in range(self.base, self.base + 6):
            try:
                socket.create_server(("127.0.0.1", port)).close()
            except OSError as error:
                why = "is in use" if error.errno == errno.EADDRINUSE else f"is not available ({error.strerror})"
                raise DemoError(
                    f"Port {port} {why}.",
                    mend=f"Stop what is using it, or choose other ports: make demo PORTS={self.base + 100} "
                    f"(troth demo --port-base {self.base + 100})",
                ) from None


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses that the demo prints."""

    site: str
    front: str
    office: str
    vendor: str
    mail: str
    sign_in: str


def main(port_base: int = PORT_BASE, json: bool = False, keep: bool = False, days: int = 90) -> int:
    """Run the demo until SIGTERM or SIGINT. Returns an exit code; raises `TrothError` if it cannot start. `json`: print
    only one line of JSON when ready. `keep`: keep the site's folder. `days`: days of generated visits."""
    ports = Ports(port_base)
    _check_packages()
    ports.check()
    folder = Path(tempfile.mkdtemp(prefix="troth-demo-"))
    says = _DemoOutput(quiet=json)
    try:
        with _asked_to_stop_ends():
            return _run(folder, ports, says, days)
    except _Stopped:
        return 0
    except TrothError as error:
        raise DemoError(str(error), mend="\n".join([error.mend, *_last_lines(folder)])) from error
    finally:
        if keep:
            says.line(f"The site is kept in {folder / 'site'}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _check_packages() -> None:
    """Raise `DemoError` if the test mail server's packages are not installed; real sites do not need them."""
    lacking = [name for module, name in _PACKAGES.items() if importlib.util.find_spec(module) is None]
    if lacking:
        raise DemoError(
            f"The demo needs packages that are not installed (real sites do not need them): {', '.join(lacking)}.",
            mend="Run `make demo`, which installs them and starts the demo.",
        )


def _run(folder: Path, ports: Ports, says: "_DemoOutput", days: int) -> int:
    root = folder / "site"
    says.line("→ creating the site")
    create_site.init(root, name="Example Software", url=ports.front)
    (root / "troth.toml").write_text(settings(ports), "utf-8")
    (root / "policy.md").write_text(create_site.policy_text(shop=True), "utf-8")
    with ExitStack() as ending:
        log = os.open(folder / "demo.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        ending.callback(os.close, log)
        says.line("→ starting the test mail server")
        ending.callback(_mail_company(Site(root), ports, log).end)
        if days:
            says.line(f"→ generating {days} days of visits and a newsletter (about 10 s)")
            helpers.ask("troth.demo.on_site", [str(root), "troth.demo.history", str(days), ports.vendor], log=log)
        says.line("→ starting the test card company, publishing products")
        company = _card_company(ports, log)
        ending.callback(company.end)
        helpers.ask("troth.demo.on_site", [str(root), "troth.demo.selling", company.line], log=log)
        says.line("→ starting Troth: intake, worker, admin server, public server")
        supervisor = Supervisor(root, quiet=True, one_user=True)
        ending.callback(supervisor.stop)
        supervisor.start()
        supervisor.wait_ready(_READY_SECONDS)
        says.line("→ building and starting the sample website")
        ending.callback(_vendor_site(folder / "vendor", ports, log).end)
        link = helpers.ask("troth.demo.on_site", [str(root), "troth.demo.operator"], log=log)
        says.ready(Addresses(str(root), ports.front, ports.office, ports.vendor, ports.mail, ports.office + link))
        code = supervisor.run()
        says.line("→ stopping")
    return code


def _last_lines(folder: Path) -> list[str]:
    """Return the last lines of the logs, which are deleted with the folder. They contain nobody's details."""
    lines = [
        line
        for log in (folder / "demo.log", folder / "site" / "troth.log")
        if log.exists()
        for line in log.read_text("utf-8", "replace").splitlines()
    ]
    return lines[-_LINES:]


def settings(ports: Ports) -> str:
    """Return the demo's `troth.toml`."""
    return f"""\
[site]
name = "Example Software"
url = "{ports.front}"
privacy_url = "{ports.vendor}/privacy.html"
accent = "#8a3b12"

[controller]
name = "Example Software Ltd"
address = "1 Example Row, Exampleton"
authority = "the Data Protection Office of Exampleton"
transfers = "Whoever receives it is in Exampleton."

[front]
listen = "127.0.0.1:{ports.base}"
burst = 60
refill_seconds = 2.0

[newsletter]
title = "The Example Software letter"
intro = "What is new, what is being mended, and now and then a trick that saves an evening. About once a month."
language = "en"
similar_addresses_per_day = 1000
return_urls = ["{ports.vendor}/thanks.html"]

[contact]
title = "Write to us"
intro = "Two people answer, mostly on the same day."
return_urls = ["{ports.vendor}/contact-thanks.html"]

[audience]
hosts = ["localhost"]
events = ["trial"]
goals = ["trial", "/thanks.html"]
products = ["Plainbook", "Tidemark"]

[shop]
enabled = true
api = "{ports.card_company}"
pages = "{ports.card_company}"
currencies = ["EUR", "USD"]
terms_url = "{ports.vendor}/about.html"

[mail]
relay = "smtp://localhost:{ports.smtp}"
sender = "letters@{_DOMAIN}"

[office]
listen = "127.0.0.1:{ports.base + 1}"
url = "{ports.office}"
notify = ["desk@{_DOMAIN}"]
"""


def _mail_company(site: Site, ports: Ports, log: int) -> helpers.Helper:
    arguments = ["--smtp", str(ports.smtp), "--http", str(ports.base + 3), "--json"]
    key = site.dkim_keys / "troth.pem"
    if key.exists():
        arguments += ["--dkim-key", str(key), "--dkim-selector", "troth", "--dkim-domain", _DOMAIN]
    return helpers.Helper("troth.demo.mailcompany", arguments, log=log)


def _card_company(ports: Ports, log: int) -> helpers.Helper:
    return helpers.Helper("troth.demo.card_company", ["--port", str(ports.base + 5), "--json"], log=log)


def _vendor_site(folder: Path, ports: Ports, log: int) -> helpers.Helper:
    embed, contact = (_embed(ports, form) for form in ("newsletter", "contact"))
    vendor.build(folder, embed=embed, contact=contact, mail=ports.mail, front=ports.front)
    arguments = ["--folder", str(folder), "--port", str(ports.base + 2), "--front", ports.front]
    return helpers.Helper("troth.demo.vendor", arguments, log=log)


def _embed(ports: Ports, form: str) -> str:
    """Return a form to embed, fetched from the front as a vendor would, once the worker has published it."""
    until = time.monotonic() + _PUBLISHED_SECONDS
    while True:
        status, text = _fetch(ports.base, f"/{form}?embed")
        if status == http.HTTPStatus.OK:
            return text
        if time.monotonic() > until:
            raise DemoError(f"The public server returned status {status} for the form.")
        time.sleep(0.05)


def _fetch(port: int, path: str) -> tuple[int, str]:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        asking.request("GET", path)
        answer = asking.getresponse()
        return answer.status, answer.read().decode()
    finally:
        asking.close()


class _Stopped(BaseException):
    """SIGTERM or SIGINT arrived during the start."""


@contextmanager
def _asked_to_stop_ends() -> Iterator[None]:
    """Stop in order on SIGTERM or SIGINT, before and after the supervisor handles them."""

    def stop(number: int, frame: object) -> None:
        raise _Stopped

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    yield


class _DemoOutput:
    """Prints the demo's output; with `quiet`, only the line of JSON."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(highlight=False)

    def line(self, text: str) -> None:
        """Print a step."""
        if not self._quiet:
            self._console.print(text, style="dim", soft_wrap=True)

    def ready(self, at: Addresses) -> None:
        """Print the addresses, once everything is running."""
        if self._quiet:
            addresses = {name: getattr(at, name) for name in Addresses.__slots__}
            print(jsonlib.dumps(addresses), flush=True)  # noqa: T201
            return
        self._console.rule("[bold]Troth is running[/bold]", align="left")
        for heading, address, words in _walk(at):
            self._console.print(f"  [bold]{heading}[/bold]  [dim]{words}[/dim]", soft_wrap=True)
            # Long addresses are left to the terminal to wrap: only then can they be clicked or copied whole.
            self._console.print(f"     [cyan]{address}[/cyan]", soft_wrap=True)
        self._console.rule("[dim]Press Ctrl-C to stop[/dim]", align="left")
        sys.stdout.flush()


def _walk(at: Addresses) -> list[tuple[str, str, str]]:
    """Return what to try, where, and what to expect."""
    users = "; all processes run as one user" if os.geteuid() == 0 else ""
    return [
        ("1  Sign up", f"{at.vendor}/#newsletter", "for the newsletter, on the sample website"),
        ("2  Confirm", at.mail, "open the email and follow its link"),
        ("3  See the subscriber", at.sign_in, f"signs you in to Admin as {OPERATOR_EMAIL}, once, within 30 minutes"),
        ("4  Unsubscribe", at.mail, "with the other link in the email"),
        ("5  Send a message", f"{at.vendor}/contact.html", "as a visitor"),
        ("6  Reply", f"{at.office}/inbox/", "as the operator; the reply arrives by email"),
        ("7  See your data", f"{at.front}/privacy/me", "as a visitor; export it or delete it"),
        ("8  See the statistics", f"{at.office}/visitors/", "your own visit, and earlier days that were generated"),
        ("9  Write a newsletter", f"{at.office}/newsletter/", "topics, two sent campaigns, a draft; all generated"),
        ("10 Buy", f"{at.vendor}/products.html", "with a test card: 4242 4242 4242 4242 pays, …0002 is declined"),
        ("11 See the order", f"{at.office}/orders/", "as the operator; refund it there"),
        ("   Opt out", f"{at.front}/privacy/choices", "of statistics, with one click"),
        ("   Past issues", f"{at.front}/newsletter/archive", "of the newsletter, with an RSS feed"),
        ("   Forms", f"{at.front}/newsletter", "Troth's own newsletter form; /contact is the other"),
        ("   Files", at.site, f"the site's folder, with troth.log{users}"),
    ]
