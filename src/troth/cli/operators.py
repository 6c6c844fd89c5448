"""`troth operator`: who has access to the admin pages, and their role."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import open_site, print_json, stderr, stdout
from troth.core.lazy import lazy

if TYPE_CHECKING:
    from troth.core.config.sections import Config
    from troth.kit import roles
    from troth.office import operators
else:
    operators = lazy("troth.office.operators")
    roles = lazy("troth.kit.roles")

operator = typer.Typer(no_args_is_help=True, help="The team: who has access to the admin pages, and their role.")


class OperatorRole(StrEnum):
    """What an operator may do; `kit.roles` has the details."""

    OWNER = "owner"
    SUPPORT = "support"
    ANALYST = "analyst"


_STORED = {OperatorRole.SUPPORT: "clerk"}
"""Roles that the database knows by another name."""
_ROLE_HELP = "owner: everything; support: people and messages; analyst: statistics only, no personal data."
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The operator's email address.")]
RoleOption = Annotated[OperatorRole, typer.Option("--role", help=_ROLE_HELP)]
RoleArgument = Annotated[OperatorRole, typer.Argument(metavar="owner|support|analyst", help=_ROLE_HELP)]


def _stored(role: OperatorRole) -> "roles.Role":
    return roles.Role(_STORED.get(role, role.value))


def _shown(role: str) -> str:
    return next((public.value for public, stored in _STORED.items() if stored == role), role)


@operator.command("add")
def operator_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The operator's name.")],
    email: Email,
    role: RoleOption = OperatorRole.OWNER,
    site: SiteOption = Path(),
) -> None:
    """Add an operator and print a link to set a password. It works once, for 48 hours."""
    settings = open_site(site)
    _say_link(settings, operators.add(name, email, _stored(role)))


@operator.command("role")
def operator_role(email: Email, role: RoleArgument, site: SiteOption = Path()) -> None:
    """Change an operator's role."""
    open_site(site)
    operators.set_role(email, _stored(role))
    stdout().print("Done.")


@operator.command("list")
def operator_list(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List the operators."""
    open_site(site)
    rows = [
        {"name": listed.name, "email": listed.email, "role": _shown(listed.role)} for listed in operators.list_all()
    ]
    if as_json:
        return print_json(rows)
    for row in rows:
        stdout().print(f"{row['name']}  <{row['email']}>  {row['role']}", markup=False, highlight=False, soft_wrap=True)
    if not rows:
        stdout().print("There are no operators yet. Add one: troth operator add NAME EMAIL")
    return None


@operator.command("link")
def operator_link(
    email: Email,
    sign_in: Annotated[
        bool, typer.Option("--sign-in", help="A link that signs in directly, valid for 30 minutes, instead.")
    ] = False,
    site: SiteOption = Path(),
) -> None:
    """Print a new one-time link for an operator who lost their password or authenticator."""
    settings = open_site(site)
    _say_link(settings, operators.new_link(email, signs_in=sign_in))


@operator.command("remove")
def operator_remove(email: Email, site: SiteOption = Path()) -> None:
    """Remove an operator. They are signed out immediately."""
    open_site(site)
    operators.remove(email)
    stdout().print("Removed.")


def _say_link(settings: "Config", path: str) -> None:
    stderr().print("Open this link; it works once:")
    sys.stdout.write(f"{settings.office.url}{path}\n")
