"""`troth operator`: who may enter the office."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json, stderr, stdout, with_django

if TYPE_CHECKING:
    from troth.core.config.sections import Config


operator = typer.Typer(no_args_is_help=True, help="Add, list and remove those who may enter the office.")


class OperatorRole(StrEnum):
    """What an operator may do; `kit.roles` says it in full."""

    OWNER = "owner"
    CLERK = "clerk"
    ANALYST = "analyst"


_ROLE_HELP = "owner: everything; clerk: people and messages; analyst: counts, never a person."
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The operator's e-mail address.")]
RoleOption = Annotated[OperatorRole, typer.Option("--role", help=_ROLE_HELP)]
RoleArgument = Annotated[OperatorRole, typer.Argument(metavar="owner|clerk|analyst", help=_ROLE_HELP)]


@operator.command("add")
def operator_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="How to greet them.")],
    email: Email,
    role: RoleOption = OperatorRole.OWNER,
    site: SiteOption = Path(),
) -> None:
    """Add an operator and print a link by which they choose a password. It works once, for 48 hours."""
    settings = with_django(site)
    from troth.kit.roles import Role as Granted
    from troth.office import operators

    _say_link(settings, operators.add(name, email, Granted(role.value)))


@operator.command("role")
def operator_role(email: Email, role: RoleArgument, site: SiteOption = Path()) -> None:
    """Give an operator another role: owner, clerk or analyst."""
    with_django(site)
    from troth.kit.roles import Role as Granted
    from troth.office import operators

    operators.set_role(email, Granted(role.value))
    stdout().print("Done.")


@operator.command("list")
def operator_list(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List the operators."""
    with_django(site)
    from troth.office import operators

    rows = [{"name": one.name, "email": one.email, "role": one.role} for one in operators.list_all()]
    if as_json:
        return print_json(rows)
    for row in rows:
        stdout().print(f"{row['name']}  <{row['email']}>  {row['role']}", markup=False, highlight=False, soft_wrap=True)
    if not rows:
        stdout().print("There is no operator yet. Add one: troth operator add NAME EMAIL")
    return None


@operator.command("link")
def operator_link(
    email: Email,
    sign_in: Annotated[
        bool, typer.Option("--sign-in", help="A link that signs in at once, for 30 minutes, instead.")
    ] = False,
    site: SiteOption = Path(),
) -> None:
    """Print a new one-time link for an operator who lost their password or their authenticator."""
    settings = with_django(site)
    from troth.office import operators

    _say_link(settings, operators.new_link(email, signs_in=sign_in))


@operator.command("remove")
def operator_remove(email: Email, site: SiteOption = Path()) -> None:
    """Remove an operator. Their sessions end at once."""
    with_django(site)
    from troth.office import operators

    operators.remove(email)
    stdout().print("Removed.")


def _say_link(settings: "Config", path: str) -> None:
    stderr().print("Open this link; it works once:")
    sys.stdout.write(f"{settings.office.url}{path}\n")
