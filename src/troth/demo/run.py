"""`troth demo`: a whole site on this machine, with a sample vendor's website before it and a mail company behind it.

Makes a site in a temporary folder, starts Troth's processes as `troth serve` would, and two programs of its own: the
vendor's website and a mail company that keeps every mail. Ends on SIGTERM or SIGINT, leaves no process, removes the
site. May touch: that folder, and five ports on 127.0.0.1.
"""

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
from troth.demo.operator import EMAIL
from troth.operate import create_site
from troth.supervisor.supervisor import Supervisor

PORT_BASE = 8700
_READY_SECONDS = 60.0
_PUBLISHED_SECONDS = 20.0
_LINES = 15
_PACKAGES = {"aiosmtpd": "aiosmtpd", "dkim": "dkimpy"}
_DOMAIN = "example.com"


class DemoError(TrothError):
    """The demo cannot run here and now."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Five ports in a row, all on loopback."""

    base: int

    @property
    def front(self) -> str:
        """Of the same site as the vendor's pages, as it has to be: a visitor's choice not to be counted is a cookie."""
        return f"http://localhost:{self.base}"

    @property
    def office(self) -> str:
        """A name: passkeys belong to names."""
        return f"http://localhost:{self.base + 1}"

    @property
    def vendor(self) -> str:
        """The sample vendor's website."""
        return f"http://localhost:{self.base + 2}"

    @property
    def mail(self) -> str:
        """Where the mail company shows its mails."""
        return f"http://localhost:{self.base + 3}"

    @property
    def smtp(self) -> int:
        """Where the mail company takes them."""
        return self.base + 4

    def check(self) -> None:
        """Raise `DemoError` where one of them cannot be had."""
        if not 1024 <= self.base <= 65531:
            raise DemoError(
                f"{self.base} is no good as the first of five ports.", mend="Choose 1024 to 65531 with --port-base."
            )
        for port in range(self.base, self.base + 5):
            try:
                socket.create_server(("127.0.0.1", port)).close()
            except OSError as error:
                why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
                raise DemoError(
                    f"Port {port} {why}.",
                    mend=f"End what listens there, or choose others: make demo PORTS={self.base + 100} "
                    f"(troth demo --port-base {self.base + 100})",
                ) from None


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the demo tells whoever started it."""

    site: str
    front: str
    office: str
    vendor: str
    mail: str
    sign_in: str


def main(port_base: int = PORT_BASE, json: bool = False, keep: bool = False, days: int = 90) -> int:
    """Run the demo until SIGTERM or SIGINT. Returns an exit code; raises `TrothError` where it cannot start.

    `json`: print one JSON line when ready and nothing else. `keep`: leave the site's folder where it is.
    `days`: so many days of generated visits, marked as such.
    """
    ports = Ports(port_base)
    _check_packages()
    ports.check()
    folder = Path(tempfile.mkdtemp(prefix="troth-demo-"))
    says = _Says(quiet=json)
    try:
        with _asked_to_stop_ends():
            return _run(folder, ports, says, days)
    except _Stopped:
        return 0
    except TrothError as error:
        raise DemoError(str(error), mend="\n".join([error.mend, *_last_lines(folder)])) from error
    finally:
        if keep:
            says.line(f"The site stays in {folder / 'site'}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _check_packages() -> None:
    """Raise `DemoError` where the mail company's packages are not installed: no real site needs them."""
    lacking = [name for module, name in _PACKAGES.items() if importlib.util.find_spec(module) is None]
    if lacking:
        raise DemoError(
            f"The demo needs packages that a real site does not: {', '.join(lacking)}.",
            mend="`make demo` installs them and starts the demo.",
        )


def _run(folder: Path, ports: Ports, says: "_Says", days: int) -> int:
    root = folder / "site"
    says.line("→ making a site")
    create_site.init(root, name="Example Software", url=ports.front)
    (root / "troth.toml").write_text(settings(ports), "utf-8")
    with ExitStack() as ending:
        log = os.open(folder / "demo.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        ending.callback(os.close, log)
        says.line("→ starting the mail company")
        ending.callback(_mail_company(Site(root), ports, log).end)
        if days:
            says.line(f"→ generating {days} days of visits (about 10 s)")
            helpers.ask("troth.demo.visits", [str(root), str(days)], log=log)
        says.line("→ starting Troth: clerk, worker, office, front")
        supervisor = Supervisor(root, quiet=True, one_user=True)
        ending.callback(supervisor.stop)
        supervisor.start()
        supervisor.wait_ready(_READY_SECONDS)
        says.line("→ building and starting the vendor's website")
        ending.callback(_vendor_site(folder / "vendor", ports, log).end)
        link = helpers.ask("troth.demo.operator", [str(root)], log=log)
        says.ready(Addresses(str(root), ports.front, ports.office, ports.vendor, ports.mail, ports.office + link))
        code = supervisor.run()
        says.line("→ ending everything")
    return code


def _last_lines(folder: Path) -> list[str]:
    """What the logs said last: they go with the folder. They carry nobody's details, only ours."""
    lines = [
        line
        for log in (folder / "demo.log", folder / "site" / "troth.log")
        if log.exists()
        for line in log.read_text("utf-8", "replace").splitlines()
    ]
    return lines[-_LINES:]


def settings(ports: Ports) -> str:
    """The demo's `troth.toml`."""
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

[mail]
relay = "smtp://localhost:{ports.smtp}"
sender = "letters@{_DOMAIN}"

[office]
listen = "127.0.0.1:{ports.base + 1}"
url = "{ports.office}"
notify = ["desk@{_DOMAIN}"]
"""


def _mail_company(site: Site, ports: Ports, log: int) -> helpers.Helper:
    told = ["--smtp", str(ports.smtp), "--http", str(ports.base + 3), "--json"]
    key = site.dkim_keys / "troth.pem"
    if key.exists():
        told += ["--dkim-key", str(key), "--dkim-selector", "troth", "--dkim-domain", _DOMAIN]
    return helpers.Helper("troth.demo.mailcompany", told, log=log)


def _vendor_site(folder: Path, ports: Ports, log: int) -> helpers.Helper:
    embed, contact = (_embed(ports, form) for form in ("newsletter", "contact"))
    vendor.build(folder, embed=embed, contact=contact, mail=ports.mail, front=ports.front)
    told = ["--folder", str(folder), "--port", str(ports.base + 2), "--front", ports.front]
    return helpers.Helper("troth.demo.vendor", told, log=log)


def _embed(ports: Ports, form: str) -> str:
    """A form to paste, fetched from the front as a vendor would, once the worker has published."""
    until = time.monotonic() + _PUBLISHED_SECONDS
    while True:
        status, text = _fetch(ports.base, f"/{form}?embed")
        if status == http.HTTPStatus.OK:
            return text
        if time.monotonic() > until:
            raise DemoError(f"The front answered {status} when asked for the form.")
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
    """SIGTERM or SIGINT came while things were still being started."""


@contextmanager
def _asked_to_stop_ends() -> Iterator[None]:
    """Until the supervisor takes the signals over, and again after it: stop in order, whatever is being done."""

    def stop(number: int, frame: object) -> None:
        raise _Stopped

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    yield


class _Says:
    """What the demo tells a person; with `quiet`, only the one line for programs."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(highlight=False)

    def line(self, text: str) -> None:
        """A step."""
        if not self._quiet:
            self._console.print(text, style="dim", soft_wrap=True)

    def ready(self, at: Addresses) -> None:
        """Everything serves."""
        if self._quiet:
            told = {name: getattr(at, name) for name in Addresses.__slots__}
            print(jsonlib.dumps(told), flush=True)  # noqa: T201
            return
        self._console.rule("[bold]Troth is running[/bold]", align="left")
        for heading, address, words in _walk(at):
            self._console.print(f"  [bold]{heading}[/bold]  [dim]{words}[/dim]", soft_wrap=True)
            # Long addresses are left to the terminal to wrap: only then can they be clicked or copied whole.
            self._console.print(f"     [cyan]{address}[/cyan]", soft_wrap=True)
        self._console.rule("[dim]Ctrl-C ends it[/dim]", align="left")
        sys.stdout.flush()


def _walk(at: Addresses) -> list[tuple[str, str, str]]:
    """What there is to do, where, and what to expect."""
    users = "; all processes run as one user here" if os.geteuid() == 0 else ""
    return [
        ("1  Sign up", f"{at.vendor}/#newsletter", "on the sample vendor's page"),
        ("2  Read the mail", at.mail, "follow its link, press the button"),
        ("3  Be on the list", at.sign_in, f"signs you in as {EMAIL}, once, within 30 minutes"),
        ("4  Leave", at.mail, "by the mail's other link"),
        ("5  Write", f"{at.vendor}/contact.html", "as a visitor"),
        ("6  Answer", f"{at.office}/messages/", "as the operator; the answer comes by mail"),
        ("7  Ask what is kept", f"{at.front}/privacy/me", "as a visitor; take it along, or erase it"),
        ("8  Look at your visitors", f"{at.office}/visitors/", "your own walk, and 90 days that were generated"),
        ("   Also", f"{at.front}/privacy/choices", "not to be counted, by one click"),
        ("   Also", f"{at.front}/newsletter", "Troth's own form; /contact is the other"),
        ("   Also", at.site, f"the site's folder; troth.log is in it{users}"),
    ]
