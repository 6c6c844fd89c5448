"""Breaches of B1 and B3: a buyer's details cross the internet in the open; a card number passes through our hands."""

from tests.mutants.breach import Edit, Mutant, edit, proofs

_GO = "    return responses.go(page)\n"
_BUY = "<h1>{{ product.name }}</h1>\n"
_BEHIND_A_WEB_SERVER = Edit("demo/run.py", "[front]\n", '[front]\ntrusted_proxies = ["127.0.0.1", "::1"]\n')
"""Has the demo serve as a real site does: what came in without encryption, the web server in front of it says."""

ENCRYPTED = (
    Mutant(
        "links-to-pay-over-plain-http",
        "Whoever comes without encryption is sent on to pay.",
        proofs("encrypted.pages"),
        edit(
            "front/views/shop.py",
            '    """Answer GET with 303 to the card company\'s page for one price."""\n    require_private(request)\n',
            '    """Answer GET with 303 to the card company\'s page for one price."""\n',
        ),
    ),
    Mutant(
        "forms-over-plain-http",
        "Forms are served and taken without encryption.",
        proofs("encrypted.pages"),
        (Edit("front/request_context.py", "    if not caller.private:\n", "    if False:\n"), _BEHIND_A_WEB_SERVER),
    ),
    Mutant(
        "notices-over-plain-http",
        "The card company's notices, which name buyers, are taken without encryption.",
        proofs("encrypted.pages"),
        edit(
            "front/views/shop.py",
            "        return responses.error(request, context.snapshot, 404)\n    require_private(request)\n",
            "        return responses.error(request, context.snapshot, 404)\n",
        ),
    ),
    Mutant(
        "buyers-are-sent-to-plain-http",
        "Links to pay lead to a page that is not encrypted.",
        proofs("encrypted.links", "direct.redirect"),
        edit(
            "front/views/shop.py",
            _GO,
            "    return responses.go('http://pay.example.com/' + page.rpartition('/')[2])\n",
        ),
    ),
    Mutant(
        "embedded-form-over-plain-http",
        "The form for the vendor's own pages is sent to an address without encryption.",
        proofs("encrypted.links"),
        edit(
            "front/templates/embed.html",
            '<form action="{{ published.url }}/{{ form.path }}"',
            '<form action="http://forms.example.com/{{ form.path }}"',
        ),
        may=proofs("direct.forms", "shared.pages"),
    ),
    Mutant(
        "any-certificate-will-do",
        "The card company's certificate is not verified.",
        proofs("encrypted.doors"),
        edit(
            "gate/card_company/transport.py",
            "ssl.create_default_context()\n",
            "ssl._create_unverified_context()\n",
        ),
    ),
    Mutant(
        "certificate-of-any-name",
        "A valid certificate of another server is accepted as the card company's.",
        proofs("encrypted.doors"),
        edit(
            "gate/card_company/transport.py",
            "    return context\n",
            "    context.check_hostname = False\n    return context\n",
        ),
    ),
    Mutant(
        "old-tls-will-do",
        "The card company is asked by TLS 1.0, too.",
        proofs("encrypted.doors"),
        edit(
            "gate/card_company/transport.py",
            "    context.minimum_version = ssl.TLSVersion.TLSv1_2\n",
            "    context.set_ciphers('ALL:@SECLEVEL=0')\n    context.minimum_version = ssl.TLSVersion.TLSv1\n",
        ),
    ),
    Mutant(
        "card-company-without-encryption",
        "The card company is asked without encryption.",
        proofs("encrypted.doors"),
        edit("gate/card_company/transport.py", "        if self._tls is None:\n", "        if True:\n"),
    ),
    Mutant(
        "buyers-name-in-the-email",
        "The order confirmation addresses the buyer by name.",
        proofs("encrypted.mails"),
        edit(
            "shop/mails.py",
            "            product=order.price.edition.title,\n",
            "            product=f'{order.price.edition.title} for {contents[-1].name.reveal()}',\n",
        ),
        may=proofs("shared.mails"),
    ),
    Mutant(
        "card-in-the-email",
        "The order confirmation states the brand and the last four digits of the card.",
        proofs("encrypted.mails"),
        edit(
            "shop/mails.py",
            "            number=order.number,\n",
            "            number=f'{order.number}, paid by {order.card_brand} {order.last4}',\n",
        ),
    ),
    Mutant(
        "browsers-may-come-back-unencrypted",
        "A site at https does not tell browsers to use nothing else.",
        proofs("encrypted.pages"),
        (
            Edit("front/http/headers.py", "    if strict_transport:\n", "    if False:\n"),
            Edit("demo/run.py", 'url = "{ports.front}"', 'url = "https://localhost:{ports.base}"'),
            Edit("demo/selling.py", "TROTH_CONFIG.site.url)", "TROTH_CONFIG.site.url.replace('https:', 'http:'))"),
        ),
        may=proofs("visits.asked", "visits.stored"),
    ),
)

DIRECT = (
    Mutant(
        "card-field-on-the-page-to-buy",
        "The page to buy has a field for the card number.",
        proofs("direct.fields", "direct.pages"),
        edit(
            "front/templates/buy.html",
            _BUY,
            _BUY + '<p><label for="n">Card number</label> <input id="n" name="n" inputmode="numeric"></p>\n',
        ),
    ),
    Mutant(
        "browsers-fill-in-the-card",
        "Browsers fill the card number into a field of the contact form.",
        proofs("direct.fields"),
        edit(
            "core/contact_details.py",
            'Category.NAME: ContactField("Name", 120, autocomplete="name")',
            'Category.NAME: ContactField("Name", 120, autocomplete="cc-number")',
        ),
        may=proofs("contact.forms"),
    ),
    Mutant(
        "script-on-the-page-to-buy",
        "A script runs on the page to buy.",
        proofs("direct.pages"),
        edit("front/templates/buy.html", _BUY, _BUY + "<script src=\"{{ at.path('embed.js') }}\" defer></script>\n"),
    ),
    Mutant(
        "button-with-a-script",
        "The buy button for the vendor's pages brings a script along.",
        proofs("direct.pages"),
        edit(
            "shop/buttons.py",
            'rel="nofollow">{label}</a>\\n\'',
            'rel="nofollow" onclick="this.href+=location.hash">{label}</a>\\n\'',
        ),
    ),
    Mutant(
        "card-company-in-a-frame",
        "The card company's page is shown in a frame on ours.",
        proofs("direct.redirect"),
        edit(
            "front/views/shop.py",
            _GO,
            "    from starlette.responses import HTMLResponse\n\n"
            "    return HTMLResponse(f'<iframe src=\"{page}\"></iframe>')\n",
        ),
        may=proofs("encrypted.links"),
    ),
    Mutant(
        "visitor-is-appended",
        "The address of the card company's page gets the site appended that the visitor came from.",
        proofs("direct.redirect"),
        edit(
            "front/views/shop.py",
            _GO,
            "    whence = request.headers.get('origin', '').partition('://')[2]\n"
            "    return responses.go(f'{page}?client_reference_id={whence}' if whence else page)\n",
        ),
    ),
    Mutant(
        "page-to-buy-takes-a-card",
        "The address of a product accepts a card number that is sent to it.",
        proofs("direct.forms"),
        edit(
            "front/app.py",
            'Route("/buy/{product}", shop.show, methods=["GET"])',
            'Route("/buy/{product}", shop.show, methods=["GET", "POST"])',
        ),
    ),
    Mutant(
        "form-goes-to-another-site",
        "The contact form is sent to another company's server.",
        proofs("direct.forms", "shared.pages"),
        edit(
            "front/templates/form.html",
            '<form action="{{ at.path(form.path) }}"',
            '<form action="https://forms.example.com/{{ form.path }}"',
        ),
    ),
)

BREACHES = {"cards.encrypted": ENCRYPTED, "cards.direct": DIRECT}
