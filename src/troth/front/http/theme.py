"""The vendor's colour, made readable: lightness is moved until text meets WCAG 2.2 AA (1.4.3: 4.5 to 1) in both
themes."""

from troth.core.colours import readable

LIGHT_GROUND, LIGHT_CARD = "#f7f5f1", "#ffffff"
DARK_GROUND, DARK_CARD = "#161816", "#1f2220"


def variables(accent: str, wait_seconds: int) -> str:
    """Return the style sheet's beginning: what depends on the operator's settings, for both themes."""
    light = readable(accent, (LIGHT_GROUND, LIGHT_CARD), darker=True)
    dark = readable(accent, (DARK_GROUND, DARK_CARD), darker=False)
    return (
        f":root{{--accent:{light};--on-accent:{LIGHT_CARD};--ground:{LIGHT_GROUND};--card:{LIGHT_CARD};"
        f"--wait:{wait_seconds}s}}\n"
        "@media (prefers-color-scheme:dark){"
        f":root{{--accent:{dark};--on-accent:{DARK_GROUND};--ground:{DARK_GROUND};--card:{DARK_CARD}}}}}\n"
    )
