"""`troth licence`: verify a licence key, list the keys that sign licences, and change them. Shows no personal data: a
licence has none. Exit code 1: the licence key is no good."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json
from troth.core.errors import TrothError
from troth.core.lazy import lazy
from troth.core.site import Site

if TYPE_CHECKING:
    from troth.shop.licences import revocation_file, signing, verifier
else:
    revocation_file = lazy("troth.shop.licences.revocation_file")
    signing = lazy("troth.shop.licences.signing")
    verifier = lazy("troth.shop.licences.verifier")

licence = typer.Typer(no_args_is_help=True, help="Licence keys: verify one; the keys that sign them.")

_LONGEST = 64 * 1024


@licence.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file with the licence key; - for standard input.")],
    product: Annotated[
        str | None, typer.Option("--product", metavar="CODE", help="The product it must be for. Default: any.")
    ] = None,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Verify a licence key with the site's own keys and its list of revoked licences. Exit code 1 if it is no good."""
    place = Site(site.resolve())
    keys = signing.load(place)
    if not keys:
        raise TrothError("This site has no key for licences.", mend="Name the site's folder with --site.")
    text = _text(file)
    try:
        checker = verifier.Verifier([key.text for key in keys], product=product)
        result = checker.verify(text, revocations=revocation_file.read(place.public, keys))
    except verifier.LicenceRefused as refused:
        if as_json:
            print_json({"valid": False, "reason": refused.reason})
        else:
            sys.stdout.write(f"✗ {refused}\n")
        raise typer.Exit(1) from None
    if as_json:
        print_json({"valid": True, **asdict(result)})
    else:
        _say(result)


def _text(file: Path) -> str:
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as opened:
            raw = opened.read(_LONGEST + 1)
    except OSError as error:
        raise TrothError(f"{file} cannot be read: {error.strerror}.", mend="Name another file.") from None
    return raw.decode("utf-8", "replace")


def _say(result: "verifier.Licence") -> None:
    lines = [
        f"✓ Licence {result.id} is valid.",
        f"  Product: {' '.join(filter(None, (result.product, result.edition)))}",
        f"  Seats: {result.seats or 'any number'}",
        f"  Order: {result.order}, {result.issued}",
        f"  Valid until: {result.valid_until or 'indefinitely'}",
        f"  Updates until: {result.updates_until or 'indefinitely'}",
    ]
    if result.upgrade_of:
        lines.append(f"  Replaces: {result.upgrade_of}")
    sys.stdout.write("\n".join(lines) + "\n")


@licence.command("keys")
def keys(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List the public keys that your programs need to check licences, and which one signs new licences."""
    loaded = signing.load(Site(site.resolve()))
    signs = signing.current(loaded).number if loaded else 0
    states = {key.number: "signs" if key.number == signs else "earlier" if key.in_use else "next" for key in loaded}
    if as_json:
        print_json(
            [{"number": key.number, "id": key.id, "public": key.text, "state": states[key.number]} for key in loaded]
        )
        return
    for key in loaded:
        sys.stdout.write(f"{key.number:>3}  {key.id}  {key.text}  {states[key.number]}\n")
    if not loaded:
        sys.stdout.write("There is no key yet: `troth licence new-key` creates it.\n")


@licence.command("new-key")
def new_key(site: SiteOption = Path()) -> None:
    """Create the next key. Build it into your programs before `use-key`; the very first key is used at once."""
    key = signing.make(Site(site.resolve()))
    sys.stdout.write(f"{key.text}\n")
    if key.in_use:
        sys.stderr.write("This is the public key that your programs need. New licences are signed with it.\n")
    else:
        sys.stderr.write("Release your programs with this public key, too. Then: troth licence use-key\n")


@licence.command("use-key")
def use_key(site: SiteOption = Path()) -> None:
    """Sign new licences with the next key. Earlier licences stay valid."""
    key = signing.use(Site(site.resolve()))
    sys.stdout.write(f"Licences are signed with key {key.number} ({key.id}) from now on.\n")
