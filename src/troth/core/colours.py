"""Colours as `#rrggbb`, and how readable one is on another (WCAG 2.2, 1.4.3: 4.5 to 1 for text). Touches nothing."""

import colorsys

type Colour = tuple[float, float, float]
"""Red, green, blue, 0 to 1."""

_ENOUGH = 4.6
"""A little above 4.5: rounding to `#rrggbb` must not take it away."""


def parse(text: str) -> Colour:
    """Return `#rrggbb` as a colour. Raises `ValueError`."""
    if len(text) != 7 or text[0] != "#":
        raise ValueError("a colour is written #rrggbb")
    red, green, blue = bytes.fromhex(text[1:])
    return red / 255, green / 255, blue / 255


def _text(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def luminance(colour: Colour) -> float:
    """Return the relative luminance (WCAG 2.2, definitions)."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    low, high = sorted((luminance(parse(first)), luminance(parse(second))))
    return (high + 0.05) / (low + 0.05)


def readable(accent: str, against: tuple[str, ...], *, darker: bool) -> str:
    """Return `accent`, made darker or lighter step by step until it stands out from every colour in `against`."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*parse(accent))
    while min(contrast(accent, colour) for colour in against) < _ENOUGH and lightness != (0.0 if darker else 1.0):
        lightness = max(0.0, lightness - 0.01) if darker else min(1.0, lightness + 0.01)
        accent = _text(colorsys.hls_to_rgb(hue, lightness, saturation))
    return accent
