"""`troth embed`: a plain form for the vendor's page, made from the settings alone, with everything escaped."""

import hashlib
from html.parser import HTMLParser

import msgspec
import pytest

from tests.cli.running import troth
from tests.front.client import Keys, make_published
from troth.core.config.sections import AudienceSection, Config, NewsletterSection, SiteSection
from troth.core.errors import TrothError
from troth.core.purpose import BASIC, Category
from troth.front import published
from troth.front.forms.labels import wording
from troth.newsletter.published import OfferedTopic
from troth.operate import create_site, embed

BACK = ["https://www.example.com/thanks", "https://www.example.com/danke"]


class Tags(HTMLParser):
    """Every tag with its attributes, and the text between them."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def config(**newsletter):
    site = SiteSection(name="Example Software", url="https://www.example.com/troth")
    return Config(site=site, newsletter=NewsletterSection(**newsletter))


def inputs(html):
    tags = Tags(html)
    return {one.get("name"): one for one in [*tags.all("input"), *tags.all("textarea")]}


def test_the_form_posts_to_the_front_and_asks_for_what_the_settings_say():
    fields = [Category.EMAIL, Category.COMPANY]
    html = embed.newsletter(config(fields=fields))
    (form,) = Tags(html).all("form")
    assert form["method"] == "post" and form["action"].startswith("https://www.example.com/troth/newsletter")
    shown = inputs(html)
    assert {"email", "company"} <= shown.keys() and not {"name", "telephone", "postal_address"} & shown.keys()
    assert "required" in shown["email"] and "required" not in shown["company"]


@pytest.mark.parametrize("category", BASIC)
def test_each_detail_can_be_asked_for(category):
    assert category.value in inputs(embed.newsletter(config(fields=list({Category.EMAIL, category}))))


def test_it_carries_the_consent_that_is_shown_and_its_hash():
    consent = "Send me letters & more <often>."
    html = embed.newsletter(config(consent=consent))
    assert consent in "".join(Tags(html).texts)
    assert wording(consent) in html


def test_it_returns_to_the_first_page_or_the_one_that_is_named():
    assert BACK[0] in embed.newsletter(config(return_urls=BACK)) and BACK[1] not in embed.newsletter(
        config(return_urls=BACK)
    )
    assert BACK[1] in embed.newsletter(config(return_urls=BACK), BACK[1])


def test_a_page_that_is_not_listed_is_refused_with_the_setting_to_mend():
    with pytest.raises(TrothError, match="may not return to") as error:
        embed.newsletter(config(return_urls=BACK), "https://evil.example/")
    assert "[newsletter]" in error.value.mend


def test_nothing_of_the_settings_becomes_markup():
    evil = '"><script>alert(1)</script>'
    html = embed.newsletter(config(title=evil, intro=evil, consent=evil))
    tags = Tags(html)
    assert "alert(1)" not in "".join(str(one) for one in tags.all("script"))
    assert "<script>alert" not in html


def test_it_works_without_a_script_and_brings_no_style_and_nobody_elses_address():
    html = embed.newsletter(config())
    tags = Tags(html)
    assert "style" not in {name for name, _ in tags.tags}
    assert not [attributes for _, attributes in tags.tags if "style" in attributes or "onclick" in attributes]
    for name, attributes in tags.tags:
        for key in ("src", "href", "action"):
            value = attributes.get(key, "https://www.example.com/")
            assert value.startswith(("https://www.example.com/", "/")), (name, value)


def test_what_counts_visits_is_a_script_and_a_pixel_of_the_sites_own():
    tags = Tags(embed.statistics(config()))
    assert tags.all("script") == [{"defer": None, "src": "https://www.example.com/troth/t.js"}]
    (pixel,) = tags.all("img")
    assert pixel["src"] == "https://www.example.com/troth/hit?k=v"
    assert (pixel["alt"], pixel["referrerpolicy"]) == ("", "no-referrer-when-downgrade")


def test_where_nothing_is_counted_there_is_nothing_to_embed():
    with pytest.raises(TrothError, match="Statistics are off") as error:
        embed.statistics(msgspec.structs.replace(config(), audience=AudienceSection(enabled=False)))
    assert "[audience]" in error.value.mend


def test_the_command_prints_it_and_refuses_a_foreign_page(tmp_path):
    root = create_site.init(tmp_path / "site", url="https://www.example.com/troth").root
    done = troth("embed", "--site", str(root))
    assert (done.returncode, done.stderr) == (0, "") and "<form" in done.stdout
    done = troth("embed", "--site", str(root), "--back", "https://evil.example/")
    assert done.returncode == 1 and done.stdout == "" and "`return_urls` under [newsletter]" in done.stderr


def test_the_command_prints_what_counts_visits(tmp_path):
    root = create_site.init(tmp_path / "site", url="https://www.example.com/troth").root
    done = troth("embed", "statistics", "--site", str(root))
    assert (done.returncode, done.stderr) == (0, "") and "https://www.example.com/troth/t.js" in done.stdout


def test_the_command_prints_the_topics_that_the_site_offers(tmp_path):
    root = create_site.init(tmp_path / "site", url="https://www.example.com/troth").root
    assert "<fieldset" not in troth("embed", "--site", str(root)).stdout
    topics = [
        OfferedTopic(number=3, name="Plain<b>book", description="News of Plainbook"),
        OfferedTopic(number=5, name="B"),
    ]
    published.write(root / "public", make_published(Keys(), generation=1, form={"topics": topics}))
    html = troth("embed", "--site", str(root)).stdout
    assert "<legend>Topics" in html and "<b>book" not in html
    boxes = {name: box for name, box in inputs(html).items() if box.get("type") == "checkbox"}
    assert boxes.keys() == {topic.field for topic in topics}
    assert {box["id"] for box in boxes.values()} <= {label["for"] for label in Tags(html).all("label")}


def test_the_form_in_another_language_has_the_sentence_in_it(tmp_path):
    root = create_site.init(tmp_path / "site", url="https://www.example.com/troth").root
    with (root / "troth.toml").open("a") as settings:
        settings.write('\n[[translation]]\nlanguage = "pt-br"\nconsent = "Quero receber a newsletter."\n')
    done = troth("embed", "--site", str(root), "--language", "pt-BR")
    digest = hashlib.sha256(b"Quero receber a newsletter.").hexdigest()
    assert done.returncode == 0 and inputs(done.stdout)["wording"]["value"] == digest
    assert '<span data-troth-note lang="pt-BR">Quero receber a newsletter.</span>' in done.stdout
    assert digest not in troth("embed", "--site", str(root)).stdout
    done = troth("embed", "--site", str(root), "--language", "fr")
    assert done.returncode == 1 and done.stdout == "" and "[[translation]]" in done.stderr and "pt-BR" in done.stderr
