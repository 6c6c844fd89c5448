"""Whatever is uploaded comes out as pixels alone, or is refused with a reason."""

import io
import struct
import zlib

import PIL.Image
import PIL.ImageCms
import PIL.ImageDraw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.newsletter.campaigns import images
from troth.newsletter.campaigns.images import LARGEST, WIDEST, ImageError, reencode


def picture(width=1600, height=800, mode="RGB"):
    """A gradient: many colours, and no two corners alike."""
    grey = PIL.Image.linear_gradient("L").resize((width, height))
    across = PIL.Image.linear_gradient("L").rotate(90).resize((width, height))
    return PIL.Image.merge("RGB", (grey, across, PIL.Image.new("L", (width, height), 80))).convert(mode)


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(image: images.Image):
    result = PIL.Image.open(io.BytesIO(image.data))
    result.load()
    assert (result.width, result.height) == (image.width, image.height)
    assert PIL.Image.MIME[result.format] == image.media_type
    return result


def movie(frames=6, mode="RGB"):
    drawn = []
    for number in range(frames):
        frame = PIL.Image.new("RGBA", (400, 100), (255, 255, 255, 0 if mode == "RGBA" else 255))
        PIL.ImageDraw.Draw(frame).rectangle((number * 50, 20, number * 50 + 40, 60), fill=(200, 0, 0, 255))
        drawn.append(frame.convert(mode))
    return drawn


def bomb(width, height):
    """A PNG that says it is large, and has nothing in it."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 900)) + chunk(b"IEND", b"")
    )


class TestTypes:
    @pytest.mark.parametrize(
        ("kind", "options", "media_type"),
        [
            ("JPEG", {}, "image/jpeg"),
            ("PNG", {}, "image/png"),
            ("GIF", {}, "image/png"),
            ("WEBP", {"lossless": True}, "image/png"),
        ],
    )
    def test_each_that_is_taken(self, kind, options, media_type):
        image = reencode(encoded(picture(), kind, **options))
        assert image.media_type == media_type
        assert (image.width, image.height) == (WIDEST, WIDEST // 2)
        assert opened(image).convert("RGB").getpixel((5, 5)) != opened(image).convert("RGB").getpixel((1190, 590))

    def test_a_photograph_saved_as_png_becomes_a_jpeg(self):
        noise = PIL.Image.merge(
            "RGB", [PIL.Image.effect_noise((900, 700), 40 + n).resize((1200, 900)) for n in range(3)]
        )
        assert reencode(encoded(noise, "PNG")).media_type == "image/jpeg"
        assert reencode(encoded(noise, "WEBP")).media_type == "image/jpeg"

    def test_a_narrow_one_is_not_made_wider(self):
        assert (reencode(encoded(picture(300, 200), "PNG")).width) == 300

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
    def test_each_mode_of_png(self, mode):
        image = PIL.Image.new("I;16", (60, 40), 40_000) if mode == "I;16" else picture(60, 40, "RGB").convert(mode)
        result = opened(reencode(encoded(image, "PNG")))
        if mode == "I;16":
            assert abs(result.convert("L").getpixel((0, 0)) - 155) <= 1

    def test_transparency_stays(self):
        image = picture(200, 100, "RGBA")
        image.putalpha(PIL.Image.linear_gradient("L").resize((200, 100)))
        for data in (encoded(image, "PNG"), encoded(image, "WEBP"), encoded(image.quantize(32), "PNG")):
            result = reencode(data)
            assert result.media_type == "image/png"
            assert opened(result).getchannel("A").getextrema()[0] < 60

    def test_a_jpeg_for_print(self):
        result = opened(reencode(encoded(PIL.Image.new("RGB", (50, 50), "red").convert("CMYK"), "JPEG")))
        red, green, _ = result.getpixel((25, 25))
        assert red > 200 and green < 60

    def test_a_telephones_two_pictures_in_one(self):
        data = encoded(picture(), "MPO", save_all=True, append_images=[picture()])
        assert reencode(data, "IMG_0001.JPG").media_type == "image/jpeg"


class TestMovies:
    @pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
    @pytest.mark.parametrize("mode", ["RGB", "RGBA"])
    def test_they_move_on_as_gif(self, kind, mode):
        first, *rest = movie(mode=mode)
        durations = [40, 40, 200, 200, 40, 40]
        data = encoded(first, kind, save_all=True, append_images=rest, duration=durations, loop=0)
        image = reencode(data)
        result = PIL.Image.open(io.BytesIO(image.data))
        assert (image.media_type, result.n_frames, result.info["loop"]) == ("image/gif", 6, 0)
        for number, duration in enumerate(durations):
            result.seek(number)
            frame = result.convert("RGBA")
            assert result.info["duration"] == duration
            assert frame.getpixel((number * 50 + 20, 40))[:3] == pytest.approx((200, 0, 0), abs=12)
            away = frame.getpixel(((number * 50 + 120) % 400, 90))
            assert away[3] == 0 if mode == "RGBA" else min(away[:3]) > 240

    def test_a_wide_one_is_made_narrower(self):
        wide = [frame.resize((1600, 400)) for frame in movie(3)]
        image = reencode(encoded(wide[0], "GIF", save_all=True, append_images=wide[1:]))
        assert (image.width, image.height) == (1200, 300)

    def test_too_long_or_too_large(self):
        small = [
            PIL.Image.new("RGB", (4, 4), (number % 256, number // 256, 9)) for number in range(images.MOST_FRAMES + 1)
        ]
        with pytest.raises(ImageError, match="frames"):
            reencode(encoded(small[0], "GIF", save_all=True, append_images=small[1:]))
        large = [PIL.Image.new("RGB", (4000, 4000), (number * 50, 0, 0)) for number in range(4)]
        with pytest.raises(ImageError, match="4 frames of 4000 × 4000"):
            reencode(encoded(large[0], "GIF", save_all=True, append_images=large[1:]))


class TestOnlyPixelsRemain:
    def test_place_time_words_and_what_lay_behind(self):
        exif = PIL.Image.Exif()
        exif[0x010E] = "a secret description"
        exif[0x8769] = {0x9003: "2026:01:02 03:04:05"}
        exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
        options = {
            "JPEG": {"exif": exif, "comment": b"a secret comment", "xmp": b"<x>a secret packet</x>"},
            "PNG": {"exif": exif},
            "WEBP": {"exif": exif, "xmp": b"<x>a secret packet</x>"},
        }
        for kind, extra in options.items():
            data = encoded(picture(), kind, **extra) + b"a secret at the end"
            assert b"secret" in data
            image = reencode(data)
            assert b"secret" not in image.data and b"2026:01" not in image.data and b"Exif" not in image.data
            result = opened(image)
            assert not result.getexif() and "xmp" not in result.info and "icc_profile" not in result.info

    def test_comments_of_a_gif(self):
        first, *rest = movie()
        data = encoded(first, "GIF", save_all=True, append_images=rest, comment=b"a secret comment")
        assert b"secret" in data and b"secret" not in reencode(data).data

    def test_it_stands_as_the_camera_was_held(self):
        image = PIL.Image.new("RGB", (40, 20), "blue")
        image.paste("red", (0, 0, 20, 20))
        exif = PIL.Image.Exif()
        exif[0x0112] = 6  # turn right
        result = opened(reencode(encoded(image, "JPEG", exif=exif, quality=95)))
        assert result.size == (20, 40)
        assert result.getpixel((10, 5))[0] > 200 and result.getpixel((10, 35))[2] > 200

    def test_the_colours_of_a_profile_become_srgb(self):
        profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
        swapped = profile.replace(b"rXYZ", b"\0tmp").replace(b"bXYZ", b"rXYZ").replace(b"\0tmp", b"bXYZ")
        for mode in ("RGB", "RGBA"):
            red = PIL.Image.new(mode, (20, 20), "red")
            result = opened(reencode(encoded(red, "PNG", icc_profile=swapped))).convert("RGB")
            assert result.getpixel((5, 5))[2] > result.getpixel((5, 5))[0]
            assert reencode(encoded(red, "PNG", icc_profile=b"none")).width == 20

    def test_the_name_is_the_contents(self):
        first, again = reencode(encoded(picture(), "PNG")), reencode(encoded(picture(), "PNG", compress_level=1))
        assert first == again
        assert first.name.endswith(".png") and len(first.name) == 36
        assert reencode(encoded(picture(30, 30), "PNG")).name != first.name


class TestRefused:
    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"", "no JPEG, PNG, GIF or WebP"),
            (b"hello", "no JPEG, PNG, GIF or WebP"),
            (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'></svg>", "SVG"),
            (b"<SVG onload=alert(1)>", "SVG"),
            (b"%PDF-1.7", "no JPEG, PNG, GIF or WebP"),
            (encoded(picture(20, 20), "BMP"), "no JPEG, PNG, GIF or WebP"),
            (encoded(picture(20, 20), "TIFF"), "no JPEG, PNG, GIF or WebP"),
            (encoded(picture(), "JPEG")[:9000], "damaged"),
            (encoded(picture(), "PNG")[:900], "damaged"),
            (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "no JPEG, PNG, GIF or WebP"),
            (b"\0" * (LARGEST + 1), "larger than 10 MB"),
            (bomb(6000, 6000), "too many pixels"),
            (bomb(12_000, 12_000), "too many pixels"),
            (bomb(2**31 - 1, 2**31 - 1), "too many pixels"),
            (bomb(5000, 4000), "damaged"),
            (encoded(PIL.Image.new("RGB", (10, 900)), "PNG"), "too narrow"),
        ],
    )
    def test_with_a_reason_and_a_way_out(self, data, says):
        with pytest.raises(ImageError, match=says) as caught:
            reencode(data)
        assert caught.value.mend

    @pytest.mark.parametrize("name", ["a.png", "a.svg", "a.html", "a.webp", "photo.jpg.exe"])
    def test_a_name_that_says_otherwise(self, name):
        with pytest.raises(ImageError, match="but it is a JPEG image"):
            reencode(encoded(picture(20, 20), "JPEG"), name)

    @pytest.mark.parametrize("name", ["", "a", "a.jpg", "A.JPEG", "C:\\photos\\a.jfif", "../a.jpe"])
    def test_names_that_fit(self, name):
        assert reencode(encoded(picture(20, 20), "JPEG"), name).media_type == "image/jpeg"

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(["JPEG", "PNG", "GIF", "WEBP"]), st.data())
    def test_damage_anywhere_is_an_error_or_an_image(self, kind, data):
        original = bytearray(encoded(picture(40, 30), kind))
        for _ in range(data.draw(st.integers(1, 8))):
            original[data.draw(st.integers(0, len(original) - 1))] = data.draw(st.integers(0, 255))
        try:
            image = reencode(bytes(original))
        except ImageError as error:
            assert error.mend
        else:
            opened(image)
