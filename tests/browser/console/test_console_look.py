"""The console by keyboard and by thumb: the focus is always seen, and what is pressed is large enough."""

import pytest

from tests.browser import desk as desks
from tests.browser import steps

PATHS = ["/", "/inbox/", "/inbox/saved-replies/", "/people/", "/account/", "/account/app/add/", "/account/password/"]
_FOCUS = """() => { const e = document.activeElement, s = getComputedStyle(e);
  return [e.tagName, (e.textContent.trim() || e.name).slice(0, 40), s.outlineStyle, parseFloat(s.outlineWidth)]; }"""
_SMALL = """() => [...document.querySelectorAll('a, button, summary, input:not([type=hidden])')]
  .filter(e => e.checkVisibility() && !e.matches('.skip'))
  .map(e => {
    const spread = getComputedStyle(e, '::after').position === 'absolute';
    let whole = e;
    while (spread && (whole === e || getComputedStyle(whole).position === 'static')) whole = whole.parentElement;
    const box = whole.getBoundingClientRect();
    return [(e.textContent.trim() || e.name || '').slice(0, 40), Math.round(box.height)];
  }).filter(one => one[1] < 44)"""


@pytest.fixture
def somebody(page, house, address):
    """There is a person on the list."""
    steps.sign_up(page, house, address)
    house.mail_for(address)


@pytest.mark.parametrize("path", PATHS)
def test_the_focus_is_seen_wherever_it_goes(desk, house, somebody, path):
    desk.set_viewport_size({"width": 1280, "height": 800})
    desk.goto(house.office + path)
    unseen, most = [], 80
    for _ in range(most):
        desk.keyboard.press("Tab")
        tag, words, style, width = desk.evaluate(_FOCUS)
        if tag == "BODY":
            break
        if style == "none" or width < 2:
            unseen.append((tag, words))
    else:
        raise AssertionError(f"the page has no end after {most} stops")
    assert unseen == []


@pytest.mark.parametrize("path", PATHS)
def test_what_is_pressed_is_large_enough_on_a_narrow_screen(desk, house, somebody, path):
    desk.set_viewport_size({"width": 390, "height": 844})
    desk.goto(house.office + path)
    assert desk.evaluate(_SMALL) == []
    desk.get_by_text("Menu").click()
    assert desk.evaluate(_SMALL) == []


def test_the_navigation_is_whole_on_a_laptops_screen(desk, house):
    desk.set_viewport_size({"width": 1280, "height": 720})
    desk.goto(house.office)
    assert desk.locator(".rail").evaluate("rail => rail.scrollHeight - rail.clientHeight") == 0


def test_the_doors_controls_are_large_enough_too(page, watch, house):
    watch.expected.append("status of 410")
    page.set_viewport_size({"width": 390, "height": 844})
    link = desks.new_operator(house, "Olga", "olga-at-the-door@example.com")
    for address in (f"{house.office}/sign-in/", link, f"{house.office}/welcome/over"):
        page.goto(address)
        assert page.evaluate(_SMALL) == []


def test_a_row_of_the_list_is_one_link_on_a_narrow_screen(desk, house, somebody):
    desk.set_viewport_size({"width": 390, "height": 844})
    desk.goto(f"{house.office}/people/")
    row = desk.locator("table.people tbody tr").first
    box = row.bounding_box()
    assert box is not None
    desk.mouse.click(box["x"] + box["width"] - 12, box["y"] + box["height"] - 8)
    desk.get_by_role("heading", name="Details").wait_for()
