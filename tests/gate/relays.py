"""Relays to send to: real aiosmtpd servers on this machine, in a thread of their own, with and without TLS."""

import asyncio
import contextlib
import datetime
import socket
import ssl
import threading

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from troth.core.config.sections import MailSection
from troth.core.personal import EmailAddress
from troth.newsletter.mails import ConfirmationMail

SITE = "https://www.example.com/troth"


def confirmation(to="ada@example.com", **changes):
    """A mail to send."""
    told = {
        "to": EmailAddress(to),
        "confirm_url": f"{SITE}/confirm/{'A' * 116}",
        "site_name": "Example Software",
        "form_title": "Newsletter",
        "privacy_url": f"{SITE}/privacy",
        "message_id": "<0198f0a0-1111-7222-8333-123456789012@example.com>",
        "unsubscribe_url": f"{SITE}/unsubscribe/{'B' * 116}",
    }
    return ConfirmationMail(**{**told, **changes})


def settings(port, scheme="smtp", host="localhost", **changes):
    """The `[mail]` section for a relay at this port."""
    told = {"relay": f"{scheme}://{host}:{port}", "sender": "news@example.com", "timeout_seconds": 1.0}
    return MailSection(**{**told, **changes})


class Handler:
    """Keeps what comes; answers as told."""

    def __init__(self):
        self.mails, self.options, self.answers, self.seconds, self.die = [], [], {}, 0.0, ""
        self.sessions = 0

    def _answer(self, step, otherwise):
        found = self.answers.get(step, otherwise)
        return found.pop(0) if isinstance(found, list) else found

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.options.append(options)
        if self.die == "MAIL":
            server.transport.abort()
        envelope.mail_from = address
        return self._answer("MAIL", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self._answer("RCPT", "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.mail_from, envelope.rcpt_tos[0], envelope.original_content))
        if self.die == "DATA":
            server.transport.abort()
        await asyncio.sleep(self.seconds)
        return self._answer(".", "250 kept")


class Session(SMTP):
    """One that can refuse DATA itself."""

    async def smtp_DATA(self, arg):
        answer = self.event_handler.answers.get("DATA")
        if answer:
            await self.push(answer)
        else:
            await super().smtp_DATA(arg)

    smtp_DATA.__smtp_syntax__ = "DATA"
    smtp_DATA.__smtp_syntax_extended__ = ""
    smtp_DATA.__smtp_syntax_when__ = None

    def connection_made(self, transport):
        self.event_handler.sessions += 1
        super().connection_made(transport)


@contextlib.contextmanager
def running(factory, tls=None, port=0):
    """Serve protocols made by `factory` in a thread; gives the port. `port` 0: any that is free."""
    loop = asyncio.new_event_loop()
    listener = socket.create_server(("127.0.0.1", port))
    started = threading.Event()
    stop = asyncio.Event()

    async def serve():
        server = await loop.create_server(factory, sock=listener, ssl=tls)
        started.set()
        await stop.wait()
        server.close()
        if hasattr(server, "abort_clients"):
            server.abort_clients()
        await asyncio.sleep(0.02)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    started.wait(5)
    try:
        yield listener.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
        listener.close()


@contextlib.contextmanager
def relay(handler, *, implicit_tls=None, starttls=None, password=None, smtputf8=True, port=0):
    """A relay; gives its port."""

    def authenticate(server, session, envelope, mechanism, told):
        return AuthResult(success=told.password == (password or "").encode(), handled=False)

    def session():
        return Session(
            handler,
            hostname="localhost",
            enable_SMTPUTF8=smtputf8,
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=authenticate if password else None,
            auth_required=bool(password),
            auth_require_tls=False,
        )

    with running(session, implicit_tls, port) as bound:
        yield bound


@contextlib.contextmanager
def raw(script):
    """A relay that is a function of a connected socket; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    done, clients = threading.Event(), []

    def serve():
        while not done.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            clients.append(client)
            with client, contextlib.suppress(OSError):
                client.settimeout(5)
                script(client)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        done.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for client in clients:  # the loop that would close the other end waits here for the thread
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        thread.join(10)


# -- certificates -----------------------------------------------------------------------------------------------------


class Authority:
    """A certificate authority of the tests'."""

    def __init__(self, folder, name="Test CA"):
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        made = self._made(self._name, self._key.public_key(), 0, 30)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        other = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
        usage = dict.fromkeys((*other, "encipher_only", "decipher_only"), False)
        made = made.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        identity = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        made = made.add_extension(identity, critical=False)
        self.file = folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def context(self, name="localhost", first_day=0, last_day=30):
        """A server's TLS context with a certificate for `name`, good from and until so many days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        made = self._made(subject, key.public_key(), first_day, last_day)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        identity = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(identity, critical=False)
        file = self._folder / f"{name}-{last_day}.pem"
        file.write_bytes(
            made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + _pem(key),
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context

    def _made(self, subject, public, first_day, last_day):
        now = datetime.datetime.now(datetime.UTC)
        days = datetime.timedelta
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days(days=first_day - 1))
            .not_valid_after(now + days(days=last_day))
        )


def _pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def dkim_file(folder, bits=2048):
    """A new RSA key in a PEM file."""
    file = folder / "troth.pem"
    file.write_bytes(_pem(rsa.generate_private_key(public_exponent=65537, key_size=bits)))
    return file
