"""`troth proxy`: what it writes is accepted by the real web server, and visitors come through it as themselves."""

import re
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.site import free_port
from tests.cli.running import troth
from troth.core.config.sections import Config, FrontSection, SiteSection
from troth.core.errors import TrothError
from troth.front.http.trusted_proxies import Proxies
from troth.operate import create_site, proxy_config

NGINX = shutil.which("nginx")
CADDY = shutil.which("caddy")
needs_caddy = pytest.mark.skipif(CADDY is None, reason="caddy is not installed")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
URLS = [
    "https://www.example.com/troth",
    "https://www.example.com",
    "https://a.example.com:8443/a/b",
    "http://localhost",
]


def config(url="https://www.example.com/troth", listen="127.0.0.1:8080", trusted=()):
    return Config(
        site=SiteSection(name="Example Software", url=url),
        front=FrontSection(listen=listen, trusted_proxies=list(trusted)),
    )


def nginx_conf(folder, port, *, also=""):
    """A whole configuration around what `troth proxy nginx` wrote into `folder/troth.conf`."""
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        "events { worker_connections 64; }\n"
        f"http {{ access_log {folder}/access.log;\n"
        + "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"server {{ listen 127.0.0.1:{port}; {also} include {folder}/troth.conf; "
        "location / { return 200 'the vendor'; } } }\n"
    )
    return path


class Front(BaseHTTPRequestHandler):
    """Says what came, as the front would see it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        body = (
            self.path + "\n" + "".join(f"{name.lower()}: {value}\n" for name, value in self.headers.items())
        ).encode()
        if self.path.endswith("/closed"):
            self.close_connection = True
            return
        if self.path.endswith("/ssi"):
            body += b'<!--#echo var="remote_addr" -->'
        self.send_response(404 if self.path.endswith("/missing") else 200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Security-Policy", "ours")
        self.send_header("X-Troth", "kept")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@contextmanager
def served(command, port, **options):
    """A web server before a server in the front's place; what asks it."""
    with subprocess.Popen(command, **options) as server:
        try:
            for _ in range(1_200):
                assert server.poll() is None, f"{command[0]} ended"
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            else:
                raise AssertionError(f"{command[0]} does not answer after a minute")

            def ask(path, *, method="GET", body=None, **headers):
                asked = HTTPConnection("127.0.0.1", port, timeout=10)
                try:
                    named = {name.replace("_", "-"): value for name, value in headers.items()}
                    asked.request(method, path, body, named)
                    answer = asked.getresponse()
                    return answer, answer.read().decode()
                finally:
                    asked.close()

            yield ask
        finally:
            server.terminate()


@contextmanager
def in_the_fronts_place():
    """Says what came to it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Front) as front:
        threading.Thread(target=front.serve_forever, daemon=True).start()
        yield front.server_port
        front.shutdown()


@contextmanager
def nginx_before_a_front(folder, *, also):
    if NGINX is None:
        pytest.skip("nginx is not installed")
    with in_the_fronts_place() as upstream:
        port = free_port()
        (folder / "troth.conf").write_text(proxy_config.render("nginx", config(listen=f"127.0.0.1:{upstream}")))
        conf = nginx_conf(folder, port, also=also)
        with served([NGINX, "-p", str(folder), "-c", str(conf)], port) as ask:
            yield ask, folder


@pytest.fixture(scope="module")
def through_nginx(tmp_path_factory):
    """A real nginx before a server in the front's place; returns a function that asks, and the folder."""
    with nginx_before_a_front(tmp_path_factory.mktemp("nginx"), also=r"location ~ \.js$ { return 410; }") as found:
        yield found


def at_home(folder):
    """Where Caddy keeps what it keeps."""
    return {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}


def run_caddy(*words, home):
    return subprocess.run([CADDY, *words], env=at_home(home), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def through_caddy(tmp_path_factory):
    """A real Caddy, with a policy of the vendor's for the whole site and the log that our part asks for."""
    if CADDY is None:
        pytest.skip("caddy is not installed")
    folder = tmp_path_factory.mktemp("caddy")
    with in_the_fronts_place() as upstream:
        port = free_port()
        text = proxy_config.render("caddy", config(listen=f"127.0.0.1:{upstream}"))
        (folder / "troth.caddy").write_text(text)
        asked = [line.removeprefix("# ").removeprefix("#") for line in text.splitlines() if line.startswith("#     ")]
        log = "\n".join(line for line in asked if not line.strip().startswith("import"))
        (folder / "Caddyfile").write_text(
            f"{{\n\tadmin off\n{log}\n}}\nhttp://:{port} {{\n\tlog\n"
            f"""\theader Content-Security-Policy "default-src 'none'"\n\timport {folder}/troth.caddy\n"""
            '\trespond "the vendor"\n}\n'
        )
        command = [CADDY, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
        with (
            (folder / "log").open("w") as log_file,
            served(command, port, env=at_home(folder), stderr=log_file) as ask,
        ):
            yield ask, folder / "log"


def headers(text):
    """The headers that reached the front, by name."""
    return dict(line.split(": ", 1) for line in text.splitlines()[1:])


# -- nginx ------------------------------------------------------------------------------------------------------------


@needs_nginx
@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "[::1]:8080", "0.0.0.0:8080", "[::]:8080"])
def test_nginx_accepts_it(tmp_path, url, listen):
    (tmp_path / "troth.conf").write_text(proxy_config.render("nginx", config(url, listen)))
    conf = nginx_conf(tmp_path, 8099)
    if config(url).site.prefix == "":  # then the vendor has no `location /` of its own
        conf.write_text(conf.read_text().replace("location / { return 200 'the vendor'; }", ""))
    done = subprocess.run([NGINX, "-t", "-p", tmp_path, "-c", conf], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_the_prefix_goes_to_the_front_and_nothing_else_does(through_nginx):
    ask, _ = through_nginx
    answer, text = ask("/troth/newsletter?embed")
    assert answer.status == 200 and text.startswith("/troth/newsletter?embed\n")
    for path in ("/", "/trothx", "/office/", "/sign-in/"):
        assert ask(path)[1] == "the vendor", path
    answer, _ = ask("/troth")
    assert (answer.status, answer.getheader("Location").endswith("/troth/newsletter")) == (308, True)


def test_a_rule_of_the_vendors_for_scripts_does_not_come_before_it(through_nginx):
    ask, _ = through_nginx
    assert ask("/x.js")[0].status == 410
    assert ask("/troth/form.js")[0].status == 200


def test_the_visitors_address_is_set_and_cannot_be_claimed(through_nginx):
    ask, _ = through_nginx
    claimed = {"X_Forwarded_For": "203.0.113.9", "X_Real_IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    _, text = ask("/troth/newsletter", X_Forwarded_Proto="https", X_Forwarded_Host="evil.example", **claimed)
    told = headers(text)
    assert told["x-forwarded-for"] == "127.0.0.1" and told["x-forwarded-proto"] == "http"
    assert "203.0.113.9" not in text and "evil" not in text


def test_the_front_judges_a_visitor_by_what_nginx_says(through_nginx):
    ask, _ = through_nginx
    _, text = ask("/troth/newsletter", X_Forwarded_For="203.0.113.9")
    came = [(name.encode(), value.encode()) for name, value in headers(text).items()]
    judge = Proxies(["127.0.0.1"], bytes(32)).judge
    assert judge("127.0.0.1", came) == judge(
        "127.0.0.1", [(b"x-forwarded-for", b"127.0.0.1"), (b"x-forwarded-proto", b"http")]
    )
    assert not judge("127.0.0.1", came).unnamed_proxy
    assert Proxies([], bytes(32)).judge("127.0.0.1", came).unnamed_proxy


def test_the_visitors_host_reaches_the_front(through_nginx):
    ask, _ = through_nginx
    assert headers(ask("/troth/newsletter", Host="www.example.com")[1])["host"] == "www.example.com"


def test_a_body_that_is_too_large_does_not_reach_the_front(through_nginx):
    ask, _ = through_nginx
    assert ask("/troth/newsletter", method="POST", body=b"x" * 60_000)[0].status == 200
    assert ask("/troth/newsletter", method="POST", body=b"x" * 70_000)[0].status == 413


def test_no_request_for_the_front_is_in_a_log_not_even_one_that_failed(through_nginx):
    ask, folder = through_nginx
    ask("/seen")
    ask("/troth/newsletter?unseen")
    ask("/troth")
    ask("/troth/confirm/unseen", method="POST", body=b"x" * 70_000)
    access, errors = (folder / "access.log").read_text(), (folder / "error.log").read_text()
    assert "/seen" in access and "/troth/" not in access + errors and "/troth " not in access + errors


# -- what the vendor says for the whole site --------------------------------------------------------------------------

VENDORS_NGINX = (
    """add_header Content-Security-Policy "default-src 'none'" always; add_header X-Vendor yes; """
    "proxy_hide_header Content-Security-Policy; proxy_hide_header X-Troth; expires 30d; ssi on; "
    "proxy_intercept_errors on; error_page 404 /gone; "
)


@needs_nginx
def test_what_the_vendor_says_for_the_whole_server_does_not_reach_our_pages(tmp_path):
    with nginx_before_a_front(tmp_path, also=VENDORS_NGINX) as (ask, _):
        answer, _ = ask("/troth/newsletter")
        assert answer.headers.get_all("Content-Security-Policy") == ["ours"]
        assert answer.headers.get_all("X-Troth") == ["kept"] and answer.getheader("X-Vendor") is None
        assert answer.getheader("Cache-Control") is None and answer.getheader("Expires") is None
        answer, text = ask("/troth/missing")
        assert (answer.status, text.splitlines()[0]) == (404, "/troth/missing")
        assert ask("/troth/ssi")[1].endswith('<!--#echo var="remote_addr" -->')
        answer, _ = ask("/")
        assert (answer.getheader("Content-Security-Policy"), answer.getheader("X-Vendor")) == (
            "default-src 'none'",
            "yes",
        )


# -- caddy, and both --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", URLS)
def test_caddys_part_passes_the_prefix_and_sets_the_address(url):
    text = proxy_config.render("caddy", config(url))
    prefix = config(url).site.prefix
    assert f"@troth path {prefix}/*\n" in text
    assert "reverse_proxy 127.0.0.1:8080 {" in text
    assert "header_up X-Forwarded-For {remote_host}" in text
    for name in ("X-Forwarded-Host", "X-Real-IP", "Forwarded"):
        assert f"header_up -{name}\n" in text
    assert "skip_log @troth_unlogged" in text and "log_skip" not in text and "max_size 64KiB" in text
    assert text.count("{") == text.count("}") and not re.search(r"\{\{|\}\}", text)


@needs_caddy
@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "[::1]:8080"])
def test_caddy_loads_it(tmp_path, url, listen):
    (tmp_path / "troth.caddy").write_text(proxy_config.render("caddy", config(url, listen)))
    file = tmp_path / "Caddyfile"
    file.write_text(f"http://localhost:8099 {{\n\timport {tmp_path}/troth.caddy\n}}\n")
    done = run_caddy("validate", "--adapter", "caddyfile", "--config", file, home=tmp_path)
    assert done.returncode == 0, done.stderr


@needs_caddy
def test_caddy_does_what_nginx_does(through_caddy):
    ask, _ = through_caddy
    answer, text = ask("/troth/newsletter?embed", X_Forwarded_For="203.0.113.9", X_Real_IP="203.0.113.9")
    told = headers(text)
    assert answer.status == 200 and text.startswith("/troth/newsletter?embed\n")
    assert told["x-forwarded-for"] == "127.0.0.1" and told["x-forwarded-proto"] == "http" and "203.0" not in text
    answer, _ = ask("/troth")
    assert (answer.status, answer.getheader("Location")) == (308, "/troth/newsletter")
    for path in ("/", "/trothx", "/office/", "/.well-known/security.txt.bak"):
        assert ask(path)[1] == "the vendor", path
    assert ask("/.well-known/gpc.json")[1].splitlines()[0] == "/troth/.well-known/gpc.json"
    assert ask("/troth/newsletter", method="POST", body=b"x" * 60_000)[0].status == 200
    assert ask("/troth/newsletter", method="POST", body=b"x" * 70_000)[0].status in (413, 502)


@needs_caddy
def test_the_vendors_policy_does_not_reach_our_pages_in_caddy(through_caddy):
    ask, _ = through_caddy
    policies = ask("/troth/newsletter")[0].headers.get_all("Content-Security-Policy")
    assert [one for one in policies if one] == ["ours"]
    assert ask("/")[0].getheader("Content-Security-Policy") == "default-src 'none'"


@needs_caddy
def test_no_request_for_the_front_is_in_caddys_log_not_even_one_that_failed(through_caddy):
    ask, log = through_caddy
    ask("/seen")
    for path in ("/troth/newsletter?unseen", "/troth", "/.well-known/gpc.json"):
        ask(path)
    assert ask("/troth/closed")[0].status == 502
    text = log.read_text()
    assert "handled request" in text and "http.log.error" in text
    for word in ("unseen", "/troth", "gpc.json", "/troth/closed"):
        assert word not in text.partition("serving initial configuration")[2]


@pytest.mark.parametrize("server", proxy_config.SERVERS)
def test_the_office_is_never_passed_on(server):
    text = proxy_config.render(server, config())
    assert "8081" not in text and "office" not in text.lower()


def test_another_server_is_refused_by_name():
    with pytest.raises(TrothError, match="does not support apache") as error:
        proxy_config.render("apache", config())
    assert "caddy and nginx" in error.value.mend


def test_whether_a_web_server_is_believed():
    assert proxy_config.trusted(config(trusted=["127.0.0.1"])) and not proxy_config.trusted(config())


def test_the_command_writes_it_and_warns_where_the_front_trusts_nobody(tmp_path):
    root = str(create_site.init(tmp_path / "site", url="https://www.example.com/troth").root)
    done = troth("proxy", "nginx", "--site", root)
    assert (done.returncode, done.stderr) == (0, "") and "location ^~ /troth/ {" in done.stdout
    other = str(create_site.init(tmp_path / "other").root)
    done = troth("proxy", "caddy", "--site", other)
    assert done.returncode == 0 and "reverse_proxy" in done.stdout
    assert (
        "does not trust your web server yet" in done.stderr
        and "trusted_proxies" in done.stderr
        and "[front]" in done.stderr
    )
    assert troth("proxy", "apache", "--site", root).returncode == 2


# -- what programs look for at the root -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", proxy_config.WELL_KNOWN)
@needs_nginx
def test_what_programs_look_for_at_the_root_comes_from_troth(through_nginx, name):
    ask, _ = through_nginx
    answer, text = ask(f"/.well-known/{name}")
    assert answer.status == 200 and text.splitlines()[0] == f"/troth/.well-known/{name}"
    assert "x-forwarded-for: 127.0.0.1" in text


@pytest.mark.parametrize("path", ["/.well-known/acme-challenge/x", "/.well-known/security.txt.bak", "/.well-known/"])
@needs_nginx
def test_and_nothing_else_of_it(through_nginx, path):
    ask, _ = through_nginx
    assert ask(path)[1] == "the vendor"


def test_caddy_is_told_the_same_and_only_where_there_is_a_prefix():
    text = proxy_config.render("caddy", config())
    assert "rewrite @troth_well_known /troth{uri}" in text
    assert all(f"/.well-known/{name}" in text for name in proxy_config.WELL_KNOWN)
    for server in ("caddy", "nginx"):
        assert "well-known" not in proxy_config.render(server, config(url="https://www.example.com"))
