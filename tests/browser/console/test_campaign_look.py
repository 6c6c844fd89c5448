"""Campaigns as a mail program shows them: inlining loses no style, nothing is wider than the screen, dark is dark."""

import pytest

from tests.browser.test_accessible import LOOKS, check
from troth.core.colours import contrast
from troth.newsletter.campaigns import content, html_page

SITE = "https://www.example.com/troth"
MARKDOWN = f"""# What's new, {{{{ first_name | friend }}}}

Version **4.2** is *out*, with ~~bugs~~ [a manual](https://www.example.com/manual) and `code`.

![A chart that grows]({SITE}/images/chart.png)

## Faster

- One
  - deeper
    1. and deeper

1. First

   with a paragraph
2. Second

> They said it is good.

### Times

| Edition | Now |
|:--|--:|
| Personal | 1.1 s |

#### Four

##### Five

###### Six

```
sync --share ./a-long-name-of-a-folder-that-would-be-wider-than-any-telephone/and-its-files --json
```

---

**[Get it](https://www.example.com/get)**
"""
VALUES = {"name": "Ada", "unsubscribe_url": "https://www.example.com/u", "preferences_url": "https://www.example.com/p"}
_STYLES = """() => [...document.body.querySelectorAll('*'), document.body].map(element => {
    const style = getComputedStyle(element);
    return [element.tagName, element.className, Object.fromEntries([...style].map(name => [name, style[name]]))];
})"""
_COLOURS = """() => [...document.body.querySelectorAll('p, li, a, th, td, h1, h2, code, pre')].filter(element =>
    [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()) && element.offsetHeight
).map(element => {
    let behind = element;
    while (behind && getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
    return [element.tagName, getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
})"""


def html(template, accent="#8a3b12"):
    look = content.Look(
        "Example Software", accent, SITE, "1 Example Row, 12345 Exampleton", "november", {"chart.png": 1200}
    )
    draft = content.Draft("What's new", "And what is next", MARKDOWN, template)
    return content.render(draft, look).html.fill(VALUES)


def show(page, text):
    page.route("**/*", lambda route: route.fulfill(body=b"", content_type="image/png"))
    page.set_content(text)


@pytest.fixture
def plain_page(browser):
    """A page of a browser context of its own; the demo is not needed."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("template", html_page.TEMPLATES)
def test_inlining_loses_no_style(plain_page, monkeypatch, template):
    show(plain_page, html(template))
    inlined = plain_page.evaluate(_STYLES)
    monkeypatch.setattr(
        html_page, "inline", lambda page, sheet: page.replace("</title>", f"</title><style>{sheet}</style>")
    )
    show(plain_page, html(template))
    from_sheet = plain_page.evaluate(_STYLES)
    assert len(inlined) == len(from_sheet) > 60
    for (tag, name, styles), (_, _, expected) in zip(inlined, from_sheet, strict=True):
        other = {key: (styles[key], value) for key, value in expected.items() if styles[key] != value}
        assert not other, (tag, name)


@pytest.mark.parametrize("template", html_page.TEMPLATES)
def test_it_is_accessible_and_no_wider_than_the_screen(plain_page, template):
    show(plain_page, html(template))
    check(plain_page, without={"landmark-one-main", "region"})  # of the mail program's page, in which an email stands


@pytest.mark.parametrize("accent", ["#ffe600", "#000000"])
@pytest.mark.parametrize("template", html_page.TEMPLATES)
def test_each_word_stands_out(plain_page, template, accent):
    show(plain_page, html(template, accent))
    for width, scheme in LOOKS:
        plain_page.set_viewport_size({"width": width, "height": 900})
        plain_page.emulate_media(color_scheme=scheme)
        for tag, colour, ground in plain_page.evaluate(_COLOURS):
            assert contrast(_hex(colour), _hex(ground)) >= 4.5, (tag, colour, ground, width, scheme)


def test_dark_is_dark(plain_page):
    show(plain_page, html("newsletter"))
    grounds = []
    for scheme in ("light", "dark"):
        plain_page.emulate_media(color_scheme=scheme)
        grounds.append([_hex(colour) for _, _, colour in plain_page.evaluate(_COLOURS)])
    assert all(contrast(light, "#ffffff") < 12 or light == "#8a3b12" for light in grounds[0])
    assert all(contrast(dark, "#000000") < 8 for dark in grounds[1])


def _hex(colour):
    """`rgb(1, 2, 3)` as `#010203`."""
    return "#" + "".join(f"{int(part):02x}" for part in colour.partition("(")[2].strip(")").split(",")[:3])
