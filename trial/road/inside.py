"""What root types in the trial's machine: docs/serve.md from its first line to its last, on SQLite and on PostgreSQL.

Runs as a service of that machine, as root. Writes road.json: each step, and whether it held.
"""

import json
import os
import pwd
import ssl
import subprocess
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from trial.road.visitor import HOST, Relay, Visitor

CA, KEY, CERT = Path("/etc/ssl/road-ca.pem"), Path("/etc/ssl/road.key"), Path("/etc/ssl/road.pem")
BACKUPS, UNITS = Path("/var/backups/troth"), Path("/etc/systemd/system")
NGINX = """\
server {{
    listen 443 ssl;
    server_name {host};
    ssl_certificate {cert};
    ssl_certificate_key {key};
    add_header Content-Security-Policy "default-src 'none'" always;
    include snippets/troth.conf;
    location / {{ return 200 "the vendor"; }}
}}
"""
CADDY = """\
{{
    log {{
        format filter {{
            wrap json
            fields {{
                request delete
            }}
        }}
    }}
}}
{host} {{
    tls {cert} {key}
    header Content-Security-Policy "default-src 'none'"
    import troth.caddy
    respond "the vendor"
}}
"""
LOGGED = (
    '192.0.2.7 - - [20/Oct/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" '
    '"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"\n'
)
STEPS: list[dict[str, Any]] = []


def held(step: str, ok: object, why: object = "") -> bool:
    """Note a step."""
    STEPS.append({"step": step, "held": bool(ok), "why": "" if ok else str(why)[-3000:]})
    print(f"{'✓' if ok else '✗'} {step}{'' if ok else f': {why}'}", flush=True)
    Path("/road.json").write_text(json.dumps(STEPS))
    return bool(ok)


def typed(words: str, *, said: str = "", fine: tuple[int, ...] = (0,), quiet: bool = False, **how: Any) -> str:
    """Type a line into root's shell, as it stands in the guide; a step. Returns what it printed."""
    done = subprocess.run(
        ["bash", "-c", words], input=said, capture_output=True, text=True, timeout=600, check=False, **how
    )
    if not quiet or done.returncode not in fine:
        held(f"$ {words}", done.returncode in fine, f"{done.returncode}: {done.stdout[-1500:]} {done.stderr[-1500:]}")
    return done.stdout


def until(what: Any, seconds: float = 60) -> bool:
    """Wait until it is so; whether it became so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError):
            if what():
                return True
        time.sleep(0.5)
    return False


# -- what stands around it --------------------------------------------------------------------------------------------


def make_certificate() -> ssl.SSLContext:
    """A local authority, and a certificate for the vendor's host."""
    Path("/etc/hosts").write_text(f"127.0.0.1 localhost {HOST}\n")
    subject = "-nodes -newkey rsa:2048 -days 30"
    typed(
        f"openssl req -x509 {subject} -subj /CN=road -keyout /etc/ssl/road-ca.key -out {CA} "
        "-addext keyUsage=critical,keyCertSign",
        quiet=True,
    )
    typed(f"openssl req {subject} -subj /CN={HOST} -keyout {KEY} -out /etc/ssl/road.csr", quiet=True)
    typed(
        f"openssl x509 -req -in /etc/ssl/road.csr -CA {CA} -CAkey /etc/ssl/road-ca.key -days 30 -out {CERT} "
        f"-extfile <(echo subjectAltName=DNS:{HOST})",
        quiet=True,
    )
    KEY.chmod(0o644)  # Caddy reads it as a user of its own; it certifies nothing
    return ssl.create_default_context(cafile=str(CA))


# -- the guide --------------------------------------------------------------------------------------------------------


class Walk:
    """One site, from nothing to being served, and what is tried of it."""

    def __init__(self, site: Path, visitor: Visitor, relay: Relay, database: str) -> None:
        self.site, self.visitor, self.relay, self.database = site, visitor, relay, database
        self.people = 0

    def make(self) -> None:
        """`Make a site`."""
        typed(f'troth init {self.site} --name "Example Software" --url https://{HOST}/troth')
        settings = self.site / "troth.toml"
        text = settings.read_text()
        text = text.replace('# relay = "smtp://localhost:25"', 'relay = "smtp://localhost:2525"')
        text = text.replace('# folder = ""', f'folder = "{BACKUPS}"')
        text = text.replace("# notify = []", 'notify = ["operator@example.com"]')
        if self.database:
            text = text.replace('# url = ""', f'url = "{self.database}"')
        settings.write_text(text)
        held("the settings are edited", 'relay = "smtp://localhost:2525"' in text and f'"{BACKUPS}"' in text, text)
        if self.database:
            (self.site / "keys/database-password").write_text("a password of the trial\n")
        typed(f"mkdir -p -m 700 {BACKUPS}")
        typed("troth doctor", cwd=self.site)
        typed('troth operator add "A. Operator" operator@example.com', cwd=self.site)

    def let_systemd_run_it(self) -> None:
        """`Let systemd run it`: the command, and each line that it says to type next."""
        told = typed(f"troth systemd {UNITS} --site {self.site}")
        for line in told.partition("As root:")[2].splitlines():
            if line.strip():
                typed(line.strip())
        state = typed("systemctl is-active troth.service", quiet=True, fine=(0, 3)).strip()
        held("the unit serves", state == "active", typed("journalctl --namespace troth -n 40 --output cat", quiet=True))

    def put_a_web_server_in_front(self, server: str) -> None:
        """`Put your web server in front`."""
        for other in {"nginx", "caddy"} - {server}:
            typed(f"systemctl stop {other}", quiet=True)
        if server == "nginx":
            Path("/etc/nginx/snippets").mkdir(exist_ok=True)
            typed("troth proxy nginx | install -m 644 /dev/stdin /etc/nginx/snippets/troth.conf", cwd=self.site)
            Path("/etc/nginx/sites-enabled/default").unlink(missing_ok=True)
            Path("/etc/nginx/conf.d/vendor.conf").write_text(NGINX.format(host=HOST, cert=CERT, key=KEY))
            typed("nginx -t")
        else:
            typed("troth proxy caddy | install -m 644 /dev/stdin /etc/caddy/troth.caddy", cwd=self.site)
            Path("/etc/caddy/Caddyfile").write_text(CADDY.format(host=HOST, cert=CERT, key=KEY))
            Path("/etc/caddy/Caddyfile").chmod(0o644)
            typed("caddy validate --config /etc/caddy/Caddyfile")
        typed(f"systemctl restart {server}")
        until(lambda: self.visitor.ask("GET", "/").status == 200, 20)
        until(lambda: self.visitor.ask("GET", "/troth/newsletter").status == 200)
        held(f"{server}: the vendor's page is the vendor's", self.visitor.ask("GET", "/").text == "the vendor")
        page = self.visitor.ask("GET", "/troth/newsletter")
        policies = [one for one in page.headers.get_all("Content-Security-Policy") or [] if one]
        held(
            f"{server}: our page says its own policy alone", len(policies) == 1 and "style-src" in policies[0], policies
        )
        leads = self.visitor.ask("GET", "/troth")
        held(
            f"{server}: /troth leads on",
            leads.status == 308 and leads.headers["Location"].endswith("/troth/newsletter"),
        )

    def a_visitor_signs_up(self, through: str) -> str:
        """Sign up, be filed, be mailed, confirm."""
        self.people += 1
        address = f"visitor-{self.people}-{self.site.name}@example.org"
        status = self.visitor.sign_up(address)
        held(f"{through}: a sign-up is taken", status == 303, status)
        link = self.relay.link_to(address)
        if held(
            f"{through}: it is filed and mailed",
            link,
            typed("journalctl --namespace troth -n 30 --output cat", quiet=True),
        ):
            status = self.visitor.follow(link)
            held(f"{through}: the link confirms", status == 303 or status == 200, status)

        def confirmed() -> bool:
            return "confirmed" in typed(f"troth people find {address} --site {self.site}", quiet=True, fine=(0, 1))

        held(f"{through}: the person is on the list", until(confirmed, 20))
        return address

    def every_promise_is_kept(self, when: str) -> None:
        """`troth prove`, typed by root, and what the public reads of the service's own run."""
        said: list[str] = []
        until(lambda: self._proved(said), 300)
        told = json.loads(said[-1] if said and said[-1].startswith("{") else "{}")
        loose = [
            f"{proof['id']} is {proof['state']}: {proof['detail']}"
            for promise in told.get("promises", [])
            for proof in promise["proofs"]
            if proof["state"] != "kept"
        ]
        held(f"{when}: all promises are kept, tried by root", told.get("promises") and not loose, loose or said[-1:])

    def _proved(self, said: list[str]) -> bool:
        """Whether the proofs were run; while the service runs them itself, nobody else can."""
        command = ["troth", "prove", "--json", "--site", str(self.site)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        said.append(done.stdout or done.stderr)
        return "already running" not in done.stderr

    def the_service_proves_it(self, when: str) -> None:
        """The supervisor's own prover, as anybody reads it."""
        asked, fresh = self.site / "data/prove-asked", self.site / "asked"
        folder = (self.site / "data").stat()
        before = self._verified()
        fresh.write_text("full")
        os.chown(fresh, folder.st_uid, folder.st_gid)  # as the office asks
        fresh.chmod(0o660)
        fresh.rename(asked)
        until(lambda: self._verified() != before, 240)
        told = json.loads(self.visitor.ask("GET", "/troth/.well-known/privacy-promises.json").text or "{}")
        loose = [
            f"{proof['id']} is {proof['state']}: {proof['detail']}"
            for promise in told.get("promises", [])
            for proof in promise["proofs"]
            if proof["state"] != "kept"
        ]
        new = self._verified() != before
        held(
            f"{when}: all promises are kept, tried by the service, as the public reads it",
            new and not loose,
            loose or (before, told.get("verified_at")),
        )

    def _verified(self) -> str:
        page = self.visitor.ask("GET", "/troth/.well-known/privacy-promises.json")
        return str(json.loads(page.text or "{}").get("verified_at"))

    def nothing_is_roots(self, when: str) -> None:
        """Nobody but who serves owns what serving writes; doctor finds nothing bad."""
        told = json.loads(typed(f"troth doctor --json --site {self.site}", quiet=True, fine=(0, 1)))
        bad = [one["what"] for one in told if one["level"] == "bad"]
        held(f"{when}: doctor finds nothing bad", not bad, bad)
        folders = ("data", "spool", "public", "keys/people", "keys/seal", "keys/sign", "keys/sent")
        roots = [
            str(path)
            for folder in folders
            for path in (self.site / folder).rglob("*")
            if path.lstat().st_uid == 0 and path.name not in ("house.json", "policy-copy.md")
        ]
        held(f"{when}: nothing there is root's", not roots, roots)

    def root_types_every_command(self, address: str) -> None:
        """Each command of the guide that leaves the site as it is, and some that do not."""
        home = Path.home() / "closed"
        home.mkdir(mode=0o700, exist_ok=True)
        for left in home.iterdir():
            left.unlink()
        (home / "people.csv").write_text("email,name\nlisted@example.org,Listed Person\n")
        (home / "pages.txt").write_text(f"https://{HOST}/\nhttps://{HOST}/download\n")
        (home / "access.log").write_text(LOGGED)
        s = f"--site {self.site}"
        for line in (
            f"troth doctor {s}", f"troth status {s}", f"troth embed newsletter {s}", f"troth embed contact {s}",
            f"troth embed statistics {s}", f"troth operator list {s}",
            f"troth operator add 'B. Support' support@example.com --role support {s}",
            f"troth operator role support@example.com analyst {s}", f"troth operator link support@example.com {s}",
            f"troth operator link support@example.com --sign-in {s}", f"troth operator remove support@example.com {s}",
            f"troth policy check {s}", f"troth policy versions {s}", f"troth policy show {s} > {home}/shown.md",
            f"troth policy diff {s}", f"echo 'We sleep well.' >> {self.site}/policy.md",
            f"troth policy publish --said 'How we sleep.' {s}",
            f"troth people import {home}/people.csv --consent 'Yes, send it.' --consent-date 2025-05-01 {s}",
            f"troth people list --export {home}/list.csv {s}", f"troth people find {address} {s}",
            f"troth people export {address} --json {s} > {home}/export.json",
            f"troth people delete {address} --yes --json {s} > {home}/receipt.json",
            f"troth receipt verify {home}/receipt.json {s}", f"troth retention {s}", f"troth failed list {s}",
            f"troth held list {s}", f"troth audience pages {home}/pages.txt {s}",
            f"troth audience import {home}/access.log {s}", f"troth audience token add sheet {s}",
            f"troth audience token list {s}", f"troth audience token revoke sheet {s}", "troth version",
            f"troth sandbox front {s} -- /bin/true",
        ):  # fmt: skip
            typed(line)
        held(
            "what root exported is root's",
            (home / "list.csv").stat().st_uid == 0 and "@" in (home / "list.csv").read_text(),
        )

    @contextmanager
    def under_load(self, rate: float) -> Iterator[list[int]]:
        """So many hits a second meanwhile; the answers' statuses."""
        over, answers = threading.Event(), list[int]()

        def load() -> None:
            number, begun = 0, time.monotonic()
            while not over.is_set():
                number += 1
                with suppress(OSError):
                    fields = [("k", "v"), ("u", f"https://{HOST}/page-{number % 7}")]
                    answers.append(self.visitor.ask("POST", "/troth/hit", fields, who=number % 500).status)
                time.sleep(max(0.0, begun + number / rate - time.monotonic()))

        threads = [threading.Thread(target=load)]
        for thread in threads:
            thread.start()
        try:
            yield answers
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def upgrade_and_restore(self, someone: str) -> None:
        """Stopped: an upgrade, and a restore of the newest backup; started again, all is well."""
        key = Path.home() / "closed/recovery-key"
        lines = typed(f"troth recovery-key new --site {self.site}").splitlines()
        key.write_text("\n".join(line.strip() for line in lines if line.startswith("   ") and "troth" not in line))
        typed(f"troth recovery-key check --recovery-key {key} --site {self.site}")
        typed(f"troth backup --site {self.site}")
        typed("systemctl stop troth.service")
        typed(f"troth upgrade --site {self.site}")
        typed(f"troth failed retry --site {self.site}")
        self.nothing_is_roots("after an upgrade by root")
        typed(f"troth restore {BACKUPS} --to {self.site} --replace --recovery-key {key}")
        typed("systemctl start troth.service")
        until(lambda: self.visitor.ask("GET", "/troth/newsletter").status == 200)
        self.nothing_is_roots("after a restore by root")
        held(
            "after a restore: nobody is lost",
            someone in typed(f"troth people find {someone} --site {self.site}", quiet=True),
        )

    def end(self) -> None:
        """Make room for the next one."""
        typed("systemctl disable --now troth.service troth-backup.timer", quiet=True)
        typed(f"rm -r {BACKUPS}", quiet=True)  # a folder with backups of several sites is not restored from


def walk(site: Path, visitor: Visitor, relay: Relay, database: str) -> None:
    """All of it, on one database."""
    name = "PostgreSQL" if database else "SQLite"
    print(f"→ {name}", flush=True)
    one = Walk(site, visitor, relay, database)
    one.make()
    one.let_systemd_run_it()
    one.put_a_web_server_in_front("nginx")
    address = one.a_visitor_signs_up("nginx")
    one.put_a_web_server_in_front("caddy")
    one.a_visitor_signs_up("Caddy")
    one.nothing_is_roots("at first")
    one.the_service_proves_it("at first")
    one.every_promise_is_kept("at first")
    one.root_types_every_command(address)
    typed("systemctl start troth-backup.service")
    one.nothing_is_roots("after every command, typed by root")
    other = one.a_visitor_signs_up("after every command")
    one.every_promise_is_kept("after erasures")
    with one.under_load(20) as answers:
        one.the_service_proves_it("under 20 hits a second")
        one.every_promise_is_kept("under 20 hits a second")
    held(
        "the hits were answered",
        len(answers) > 20 and set(answers) <= {200, 204},
        {a: answers.count(a) for a in set(answers)},
    )
    one.upgrade_and_restore(other)
    one.a_visitor_signs_up("after a restore")
    held(
        "an erased person stays erased",
        "@" not in typed(f"troth people find {address} --site {site}", quiet=True, fine=(0, 1)),
    )
    held("another does not", other in typed(f"troth people find {other} --site {site}", quiet=True))
    one.end()


def one_user(visitor: Visitor, relay: Relay) -> None:
    """A site that one user makes and serves, with a file for its log; and what root types on it."""
    print("→ one user", flush=True)
    typed("useradd --create-home --home-dir /srv/vendor --shell /bin/bash vendor")
    Path("/srv/vendor").chmod(0o711)
    vendor, site = "runuser -u vendor --", Path("/srv/vendor/site")
    typed(f'{vendor} troth init {site} --name "Example Software" --url https://{HOST}/troth')
    settings = site / "troth.toml"
    settings.write_text(
        settings.read_text().replace('# relay = "smtp://localhost:25"', 'relay = "smtp://localhost:2525"')
    )
    one = Walk(site, visitor, relay, "")
    with Path("/srv/vendor/troth.log").open("wb") as log:
        os.fchown(log.fileno(), pwd.getpwnam("vendor").pw_uid, -1)
        serving = subprocess.Popen([*vendor.split(), "troth", "serve", "--site", str(site)], stdout=log, stderr=log)
        one.put_a_web_server_in_front("nginx")
        address = one.a_visitor_signs_up("one user")
        one.the_service_proves_it("one user")
        one.every_promise_is_kept("one user")
        one.root_types_every_command(address)
        others = [str(path) for path in site.rglob("*") if path.lstat().st_uid == 0 and path.name != "policy.md"]
        held("one user: nothing there is root's", not others, others)
        one.a_visitor_signs_up("one user, after every command")
        serving.terminate()
        serving.wait(60)


def main() -> None:
    """Walk it on each database, and then in the other ways of serving."""
    trust = make_certificate()
    relay, visitor = Relay(), Visitor(trust)
    relay.start()
    typed("ln -s /opt/troth/.venv/bin/troth /usr/local/bin/troth")
    held("no user of Troth's is there yet", not [one for one in pwd.getpwall() if one.pw_name.startswith("troth-")])
    wanted = Path("/road-walks").read_text().split()
    if "sqlite" in wanted:
        walk(Path("/srv/example"), visitor, relay, "")
    if "one-user" in wanted:
        one_user(visitor, relay)
    if "postgresql" in wanted:
        typed("systemctl start postgresql")
        make = "CREATE USER troth PASSWORD 'a password of the trial'"
        typed(f'su postgres -c "psql -c \\"{make}\\""')
        typed("su postgres -c 'createdb --owner=troth troth'")
        os.umask(0o077)  # and all of it under a tight umask
        walk(Path("/srv/other"), visitor, relay, "postgresql://troth@localhost:5432/troth")
    held("the end", True)


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        held("the walk itself", False, traceback.format_exc())
