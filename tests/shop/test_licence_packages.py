"""The packages with which vendors check licence keys: built as they are published, and tried with the test vectors."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.shop import licence_vectors as vectors

PACKAGES = vectors.PATH.parents[1]
PYTHON, SCRIPT = PACKAGES / "licence-python", PACKAGES / "licence-js"

TRY = """
import json, sys
from dataclasses import asdict
from datetime import date
import cryptography
from troth_licence import LicenceRefused, Revocations, Verifier

assert not any(name.split(".")[0] == "troth" for name in sys.modules)
vectors, wrong = json.load(open(sys.argv[1])), []
for vector in vectors["licences"]:
    verifier = Verifier(vectors["keys"], product=vector["product"])
    revoked = Revocations(1, date(2026, 1, 1), frozenset(vector["revoked"]))
    try:
        licence = verifier.verify(vector["text"], today=date.fromisoformat(vector["today"]), revocations=revoked)
        result = json.loads(json.dumps(asdict(licence), default=str))
    except LicenceRefused as refused:
        result = {"reason": refused.reason}
    if result != vector["result"]:
        wrong.append(vector["name"])
print(json.dumps({"tried": len(vectors["licences"]), "wrong": wrong}))
"""


def run(*words, **more):
    result = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **more)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from the source distribution, as `pip install` builds it where there is no wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = Path(sys.executable).with_name("uv-build")
    run(build, "build-sdist", folder, cwd=PYTHON)
    (packed,) = folder.glob("*.tar.gz")
    shutil.unpack_archive(packed, folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    run(build, "build-wheel", folder, cwd=unpacked)
    (built,) = folder.glob("*.whl")
    return built


def test_the_python_package_is_whole_and_needs_cryptography_alone(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = sorted(name for name in file.namelist() if not name.startswith("troth_licence-") and name[-1] != "/")
        (metadata,) = (name for name in file.namelist() if name.endswith("/METADATA"))
        about = file.read(metadata).decode()
        code = file.read("troth_licence/__init__.py").decode()
    assert names == ["troth_licence/__init__.py", "troth_licence/py.typed"]
    assert [line for line in about.splitlines() if line.startswith("Requires-Dist")] == [
        "Requires-Dist: cryptography>=42"
    ]
    assert "from troth." not in code


def test_the_python_package_agrees_with_the_vectors(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path)
    answer = run(sys.executable, "-c", TRY, vectors.PATH, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    assert json.loads(answer) == {"tried": len(json.loads(vectors.made())["licences"]), "wrong": []}


def test_the_javascript_package_agrees_with_the_vectors():
    node = shutil.which("node")
    assert node, "make test installs Node.js"
    output = run(node, "--test", "--test-reporter=tap", cwd=SCRIPT, env={"PATH": os.environ["PATH"]})
    made = json.loads(vectors.made())
    assert f"# pass {len(made['licences']) + len(made['revocations']) + 3}\n" in output
    assert "# fail 0\n" in output


def test_the_javascript_package_holds_what_it_names_and_depends_on_nothing():
    about = json.loads((SCRIPT / "package.json").read_text("utf-8"))
    assert not any("ependencies" in name for name in about)
    assert all((SCRIPT / name).is_file() for name in about["files"])
    code = (SCRIPT / "index.js").read_text("utf-8")
    assert "import " not in code.replace("* import", "")
    assert "require(" not in code


def test_both_packages_say_the_same_reasons():
    sys.path.insert(0, str(PYTHON / "src"))
    try:
        import troth_licence
    finally:
        sys.path.remove(str(PYTHON / "src"))
    node = run(
        shutil.which("node"),
        "--input-type=module",
        "-e",
        f"import {{ REASONS }} from {json.dumps((SCRIPT / 'index.js').as_uri())}; console.log(JSON.stringify(REASONS))",
    )
    assert json.loads(node) == troth_licence.REASONS
    types = (SCRIPT / "index.d.ts").read_text("utf-8")
    assert all(f'| "{reason}"' in types for reason in troth_licence.REASONS)
