"""Images for campaigns: whatever is uploaded is decoded, made small and encoded anew, so that only pixels remain.

Photographs become JPEG, all else PNG, animations GIF: what every mail program shows. What goes: place and time of a
photograph, thumbnails, comments, colour profiles (the colours become sRGB), and whatever lay behind the image's end.
Touches nothing but the bytes it is given.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from troth.core.errors import TrothError
from troth.core.lazy import lazy

if TYPE_CHECKING:
    import PIL
    import PIL.Image as pillow
    import PIL.ImageCms as colour_profiles
    import PIL.ImageOps as image_ops
    import PIL.ImageSequence as image_sequence
else:
    PIL = lazy("PIL")
    pillow, colour_profiles = lazy("PIL.Image"), lazy("PIL.ImageCms")
    image_ops, image_sequence = lazy("PIL.ImageOps"), lazy("PIL.ImageSequence")

LARGEST = 10_000_000
"""Most bytes of an upload, and of what is made of it."""
WIDEST = 1200
"""Pixels: twice the width of an email, for sharp screens."""
MOST_PIXELS = 25_000_000
MOST_PIXELS_OF_JPEG = 50_000_000
"""More than of others, since a JPEG is decoded to what is needed of it."""
LARGE_PNG = 400_000
"""Bytes of a PNG from which a JPEG half its size takes its place: photographs are saved as PNG, too."""
MOST_FRAME_PIXELS = 60_000_000
"""Of an animation, all frames together, as they are made: about two seconds."""
MOST_FRAMES = 300

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
_ENDINGS = {
    "JPEG": ("jpg", "jpeg", "jpe", "jfif"),
    "MPO": ("jpg", "jpeg", "jpe", "jfif"),  # what Pillow calls a JPEG with a second picture in it, as telephones make
    "PNG": ("png", "apng"),
    "GIF": ("gif",),
    "WEBP": ("webp",),
}
_MOVE = ("GIF", "PNG", "WEBP")


class ImageError(TrothError):
    """An upload that is not taken."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image as it is published."""

    data: bytes
    media_type: str
    width: int
    height: int
    name: str
    """Of its file: the hash of its content, and an ending."""


def reencode(data: bytes, file_name: str = "") -> Image:
    """Return an uploaded image, encoded anew. Raises `ImageError`.

    `file_name`: as uploaded; an ending that the content does not have is refused.
    """
    if len(data) > LARGEST:
        raise ImageError(
            f"This image is larger than {LARGEST // 1_000_000} MB.",
            mend="Export it smaller: 1200 pixels wide is enough.",
        )
    image = _opened(data)
    _check_name(file_name, str(image.format))
    _check_size(image)
    try:
        encoded, format_name, size = _animation(image) if _moves(image) else _picture(image)
    except ImageError:
        raise
    except Exception:  # decoders raise whatever they stumble over: OSError, SyntaxError, ValueError, struct.error
        raise _damaged() from None
    if len(encoded) > LARGEST:
        raise ImageError("This animation is too large.", mend="Export it shorter, smaller or with fewer colours.")
    ending = {"JPEG": "jpg", "PNG": "png", "GIF": "gif"}[format_name]
    name = f"{sha256(encoded).hexdigest()[:32]}.{ending}"
    return Image(encoded, f"image/{format_name.lower()}", *size, name)


def _opened(data: bytes) -> "pillow.Image":
    """Return the image, its head read alone."""
    import_module("PIL.WebPImagePlugin")  # `open` looks for it only where any format may come
    try:
        return pillow.open(io.BytesIO(data), formats=_FORMATS)
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except PIL.UnidentifiedImageError:
        vector = b"<svg" in data[:2000].lower()
        raise ImageError(
            "Most mail programs do not show SVG." if vector else "This is no JPEG, PNG, GIF or WebP image.",
            mend="Export it as PNG or JPEG, and upload that.",
        ) from None
    except Exception:  # as above
        raise _damaged() from None


def _check_name(file_name: str, format_name: str) -> None:
    ending = PurePosixPath(file_name).suffix.lower().removeprefix(".")
    endings = _ENDINGS[format_name]
    if ending and ending not in endings:
        real = "JPEG" if format_name == "MPO" else format_name
        raise ImageError(
            f"The file's name ends with .{ending[:10]}, but it is a {real} image.",
            mend=f"Rename it so that it ends with .{endings[0]}, or export it again.",
        )


def _check_size(image: "pillow.Image") -> None:
    if image.width * image.height > (MOST_PIXELS_OF_JPEG if _is_jpeg(image) else MOST_PIXELS):
        raise _too_many_pixels()
    if image.width < 1 or image.height < 1 or image.height > 20 * image.width:
        raise ImageError("This image is too narrow for its height.", mend="Cut it into several, or turn it.")


def _is_jpeg(image: "pillow.Image") -> bool:
    return image.format in {"JPEG", "MPO"}


def _moves(image: "pillow.Image") -> bool:
    return image.format in _MOVE and getattr(image, "n_frames", 1) > 1


def _too_many_pixels() -> ImageError:
    return ImageError(
        "This image has too many pixels: "
        f"{MOST_PIXELS // 1_000_000} million are possible, {MOST_PIXELS_OF_JPEG // 1_000_000} million in a JPEG.",
        mend="Export it smaller: 1200 pixels wide is enough.",
    )


def _damaged() -> ImageError:
    return ImageError("This image is damaged or incomplete.", mend="Open it in an image editor and export it again.")


# -- a picture --------------------------------------------------------------------------------------------------------


def _picture(image: "pillow.Image") -> tuple[bytes, str, tuple[int, int]]:
    """Return it encoded, its format and its size."""
    profile = image.info.get("icc_profile")
    if _is_jpeg(image):
        image.draft(None, (2 * WIDEST, 2 * WIDEST))  # decodes to a fraction, as large as is needed at least
    picture = _in_srgb(_upright(image), profile)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() != (255, 255):
        picture = _narrowed(picture)
        return _saved(picture, "PNG", optimize=True), "PNG", picture.size
    picture = _narrowed(picture.convert("RGB"))
    png = b"" if _is_jpeg(image) else _saved(_with_palette(picture), "PNG", optimize=True)
    if png and len(png) < LARGE_PNG:
        return png, "PNG", picture.size
    jpeg = _saved(picture, "JPEG", quality=85, optimize=True, progressive=True)
    return (png, "PNG", picture.size) if png and len(png) < 2 * len(jpeg) else (jpeg, "JPEG", picture.size)


def _upright(image: "pillow.Image") -> "pillow.Image":
    """Return a copy, turned as its camera was, in RGB or RGBA."""
    turned = image_ops.exif_transpose(image) or image
    if turned.mode.startswith("I"):  # 16 bits of grey: `convert` would cut what is brighter than 255
        turned = turned.convert("I").point(lambda value: value / 257).convert("L")
    has_alpha = turned.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in turned.info
    return turned.convert("RGBA" if has_alpha else "CMYK" if turned.mode == "CMYK" else "RGB")


def _in_srgb(picture: "pillow.Image", profile: object) -> "pillow.Image":
    """Return a picture with the colours that its profile means. One that is not understood is as good as none."""
    if not isinstance(profile, bytes):
        return picture if picture.mode == "RGBA" else picture.convert("RGB")
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        from_profile = colour_profiles.ImageCmsProfile(io.BytesIO(profile))
        to_profile = colour_profiles.createProfile("sRGB")
        converted = colour_profiles.profileToProfile(picture, from_profile, to_profile, outputMode=mode)
    except (colour_profiles.PyCMSError, OSError, ValueError):
        return picture.convert(mode)
    return converted or picture.convert(mode)


def _narrowed(picture: "pillow.Image") -> "pillow.Image":
    if picture.width <= WIDEST:
        return picture
    height = max(1, round(picture.height * WIDEST / picture.width))
    return picture.resize((WIDEST, height), pillow.Resampling.LANCZOS)


def _with_palette(picture: "pillow.Image") -> "pillow.Image":
    """Return a picture of few colours, such as a chart or a screenshot often is, with a palette: the same, smaller."""
    if picture.mode != "RGB" or picture.getcolors(256) is None:
        return picture
    return picture.convert("P", palette=pillow.Palette.ADAPTIVE, colors=256)


def _saved(picture: "pillow.Image", format_name: str, **options: object) -> bytes:
    """Return the encoding of pixels, with nothing beside them."""
    clean = pillow.frombytes(picture.mode, picture.size, picture.tobytes()) if picture.mode != "P" else picture
    clean.info = {}
    file = io.BytesIO()
    clean.save(file, format_name, **options)
    return file.getvalue()


# -- an animation -----------------------------------------------------------------------------------------------------


def _animation(image: "pillow.Image") -> tuple[bytes, str, tuple[int, int]]:
    frames = int(getattr(image, "n_frames", 1))
    width = min(image.width, WIDEST)
    if frames > MOST_FRAMES or frames * image.width * image.height > MOST_FRAME_PIXELS:
        raise ImageError(
            f"This animation has {frames} frames of {image.width} × {image.height} pixels, which is too much.",
            mend=f"Export it with at most {MOST_FRAMES} frames, and smaller.",
        )
    size = (width, max(1, math.ceil(image.height * width / image.width)))
    durations = list(_durations(image))
    pictures = _frames(image, size)
    file = io.BytesIO()
    next(pictures).save(
        file,
        "GIF",
        save_all=True,
        append_images=pictures,  # one after the other: together they would take a gigabyte
        duration=durations,
        loop=int(image.info.get("loop", 0)),
        disposal=2 if image.has_transparency_data else 1,
        optimize=True,
    )
    return file.getvalue(), "GIF", size


def _durations(image: "pillow.Image") -> Iterator[int]:
    """Yield how long each frame is shown, in milliseconds."""
    for frame in image_sequence.Iterator(image):
        frame.load()  # a WebP says it only then
        yield max(20, int(frame.info.get("duration") or 100))


def _frames(image: "pillow.Image", size: tuple[int, int]) -> "Iterator[pillow.Image]":
    """Yield each frame, whole and in its final size."""
    for frame in image_sequence.Iterator(image):
        picture = frame.convert("RGBA")
        if picture.size != size:
            picture = picture.resize(size, pillow.Resampling.LANCZOS)
        picture.info = {}
        yield picture
