"""A server on this machine that sees how our client for the card company begins a connection: whether encrypted, with
which versions of TLS, and whose certificates it takes. Its certificates are made for the occasion, by an authority that
only this process trusts, for a moment. Used by proofs. May touch: the socket that it is given, files in memory.
"""

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from troth.core import clock

HOST = "127.0.0.1"
_OTHER_HOST = "192.0.2.1"  # RFC 5737: nobody's
_SECONDS = 10.0
_TLS_1_2 = 0x0303
_HANDSHAKE, _SUPPORTED_VERSIONS = 0x16, 43
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@dataclass(frozen=True, slots=True)
class SeenHandshake:
    """What the server saw of one connection."""

    encrypted: bool = False
    lowest: int = 0
    """The lowest version of TLS that the client offered, as on the wire: 0x0303 is TLS 1.2."""
    was_trusted: bool = False
    """Whether the client took the certificate and sent its request."""

    @property
    def is_modern(self) -> bool:
        """Return whether the client offered nothing older than TLS 1.2."""
        return self.lowest >= _TLS_1_2


class TlsServer:
    """Serves one connection at a time, each on its own thread."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.port = int(listening.getsockname()[1])
        authority, stranger = _Authority(), _Authority()
        self.roots = authority.certificate
        """The authority's certificate, as PEM."""
        self.right, self.of_another, self.of_a_stranger = (
            authority.vouch(HOST),
            authority.vouch(_OTHER_HOST),
            stranger.vouch(HOST),
        )

    @contextmanager
    def serving(self, identity: bytes) -> Iterator[list[SeenHandshake]]:
        """Serve one connection with this key and certificate; the list has what was seen, afterwards."""
        results: list[SeenHandshake] = []
        server = threading.Thread(target=self._serve, args=(identity, results), daemon=True)
        server.start()
        try:
            yield results
        finally:
            server.join(_SECONDS)

    def _serve(self, identity: bytes, results: list[SeenHandshake]) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with piped(identity) as certificate, piped(identity) as key:
            tls.load_cert_chain(certificate, key)
        self._listening.settimeout(_SECONDS)
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(_SECONDS)
            hello = connection.recv(4096, socket.MSG_PEEK)
            lowest = lowest_version(hello)
            was_trusted = False
            with contextlib.suppress(OSError):  # refused, as it should be
                if lowest:
                    with tls.wrap_socket(connection, server_side=True) as encrypted:
                        was_trusted = bool(encrypted.recv(4096))
                        encrypted.sendall(_ANSWER)
                else:
                    was_trusted = bool(connection.recv(4096))
                    connection.sendall(_ANSWER)
            results.append(SeenHandshake(bool(lowest), lowest, was_trusted))


def lowest_version(hello: bytes) -> int:
    """Return the lowest version that a ClientHello offers (RFC 8446, sections 4.1.2 and 4.2.1); 0 for what is none. A
    client that names no versions offers all up to the one in its head, and so counts as the oldest."""
    if len(hello) < 45 or hello[0] != _HANDSHAKE or hello[5] != 1:
        return 0
    place = 43  # record, handshake, version, random
    place += 1 + hello[place]  # session
    place += 2 + int.from_bytes(hello[place : place + 2])  # ciphers
    place += 1 + hello[place]  # compressions
    place += 2
    while place + 4 <= len(hello):
        kind, size = (int.from_bytes(hello[at : at + 2]) for at in (place, place + 2))
        content = hello[place + 4 : place + 4 + size]
        if kind == _SUPPORTED_VERSIONS:
            return min(int.from_bytes(content[at : at + 2]) for at in range(1, len(content) - 1, 2))
        place += 4 + size
    return 0x0300


_MAY_VOUCH = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


class _Authority:
    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Troth, a test")])
        self._certificate = self._signed(
            self._name, self._key, x509.BasicConstraints(ca=True, path_length=0), _MAY_VOUCH
        )
        self.certificate = self._certificate.public_bytes(serialization.Encoding.PEM)

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType
    ) -> x509.Certificate:
        now = clock.now()
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=not isinstance(extension, x509.SubjectAlternativeName))
        return builder.sign(self._key, hashes.SHA256())

    def vouch(self, host: str) -> bytes:
        """Return a new key and its certificate for an address, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
        certificate = self._signed(name, key, names, x509.BasicConstraints(ca=False, path_length=None))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return private + certificate.public_bytes(serialization.Encoding.PEM)


@contextmanager
def piped(content: bytes) -> Iterator[str]:
    """Yield a path from which this content can be read once, by who opens files by name only. It is on no disk."""
    reading, writing = os.pipe()  # not memfd_create: served, this process may make nothing that could be executed
    try:
        os.write(writing, content)
    finally:
        os.close(writing)
    try:
        yield f"/proc/self/fd/{reading}"
    finally:
        os.close(reading)


@contextmanager
def trusted(roots: bytes) -> Iterator[None]:
    """Trust this authority instead of this machine's, for one client, where it looks for them (OpenSSL's
    `SSL_CERT_FILE`)."""
    before = os.environ.get("SSL_CERT_FILE")
    with piped(roots) as path:
        os.environ["SSL_CERT_FILE"] = path
        try:
            yield
        finally:
            if before is None:
                del os.environ["SSL_CERT_FILE"]
            else:
                os.environ["SSL_CERT_FILE"] = before
