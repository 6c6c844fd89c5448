"""The vendor's colour, made readable: lightness is moved until text meets WCAG 2.2 AA (1.4.3: 4.5 to 1) in both
themes."""

import colorsys

type Colour = tuple[float, float, float]
"""Red, green, blue, 0 to 1."""

LIGHT_GROUND, LIGHT_CARD = "#f7f5f1", "#ffffff"
DARK_GROUND, DARK_CARD = "#161816", "#1f2220"
_ENOUGH = 4.6
"""A little above 4.5: rounding to `#rrggbb` must not take it away."""


def parse(text: str) -> Colour:
    """`#rrggbb` as a colour. Raises `ValueError`."""
    if len(text) != 7 or text[0] != "#":
        raise ValueError("a colour is written #rrggbb")
    red, green, blue = bytes.fromhex(text[1:])
    return red / 255, green / 255, blue / 255


def _text(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def luminance(colour: Colour) -> float:
    """Relative luminance (WCAG 2.2, definitions)."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    low, high = sorted((luminance(parse(first)), luminance(parse(second))))
    return (high + 0.05) / (low + 0.05)


def readable(accent: str, against: tuple[str, ...], *, darker: bool) -> str:
    """`accent`, made darker or lighter step by step until it stands out from every colour in `against`."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*parse(accent))
    while min(contrast(accent, colour) for colour in against) < _ENOUGH and lightness != (0.0 if darker else 1.0):
        lightness = max(0.0, lightness - 0.01) if darker else min(1.0, lightness + 0.01)
        accent = _text(colorsys.hls_to_rgb(hue, lightness, saturation))
    return accent


def variables(accent: str, wait_seconds: int) -> str:
    """The style sheet's beginning: what depends on the operator's settings, for both themes."""
    light = readable(accent, (LIGHT_GROUND, LIGHT_CARD), darker=True)
    dark = readable(accent, (DARK_GROUND, DARK_CARD), darker=False)
    return (
        f":root{{--accent:{light};--on-accent:{LIGHT_CARD};--ground:{LIGHT_GROUND};--card:{LIGHT_CARD};"
        f"--wait:{wait_seconds}s}}\n"
        "@media (prefers-color-scheme:dark){"
        f":root{{--accent:{dark};--on-accent:{DARK_GROUND};--ground:{DARK_GROUND};--card:{DARK_CARD}}}}}\n"
    )
