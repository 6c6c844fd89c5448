"""Campaigns are written behind the office's fence and the worker's: Pillow, css-inline and markdown-it run there."""

from pathlib import Path

import pytest

from tests.walls.prison import brief_for, run

pytestmark = pytest.mark.walls

WRITES = """
import io
from PIL import Image, ImageCms
from troth.newsletter.campaigns import content, images

def picture(kind, **more):
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((1600, 900)).save(file, kind, **more)
    return file.getvalue()

def reencodes():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert images.reencode(picture("JPEG", icc_profile=profile)).name.endswith(".jpg")
    for kind in ("PNG", "WEBP"):
        images.reencode(picture(kind))
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    assert images.reencode(picture("GIF", save_all=True, append_images=frames)).name.endswith(".gif")

def renders():
    draft = content.Draft("S", "P", "# Hello {{ name | there }}", "announcement")
    made = content.render(draft, content.Look("S", "#123456", "https://www.example.com"))
    values = {"name": "Ada", "unsubscribe_url": "https://www.example.com/u", "preferences_url": "https://www.example.com/p"}
    assert "Hello Ada" in made.html.fill(values) and "Hello Ada" in made.text.fill(values)

attempt("reencodes", reencodes)
attempt("renders", renders)
"""


@pytest.mark.parametrize("role", ["office", "worker"])
def test_they_are_written_behind_the_fence(folders: Path, role: str) -> None:
    result = run(brief_for(role, folders), WRITES)
    assert result.found == {"reencodes": "ALLOWED", "renders": "ALLOWED"}, result.stderr
