"""`troth people` and `troth receipt`: the pages of the same name, for scripts. Every access is logged with its purpose.
Prints personal data to the terminal. Exit code 1: nobody was found."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import SHELL, open_site, print_json
from troth.core import facts
from troth.core.errors import TrothError
from troth.core.lazy import lazy
from troth.core.personal import EmailAddress

if TYPE_CHECKING:
    from uuid import UUID

    from django import conf

    from troth.core import receipts
    from troth.operate import site_session
    from troth.people import queries
    from troth.rights import export_documents, held_exports, services
    from troth.vault import keeper as vault
    from troth.vault import models, signing_keys
    from troth.vault.templatetags import personal
else:
    conf = lazy("django.conf")
    export_documents = lazy("troth.rights.export_documents")
    held_exports = lazy("troth.rights.held_exports")
    models = lazy("troth.vault.models")
    personal = lazy("troth.vault.templatetags.personal")
    queries = lazy("troth.people.queries")
    receipts = lazy("troth.core.receipts")
    services = lazy("troth.rights.services")
    signing_keys = lazy("troth.vault.signing_keys")
    site_session = lazy("troth.operate.site_session")
    vault = lazy("troth.vault.keeper")

people = typer.Typer(no_args_is_help=True, help="People: search, export, delete, and import or export the list.")
receipt = typer.Typer(no_args_is_help=True, help="Verify the receipt of a deletion.")

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The person's full email address.")]


def _nobody() -> typer.Exit:
    sys.stderr.write("Nobody was found.\n")
    return typer.Exit(1)


def _person(site: Path, address: str) -> "UUID":
    open_site(site)
    person = vault.keeper().find(SHELL, EmailAddress(address)) if "@" in address else None
    if person is None:
        raise _nobody()
    return person


@people.command("find")
def find(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="An address, @ and a domain, a name or part of one, a phone number.")
    ],
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Search people by a full address, @example.com, a name or one word of it, or a phone number."""
    open_site(site)
    matches = queries.find(SHELL, query)
    if not matches:
        raise _nobody()
    rows = queries.found_page(SHELL, matches).rows
    for person in map(_as_json, rows):
        if as_json:
            print_json(person)
        else:
            columns = (person["email"] or "(restricted)", person["name"] or "", person["state"] or "", person["id"])
            sys.stdout.write("  ".join(column for column in columns if column) + "\n")


def _as_json(row: "queries.PersonRow") -> dict[str, Any]:
    return {
        "id": str(row.person_id),
        "email": personal.shown(row.email) or None,
        "name": personal.shown(row.name) or None,
        "state": row.state.value if row.state else None,
        "frozen": row.frozen,
        "since": row.since.isoformat(timespec="seconds"),
    }


@people.command("export")
def export(
    address: Address,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
    as_html: Annotated[bool, typer.Option("--html", help="Print an HTML page.")] = False,
) -> None:
    """Export a person's data, to give to them: as text, HTML or JSON."""
    person = _person(site, address)
    documents = held_exports.take(person, SHELL)
    if documents is None:
        raise _nobody()
    document = documents.data if as_json else documents.page if as_html else documents.text
    body = export_documents.body(document).rstrip(b"\n") + b"\n"
    if sys.stdout.isatty():
        sys.stdout.write(body.decode())
    else:
        sys.stdout.buffer.write(body)


@people.command("delete")
def delete(
    address: Address,
    site: SiteOption = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete a person permanently and print the receipt (--json: the signed file). Works with the site running or
    stopped."""
    person = _person(site, address)
    if not yes and not typer.confirm("Delete this person permanently?", err=True):
        sys.stderr.write("Nothing was deleted.\n")
        raise typer.Exit(2)
    request = services.ask_to_erase(person, SHELL)
    if request is None:
        raise _nobody()
    finished = models.Erasure.objects.filter(id=request.id, done_at__isnull=False)
    if not site_session.finish_erasures(site, finished.exists):
        sys.stderr.write("The deletion is queued, but the worker has not done it yet. See `troth status`.\n")
        raise typer.Exit(75)
    _print_receipt(finished.get().receipt, as_json=as_json)
    if not as_json:
        url = conf.settings.TROTH_CONFIG.office.url
        sys.stderr.write(f"To save the signed receipt: {url}/deletion-log/{request.id}/\n")


def _print_receipt(written: str, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(written)
        return
    for line in _lines(receipts.read(written.encode()).told):
        sys.stdout.write(line + "\n")


def _lines(content: Any) -> list[str]:
    deleted = [f"  {kind}: {count}" for kind, count in content["went"].items()] or ["  All records."]
    retained = [f"  {words}" for words in content["kept_by_law"]] or ["  Nothing."]
    return [
        f"Deleted {content['erased_at']}, requested by {content['asked_by']} {content['asked_at']}.",
        f"Receipt {content['erasure']} of {content['site']['name']}, {content['site']['url']}",
        "Deleted:",
        *deleted,
        "Kept as required by law:",
        *retained,
        "What remains:",
        *[f"  {words}" for words in content["remains"]],
        "Gone from backups:",
        f"  {facts.gone_from_backups(content['key_backups_forget_by'])}",
    ]


def _consent_lines(content: Any) -> list[str]:
    """Return the steps of a consent, one after the other."""
    lines = [f"Consent receipt of {content['site']['name']}, {content['site']['url']}, {content['made_at']}"]
    for step in content["steps"]:
        lines += ["", *(f"{name.replace('_', ' ')}: {value}" for name, value in step.items() if value is not None)]
    return lines


@receipt.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The receipt file.")],
    site: Annotated[Path | None, typer.Option("--site", metavar="DIR", help="The site that issued it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a receipt's signature and print its content. With --site, also that this site issued it."""
    try:
        data = file.read_bytes()
    except OSError:
        raise TrothError(f"{file} cannot be read.", mend="Name the receipt file.") from None
    checked = receipts.read(data, _keys_of(site) if site else None, (receipts.ERASURE, receipts.CONSENT))
    if as_json:
        print_json(dict(checked.told))
        return
    key = "this site's key" if site else "the key in the receipt; compare it with the site's key at /privacy/keys"
    sys.stdout.write(f"The signature is valid, by {key}:\n  {checked.key.hex()}\n\n")
    lines = _lines(checked.told) if checked.kind == receipts.ERASURE else _consent_lines(checked.told)
    sys.stdout.write("\n".join(lines) + "\n")


def _keys_of(site: Path) -> dict[int, bytes]:
    open_site(site)
    return signing_keys.public_link_keys()
