"""Asks this machine's name server for records, by TCP: no answer is cut short, and none can be forged from elsewhere.

Every general-purpose name server answers by TCP (RFC 7766, section 5). Names and records are public; no question
contains anything about a person. May touch: the network, through the door `name-server`; `/etc/resolv.conf`.
"""

import socket
import struct
import time
from pathlib import Path

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from troth.core.config.sections import Config
from troth.gate.doors import Door, name_server

RESOLV_CONF = Path("/etc/resolv.conf")
_MOST_SERVERS = 3
"""As the C library does (resolv.conf(5))."""
_MOST_SECONDS = 60.0
"""For all questions of one run."""


class NotAnswered(Exception):
    """No name server gave an answer that could be used; nothing is known about the record."""


def doors(config: Config, resolv_conf: Path = RESOLV_CONF) -> list[Door]:
    """Return the name servers to ask: `dns_server` under [mail], or else this machine's."""
    if config.mail.dns_server:
        return [name_server(config.mail.dns_server)]
    try:
        lines = resolv_conf.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    fields = [line.split() for line in lines]
    addresses = [words[1] for words in fields if len(words) > 1 and words[0] == "nameserver" and "%" not in words[1]]
    return [name_server(address) for address in addresses[:_MOST_SERVERS] or ["127.0.0.1"]]


class NameServers:
    """Answers to questions, each asked once. `timeout`: seconds to wait for one server.

    All methods raise `NotAnswered`, and return nothing where the name or the record does not exist.
    """

    def __init__(self, servers: list[Door], timeout: float = 5.0) -> None:
        self._servers, self._timeout = servers, timeout
        self._until = time.monotonic() + _MOST_SECONDS
        self._answers: dict[tuple[str, str], list[str]] = {}

    def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name, the strings of each joined (RFC 7208, section 3.3)."""
        return self._records(name, "TXT")

    def addresses(self, name: str) -> list[str]:
        """Return the IPv4 and IPv6 addresses of a name."""
        return self._records(name, "A") + self._records(name, "AAAA")

    def mail_hosts(self, name: str) -> list[str]:
        """Return the names of a domain's mail servers."""
        return self._records(name, "MX")

    def _records(self, name: str, kind: str) -> list[str]:
        key = (name.lower().rstrip("."), kind)
        if key not in self._answers:
            self._answers[key] = self._asked(*key)
        return self._answers[key]

    def _asked(self, name: str, kind: str) -> list[str]:
        try:
            question = dns.message.make_query(name, kind)
        except dns.exception.DNSException:
            return []  # no DNS name: there can be no record
        reason = "no name server"
        for server in self._servers:
            if time.monotonic() > self._until:
                raise NotAnswered("the name servers are too slow")
            try:
                return _answer(question, _exchange(server, question.to_wire(), self._timeout), kind)
            except OSError as error:
                reason = "no answer in time" if isinstance(error, TimeoutError) else "the name server is not reachable"
            except (dns.exception.DNSException, ValueError):
                reason = "the name server's answer is damaged"
            except NotAnswered as refusal:
                reason = str(refusal)
        raise NotAnswered(reason)


def _exchange(server: Door, question: bytes, timeout: float) -> bytes:
    """Send a question and return the answer: each after its length (RFC 1035, section 4.2.2). Raises `OSError`."""
    until = time.monotonic() + timeout
    with socket.socket(socket.AF_INET6 if ":" in server.host else socket.AF_INET, socket.SOCK_STREAM) as line:
        line.settimeout(timeout)
        line.connect((server.host, server.port))
        line.sendall(struct.pack("!H", len(question)) + question)
        (size,) = struct.unpack("!H", _read(line, 2, until))
        return _read(line, size, until)


def _read(line: socket.socket, size: int, until: float) -> bytes:
    data = b""
    while len(data) < size:
        line.settimeout(max(0.01, until - time.monotonic()))
        part = line.recv(size - len(data))
        if not part:
            raise ConnectionError("the name server hung up")
        data += part
    return data


def _answer(question: dns.message.Message, wire: bytes, kind: str) -> list[str]:
    """Return the records in an answer, at the end of its aliases (CNAME). Raises `NotAnswered` for an error."""
    answer = dns.message.from_wire(wire)
    if not isinstance(answer, dns.message.QueryMessage) or not question.is_response(answer):
        raise NotAnswered("the name server answered something else")
    if answer.rcode() == dns.rcode.NXDOMAIN:
        return []
    if answer.rcode() != dns.rcode.NOERROR:
        raise NotAnswered(f"the name server answers {dns.rcode.to_text(answer.rcode())}")
    rows = answer.resolve_chaining().answer
    return [_as_text(row, kind) for row in rows or ()]


def _as_text(row: object, kind: str) -> str:
    if kind == "TXT":
        return b"".join(getattr(row, "strings", ())).decode("utf-8", "replace")
    if kind == "MX":
        return str(getattr(row, "exchange", "")).rstrip(".")
    return str(getattr(row, "address", ""))
