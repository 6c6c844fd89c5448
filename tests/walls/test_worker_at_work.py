"""The worker's fence lets it do its work: a full batch is filed behind it, with SQLite's temporary files and all."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from bench.intake import CONSENT, fill
from tests.walls.prison import brief_for, run
from tests.worker import served

pytestmark = pytest.mark.walls
COUNT = 600


def test_a_full_batch_is_filed_behind_the_fence(tmp_path: Path) -> None:
    site, _ = served.make(tmp_path / "site")
    command = "import sys; from pathlib import Path; from troth.operate.site_session import in_site; "
    command += "in_site(Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", command, str(site.root)], check=True)
    fill(site, COUNT)
    before = hashlib.sha256(b"".join(sorted(path.read_bytes() for path in site.spool.glob("*.seg")))).digest()
    code = f"""
os.environ["TROTH_SITE"] = {str(site.root)!r}
os.environ["DJANGO_SETTINGS_MODULE"] = "troth.django_settings"
import django
django.setup()
from troth.newsletter import consent_texts
from troth.vault.keeper import keeper
from troth.vault.models import AsideItem, Person
from troth.worker import intake as intakes
intakes._BATCH_SECONDS = 10.0  # however slow this machine is: a batch is a full one
def file_all():
    keeper().check()
    consent_texts.keep({CONSENT!r})  # as `publish` does before anything comes in: what agrees to no sentence is refused
    intake = intakes.Intake()
    while intake.turn().moved:
        pass
attempt("file", file_all)
found["people"], found["aside"] = str(Person.objects.count()), str(AsideItem.objects.count())
"""
    told = run(brief_for("worker", site.root), code).found
    assert told == {"file": "ALLOWED", "people": str(COUNT), "aside": "0"}
    after = hashlib.sha256(b"".join(sorted(path.read_bytes() for path in site.spool.glob("*.seg")))).digest()
    assert after == before
