"""`troth people` and `troth receipt`: what the office does, for scripts. Opens people for a purpose, in the ledger.

What is printed here was opened for whoever sits at this shell. Exit code 1: there is nobody by that.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json
from troth.core import facts

if TYPE_CHECKING:
    from uuid import UUID

    from troth.people.queries import Row

people = typer.Typer(no_args_is_help=True, help="Find, export and erase people; take the list in or along.")
receipt = typer.Typer(no_args_is_help=True, help="Check the receipt of an erasure.")
SHELL = "shell"
"""Who opened somebody, as the ledger names it."""

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The person's whole e-mail address.")]


def _open(site: Path) -> None:
    from troth.operate import site_session

    site_session.in_site(site)


def _nobody() -> typer.Exit:
    sys.stderr.write("Nobody here is found by that.\n")
    return typer.Exit(1)


def _find_one(site: Path, address: str) -> "UUID":
    _open(site)
    from troth.core.personal import EmailAddress
    from troth.vault.keeper import keeper

    person = keeper().find(SHELL, EmailAddress(address)) if "@" in address else None
    if person is None:
        raise _nobody()
    return person


@people.command("find")
def find(
    sought: Annotated[
        str, typer.Argument(metavar="WORDS", help="An address, @ and a domain, a name or a word of it, a number.")
    ],
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Find people by what you know of them: a whole address, @example.com, a name or one word of it, a number."""
    _open(site)
    from troth.people import queries as service

    found = service.find(SHELL, sought)
    if not found:
        raise _nobody()
    rows = service.found_page(SHELL, found).rows
    for told in map(_told, rows):
        if as_json:
            print_json(told)
        else:
            words = (told["email"] or "(left alone)", told["name"] or "", told["state"] or "", told["id"])
            sys.stdout.write("  ".join(word for word in words if word) + "\n")


def _told(row: "Row") -> dict[str, Any]:
    from troth.vault.templatetags.personal import shown

    return {
        "id": str(row.person_id),
        "email": shown(row.email) or None,
        "name": shown(row.name) or None,
        "state": row.state.value if row.state else None,
        "frozen": row.frozen,
        "since": row.since.isoformat(timespec="seconds"),
    }


@people.command("export")
def export(
    address: Address,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
    as_html: Annotated[bool, typer.Option("--html", help="Print a page, whole.")] = False,
) -> None:
    """Print all that is kept of a person, for them: as text, as a page, or as JSON."""
    person = _find_one(site, address)
    from troth.rights import export_documents as exports
    from troth.rights import held_exports

    found = held_exports.take(person, SHELL)
    if found is None:
        raise _nobody()
    document = found.data if as_json else found.page if as_html else found.text
    body = exports.body(document).rstrip(b"\n") + b"\n"
    if sys.stdout.isatty():
        sys.stdout.write(body.decode())
    else:
        sys.stdout.buffer.write(body)


@people.command("erase")
def erase(
    address: Address,
    site: SiteOption = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase a person for good, and print the receipt; with --json as it is signed. Works with the site running and
    without."""
    person = _find_one(site, address)
    if not yes and not typer.confirm("Erase this person for good?", err=True):
        sys.stderr.write("Nothing was erased.\n")
        raise typer.Exit(2)
    from troth.operate import site_session
    from troth.rights import services
    from troth.vault.models import Erasure

    asked = services.ask_to_erase(person, SHELL)
    if asked is None:
        raise _nobody()
    done = Erasure.objects.filter(id=asked.id, done_at__isnull=False)
    if not site_session.finish_erasures(site, done.exists):
        sys.stderr.write("It is asked for, but the worker has not done it yet. `troth status` says more.\n")
        raise typer.Exit(75)
    _print_receipt(done.get().receipt, as_json=as_json)
    if not as_json:
        from django.conf import settings

        sys.stderr.write(f"To save it as it is signed: {settings.TROTH_CONFIG.office.url}/deletion-log/{asked.id}/\n")


def _print_receipt(written: str, *, as_json: bool) -> None:
    from troth.core import receipts

    if as_json:
        sys.stdout.write(written)
        return
    for line in _lines(receipts.read(written.encode()).told):
        sys.stdout.write(line + "\n")


def _lines(told: Any) -> list[str]:
    went = [f"  {what}: {count}" for what, count in told["went"].items()] or ["  What there was."]
    kept = [f"  {words}" for words in told["kept_by_law"]] or ["  Nothing."]
    return [
        f"Erased {told['erased_at']}, asked for by {told['asked_by']} {told['asked_at']}.",
        f"Receipt {told['erasure']} of {told['site']['name']}, {told['site']['url']}",
        "What went:",
        *went,
        "Kept, by law:",
        *kept,
        "What remains:",
        *[f"  {words}" for words in told["remains"]],
        "Gone from backups:",
        f"  {facts.gone_from_backups(told['key_backups_forget_by'])}",
    ]


@receipt.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The receipt, as it was saved.")],
    site: Annotated[Path | None, typer.Option("--site", metavar="DIR", help="The site that gave it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a receipt's signature, and print what it says. With --site, also that this site gave it."""
    from troth.core import receipts
    from troth.core.errors import TrothError

    try:
        data = file.read_bytes()
    except OSError:
        raise TrothError(f"{file} cannot be read.", mend="Name the file of the receipt.") from None
    found = receipts.read(data, _keys_of(site) if site else None)
    if as_json:
        print_json(dict(found.told))
        return
    whose = "this site's key" if site else "the key that it brings; compare it with the site's, at /privacy/keys"
    sys.stdout.write(f"The signature is good, by {whose}:\n  {found.key.hex()}\n\n")
    sys.stdout.write("\n".join(_lines(found.told)) + "\n")


def _keys_of(site: Path) -> dict[int, bytes]:
    _open(site)
    from troth.vault import signing_keys

    return signing_keys.public_link_keys()
