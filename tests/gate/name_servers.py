"""A real name server on this machine, by TCP: zones are dictionaries, and it can misbehave."""

import socket
import struct
import threading
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from troth.core.config.sections import name_server_place
from troth.gate.doors import name_server
from troth.gate.sender_dns.name_server import NameServers


class Zone:
    """`records`: by name and type, texts as zone files have them; a CNAME is followed. `fault`: what it does wrong."""

    def __init__(self, records):
        self.records, self.fault, self.asked = records, "", []

    def answer(self, wire):
        question = dns.message.from_wire(wire)
        row = question.question[0]
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        name, kind = row.name.to_text().rstrip(".").lower(), row.rdtype.name
        self.asked.append((name, kind))
        if self.fault == "servfail":
            answer.set_rcode(dns.rcode.SERVFAIL)
        while (name, "CNAME") in self.records:
            (target,) = self.records[name, "CNAME"]
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{target}."))
            name = target
        if self.records.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *self.records[name, kind]))
        elif not any(owner == name for owner, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        told = answer.to_wire()
        return b"\0\1" + told[2:] if self.fault == "other question" else told


def _serve(listener, zone):
    while True:
        try:
            line, _ = listener.accept()
        except OSError:
            return
        with line:
            size = line.recv(2)
            data = line.recv(struct.unpack("!H", size)[0]) if len(size) == 2 else b""
            if zone.fault in ("hangs up", "silent"):
                if zone.fault == "silent":
                    zone.release.wait(5)
                continue
            told = b"\xff\xff\xff" if zone.fault == "damaged" else zone.answer(data)
            for byte in struct.pack("!H", len(told)) + told if zone.fault == "slow" else ():
                line.sendall(bytes([byte]))
            if zone.fault != "slow":
                line.sendall(struct.pack("!H", len(told)) + told)


@contextmanager
def serving(records):
    """Serve the zone; gives its address and port as a setting, and the zone."""
    zone = Zone(records)
    zone.release = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, zone), daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}", zone
        finally:
            zone.release.set()
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@contextmanager
def names(records, timeout=2.0):
    """The same, ready to be asked; gives that and the zone."""
    with serving(records) as (place, zone):
        assert name_server_place(place)
        yield NameServers([name_server(place)], timeout), zone


def txt(*strings):
    """One TXT record of several strings, as a zone file has it."""
    return " ".join('"' + text.replace('"', '\\"') + '"' for text in strings)
