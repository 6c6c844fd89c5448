"""Where things lie in a site's folder, and who writes each. No path is made up anywhere else. Standard library only."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Site:
    """A site's folder. Properties give paths; nothing is created or opened here."""

    root: Path

    @property
    def config(self) -> Path:
        """`troth.toml`: the operator's settings."""
        return self.root / "troth.toml"

    @property
    def policy(self) -> Path:
        """`policy.md`: the policy's text."""
        return self.root / "policy.md"

    @property
    def policy_copy(self) -> Path:
        """What lies in `policy.md`, brought by the supervisor for those who may not follow the name. In `data/`."""
        return self.data / "policy-copy.md"

    @property
    def keys(self) -> Path:
        """All secrets. Back it up apart from `data/`."""
        return self.root / "keys"

    @property
    def seal_keys(self) -> Path:
        """`<epoch>.key`: private sealing keys, 96 bytes each. Worker only."""
        return self.keys / "seal"

    @property
    def sign_keys(self) -> Path:
        """`<number>.key`: Ed25519 private keys that sign links, 32 bytes each. Worker only."""
        return self.keys / "sign"

    @property
    def licence_keys(self) -> Path:
        """`<number>.key`: Ed25519 private keys that sign licences, 32 bytes each; `<number>.next`. Worker only. Not
        there before the first key was made."""
        return self.keys / "licence"

    @property
    def dkim_keys(self) -> Path:
        """`<selector>.pem`: RSA private keys for DKIM. Worker only."""
        return self.keys / "dkim"

    @property
    def people_keys(self) -> Path:
        """The key store apart: slots, blind indexes and their keys. Worker and office."""
        return self.keys / "people"

    @property
    def sent(self) -> Path:
        """Which mails went out, and who left: what a restored copy must not undo. Worker only."""
        return self.keys / "sent"

    @property
    def recovery_key(self) -> Path:
        """`recovery.pub`: what backups are encrypted to. No secret; its other half is on paper."""
        return self.keys / "recovery.pub"

    @property
    def restoring(self) -> Path:
        """There while a restore puts the site together: nothing serves then."""
        return self.root / "restoring"

    @property
    def office_keys(self) -> Path:
        """`secret.key`: signs the office's sessions. Office only."""
        return self.keys / "office"

    @property
    def mail_password(self) -> Path:
        """The mail relay's password, if it wants one. Worker only."""
        return self.keys / "mail-password"

    def relay_password(self, name: str) -> Path:
        """The password of the further mail relay of this name, if it wants one. Worker only."""
        return self.keys / f"mail-password-{name}"

    def relay_passwords(self) -> list[Path]:
        """Those that exist, whatever the settings name."""
        return sorted(self.keys.glob("mail-password-*"))

    @property
    def card_company_key(self) -> Path:
        """The restricted key to the card company's API. Worker only."""
        return self.keys / "card-company-key"

    @property
    def card_company_secrets(self) -> Path:
        """What the card company's notices are signed with: the present secret, and below it the one before."""
        return self.keys / "card-company-secrets"

    @property
    def card_company_path(self) -> Path:
        """Where the card company's notices come in: the last part of the address. Worker only."""
        return self.keys / "card-company-path"

    def card_company_files(self) -> list[Path]:
        """Those of these three that exist."""
        paths = (self.card_company_key, self.card_company_secrets, self.card_company_path)
        return [path for path in paths if path.is_file()]

    @property
    def database_password(self) -> Path:
        """PostgreSQL's password, if it wants one. Worker and office."""
        return self.keys / "database-password"

    @property
    def site_id(self) -> Path:
        """`site-id`: the site's UUID as text. No secret; in `keys/` because losing it loses the envelopes."""
        return self.keys / "site-id"

    @property
    def data(self) -> Path:
        """The database (unless it is PostgreSQL) and what was set aside. Worker and office."""
        return self.root / "data"

    @property
    def sender_dns(self) -> Path:
        """What was found out about the sender's DNS records, in `data/`. Written by the process that looks them up."""
        return self.data / "sender-dns"

    @property
    def database(self) -> Path:
        """The SQLite database."""
        return self.data / "troth.sqlite3"

    @property
    def aside(self) -> Path:
        """Sealed bytes that could not be filed, in `data/`. The worker writes; backups of the data have them."""
        return self.data / "aside"

    def aside_file(self, segment: int, offset: int) -> Path:
        """Return where the sealed bytes are kept that stood in this segment of the spool at this offset."""
        return self.aside / f"{segment:016x}-{offset:08x}.sealed"

    @property
    def spool(self) -> Path:
        """Segments of acknowledged frames. Clerk only; the worker reads."""
        return self.root / "spool"

    @property
    def public(self) -> Path:
        """What the front may read: complete generations. Worker only."""
        return self.root / "public"

    @property
    def asks(self) -> Path:
        """What the broker is to ask for. Worker only."""
        return self.root / "asks"

    @property
    def offers(self) -> Path:
        """What the ad companies answered. Broker only."""
        return self.root / "offers"

    def mend_of(self, missing: Path) -> str:
        """Return what to do where a folder of the site is missing: what is precious comes back from a backup alone."""
        if missing.is_relative_to(self.keys) or missing == self.data:
            return f"Put it back from your backup: `troth restore BACKUPS --to {self.root}` (docs/backup.md)."
        return f"mkdir -m 700 {missing}"
