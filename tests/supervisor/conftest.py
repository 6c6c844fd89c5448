"""The users of the roles, and a site that is theirs. As root, and where the users can be made."""

import contextlib
import os
import tempfile
from pathlib import Path

import pytest

from tests.supervisor.shared_users import shared_users
from troth.core.errors import TrothError
from troth.core.site import Site
from troth.operate import create_site
from troth.supervisor import apply_fence, users
from troth.supervisor.brief import Brief

GROUPS = ("data", "spool", "public")


def as_user(user, act):
    """Whether `act` went well in a process that became `user`, as the supervisor's children do."""
    child = os.fork()
    if not child:
        try:
            apply_fence.become(Brief(role="worker", public="", user=user.ident, groups=user.groups))
            act()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.fixture(scope="module")
def people():
    """The users of the roles."""
    if os.geteuid() != 0:
        pytest.skip("only root gives each process a user of its own")
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(shared_users())
        except TrothError as error:
            pytest.skip(f"this machine makes no users: {error}")
        yield made


@pytest.fixture
def within_reach():
    """A folder that every user can reach, as pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="troth-users-") as name:
        Path(name).chmod(0o711)
        yield Path(os.path.realpath(name))


@pytest.fixture
def settled(people, within_reach):
    """A site that each user can reach, settled as `troth serve` does it, with something in each folder."""
    site = Site(create_site.init(within_reach / "site").root)
    site.mail_password.write_text("hush")
    site.database_password.write_text("hush")
    (site.spool / "0000000000000001.seg").write_bytes(b"acknowledged")
    (site.public / "gen-1").mkdir()
    (site.public / "gen-1" / "front.json").write_text("{}")
    (site.public / "current").symlink_to("gen-1")
    (site.data / "aside").mkdir()
    users.share(site)
    users.settle(site, people)
    return site
