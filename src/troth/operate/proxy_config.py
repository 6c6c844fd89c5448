"""`troth proxy nginx|caddy`: the part of the vendor's web server's configuration that brings visitors to the front.

It passes one prefix on and nothing of the office. It sets the visitor's address itself, so that nobody can claim
another (C3), and keeps no log of these requests, for an access log would be about individuals (V1). What the vendor
says for the whole site, such as a Content-Security-Policy, is kept off Troth's pages, which say what they need
themselves. Both servers do the same. Caddy's part is for 2.6, which Debian has, and later ones. Makes text only.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from troth.core.config.sections import Config, host_port
from troth.core.errors import TrothError

_NGINX = """\
# Troth for {host}{prefix}, made by `troth proxy nginx`.
# Put this into the server block of {host} that listens with TLS:
#     include {file};
# The visitor's address is set here and cannot be claimed by the visitor. No log of requests, nor of errors, whose lines
# name the visitor's address and the request: they would be about individuals.

{redirect}location {match} {{
    access_log off;
    error_log /dev/null crit;
    client_max_body_size 64k;
    client_body_timeout 15s;
    proxy_pass http://{upstream};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host "";
    proxy_set_header X-Real-IP "";
    proxy_set_header Forwarded "";
    proxy_connect_timeout 5s;
    proxy_send_timeout 15s;
    proxy_read_timeout 30s;
    proxy_next_upstream off;
    # What the server block says for your own pages would be inherited and break these, which bring their own: headers
    # (Content-Security-Policy above all), headers hidden, pages kept, replaced, dated or copied. Empty: not sent.
    add_header Content-Security-Policy "";
    proxy_hide_header X-Pad;
    proxy_intercept_errors off;
    proxy_cache off;
    expires off;
    ssi off;
    mirror off;
}}
"""
_NGINX_EXACT = """\
location = {prefix} {{
    access_log off;
    return 308 {prefix}/newsletter;
}}

# What programs look for at the root of a site. Take a name out if you have a file of your own there.
location ~ ^/\\.well-known/({told})$ {{
    access_log off;
    error_log /dev/null crit;
    rewrite ^ {prefix}$uri last;
}}

"""

_CADDY_ROOT = """\
# What programs look for at the root of a site. Take a name out if you have a file of your own there.
@troth_told path {told}
rewrite @troth_told {prefix}{{uri}}
redir {prefix} {prefix}/newsletter 308

"""
_CADDY = """\
# Troth for {host}{prefix}, made by `troth proxy caddy`.
# Put this into the site block of {host}, before the block's other handlers:
#     import {file}
# The visitor's address is set here and cannot be claimed by the visitor. No access log: it would be about individuals.
# Caddy's own log names who asked when Troth does not answer. Into the global options, at the top of the Caddyfile:
#     log {{
#         format filter {{
#             wrap json
#             fields {{
#                 request delete
#             }}
#         }}
#     }}
# A `header` of yours with `defer`, or that removes one, reaches these pages, too: give it `not path {paths}`.

@troth_unlogged path {unlogged}
skip_log @troth_unlogged
{root}@troth path {paths}
handle @troth {{
    header Content-Security-Policy ""
    request_body {{
        max_size 64KiB
    }}
    reverse_proxy {upstream} {{
        header_up Host {{host}}
        header_up X-Forwarded-For {{remote_host}}
        header_up X-Forwarded-Proto {{scheme}}
        header_up -X-Forwarded-Host
        header_up -X-Real-IP
        header_up -Forwarded
        transport http {{
            dial_timeout 5s
            write_timeout 15s
            response_header_timeout 30s
        }}
    }}
}}
"""


TOLD = ("privacy-promises.json", "gpc.json", "security.txt")
"""What is looked for under `/.well-known/` at the root of a site (RFC 8615), whatever the prefix."""


def render(server: str, config: Config, *, file: str = "") -> str:
    """The configuration for `server` (`nginx` or `caddy`). `file`: where it will lie, for the comment."""
    if server not in _SERVERS:
        raise TrothError(f"Troth does not know {server}.", mend=f"It writes for {' and '.join(sorted(_SERVERS))}.")
    return _SERVERS[server](config, file)


def _nginx(config: Config, file: str) -> str:
    prefix = config.site.prefix
    return _NGINX.format(
        host=_host(config),
        prefix=prefix,
        file=file or "/etc/nginx/snippets/troth.conf",
        redirect=_NGINX_EXACT.format(prefix=prefix, told="|".join(map(re.escape, TOLD))) if prefix else "",
        match=f"^~ {prefix}/",  # ^~: no regular expression of the vendor's, such as one for .js, comes before it
        upstream=_upstream(config),
    )


def _caddy(config: Config, file: str) -> str:
    prefix = config.site.prefix
    told = " ".join(f"/.well-known/{name}" for name in TOLD)
    return _CADDY.format(
        host=_host(config),
        prefix=prefix,
        file=file or "/etc/caddy/troth.caddy",
        root=_CADDY_ROOT.format(prefix=prefix, told=told) if prefix else "",
        unlogged=f"{prefix} {prefix}/* {told}" if prefix else "/*",
        paths=f"{prefix}/*" if prefix else "/*",
        upstream=_upstream(config),
    )


def _host(config: Config) -> str:
    return urlsplit(config.site.url).netloc


def _upstream(config: Config) -> str:
    """Where the front listens, as seen from a web server on the same machine where it listens everywhere."""
    host, port = host_port(config.front.listen)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - told apart, not bound
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_SERVERS: dict[str, Callable[[Config, str], str]] = {"nginx": _nginx, "caddy": _caddy}
SERVERS = tuple(sorted(_SERVERS))


def trusted(config: Config) -> bool:
    """Whether the front believes a web server at all: without one named, visitors through it are refused."""
    return bool(config.front.trusted_proxies)
