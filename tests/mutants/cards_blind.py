"""Breaches of the three promises about cards, written from their sentences and the program alone, without a look at
their proofs: how many these detect says how good they are. No part of `make mutants`.

    python -m tests.mutants.cards_blind           list them
    python -m tests.mutants.cards_blind --run     run them all, and print how many of each promise were detected

Detected is what turns any proof of its promise red. One file, above 400 lines: it is a list.
"""

import argparse
import sys

from tests.mutants import run
from tests.mutants.breach import Edit, Mutant, edit, proofs
from tests.mutants.run import Tried
from troth.policy.promises import PROMISES


def blind(name: str, breach: str, *edits: Edit) -> Mutant:
    """Return a mutant that names no proof: any of its promise will do."""
    return Mutant(name, breach, proofs(), edits)


_STDERR = "            import sys\n"

ENCRYPTED = (
    blind(
        "b1-company-certificate-unchecked",
        "The certificate of the card company's API is not checked.",
        *edit(
            "gate/card_company/transport.py",
            "else ssl.create_default_context()",
            "else ssl._create_unverified_context()",
        ),
    ),
    blind(
        "b1-company-old-tls",
        "The card company's API may be asked over TLS 1.0 with weak ciphers.",
        *edit(
            "gate/card_company/transport.py",
            "else ssl.create_default_context()\n",
            "else ssl.create_default_context()\n"
            "        if self._tls is not None:\n"
            "            self._tls.set_ciphers('ALL:@SECLEVEL=0')\n"
            "            self._tls.minimum_version = ssl.TLSVersion.TLSv1\n",
        ),
    ),
    blind(
        "b1-relay-without-starttls",
        "Emails go out unencrypted where the mail relay does not offer STARTTLS, or somebody on the way removed it.",
        *edit(
            "gate/smtp.py",
            '        if access.door.encryption == "starttls":\n'
            '            if "STARTTLS" not in extensions or access.tls is None:\n',
            '        if access.door.encryption == "starttls" and "STARTTLS" in extensions:\n'
            "            if access.tls is None:\n",
        ),
    ),
    blind(
        "b1-database-unencrypted",
        "A database on another machine may be reached without encryption: buyers' details cross the internet in clear.",
        *edit(
            "gate/doors.py",
            'if not local and options.get("sslmode", [""])[0] != "verify-full":',
            'if not local and options.get("sslmode", ["prefer"])[0] not in ("verify-full", "require", "prefer"):',
        ),
    ),
    blind(
        "b1-no-hsts",
        "The public server no longer tells browsers to come by https only.",
        *edit(
            "front/snapshot.py",
            'strict_transport=published.url.startswith("https:")',
            "strict_transport=False",
        ),
    ),
    blind(
        "b1-form-posted-over-http",
        "A filled form is taken over plain HTTP; only the empty one is refused.",
        *edit(
            "front/views/form_submission.py",
            "        require_private(request)\n        return await _submit(",
            "        return await _submit(",
        ),
    ),
    blind(
        "b1-any-forwarded-proto",
        "What a web server forwards from plain HTTP counts as encrypted.",
        *edit(
            "front/http/trusted_proxies.py",
            'proto.strip().lower() == b"https"',
            'proto.strip().lower().startswith(b"http")',
        ),
    ),
    blind(
        "b1-nginx-always-says-https",
        "The configuration written for nginx says https of every request, whatever it came by.",
        *edit("operate/proxy_config.py", "X-Forwarded-Proto $scheme;", "X-Forwarded-Proto https;"),
    ),
    blind(
        "b1-address-in-the-redirect",
        "After a form, the visitor's email address stands in the address of the page that thanks them.",
        *edit(
            "front/views/form_submission.py",
            '        return JSONResponse({"next": where}) if',
            "        where += f\"{'&' if '?' in where else '?'}email={self._texts.get(Category.EMAIL, '')}\"\n"
            '        return JSONResponse({"next": where}) if',
        ),
    ),
    blind(
        "b1-buyer-in-the-order-mail",
        "The order confirmation repeats the buyer's name and postal address, in an email that may travel in clear.",
        Edit(
            "shop/mails.py",
            "    number: str\n    document: str\n",
            '    number: str\n    document: str\n    buyer: str = ""\n',
        ),
        Edit(
            "shop/mails.py",
            '        invoice = [f"Invoice number: {self.document}"] if self.document else []\n',
            '        invoice = [f"Invoice number: {self.document}"] if self.document else []\n'
            '        invoice.append(f"Bought by: {self.buyer}")\n',
        ),
        Edit(
            "shop/mails.py",
            "            document=document,\n",
            "            document=document,\n"
            '            buyer="\\n".join(\n'
            "                detail.reveal() for detail in (contents[-1].name, contents[-1].postal_address) if detail\n"
            "            ),\n",
        ),
    ),
    blind(
        "b1-payment-page-over-http",
        "Buyers are sent to the card company's page over plain HTTP if its address says so: only hosts are compared.",
        Edit(
            "shop/published.py",
            "return (page.scheme, page.netloc) == (allowed.scheme, allowed.netloc)",
            "return page.netloc == allowed.netloc",
        ),
        Edit(
            "shop/publishing.py",
            "if (page.scheme, page.netloc.lower()) != (allowed.scheme, allowed.netloc.lower()):",
            "if page.netloc.lower() != allowed.netloc.lower():",
        ),
    ),
    blind(
        "b1-settings-take-http",
        "The settings take http:// for the site and for the card company's payment pages.",
        Edit(
            "core/config/rules.py",
            'if url.scheme == "http" and not is_local_site(url.hostname):',
            "if is_local_site(url.hostname) and url.scheme not in ('http', 'https'):",
        ),
        Edit(
            "gate/message.py",
            'if not url.startswith("https:") and _is_open(',
            'if not url.startswith("http") and _is_open(',
        ),
    ),
)

NOT_KEPT = (
    blind(
        "b2-message-not-masked",
        "A card number in a message to the vendor is stored whole.",
        Edit(
            "core/contact_details.py",
            "return mask(text) if len(text) <= 2 * LONGEST[category] else text",
            "return mask(text) if len(text) <= 2 * LONGEST[category] and category is not Category.MESSAGE else text",
        ),
        Edit(
            "core/contact_details.py",
            "    if mask(text) != text:\n",
            "    if category is not Category.MESSAGE and mask(text) != text:\n",
        ),
    ),
    blind(
        "b2-last-twelve",
        "Of a card number the last twelve digits are kept, not the last four.",
        *edit("core/text/card_numbers.py", "view.ends[last], digits[-4:])", "view.ends[last], digits[-12:])"),
    ),
    blind(
        "b2-groups-not-found",
        "A card number that is written in groups, as on the card, is not recognised.",
        *edit(
            "core/text/card_numbers.py",
            "        digits += chain[last].digits\n",
            "        if last > first:\n            break\n        digits += chain[last].digits\n",
        ),
    ),
    blind(
        "b2-no-american-express",
        "Numbers of American Express are not recognised.",
        *edit(
            "core/text/card_numbers.py",
            '    ("34", "34", (15,)),  # American Express\n    ("37", "37", (15,)),\n',
            "",
        ),
    ),
    blind(
        "b2-notice-not-searched",
        "What comes in as a notice of the card company is stored without being searched for card numbers.",
        Edit("front/views/shop.py", "    if has_card_number(content):", "    if False and has_card_number(content):"),
        Edit(
            "shop/entry.py",
            "        if has_card_number(self.notice):\n"
            '            raise EntryRefused("notice: This contains a card number.")\n',
            "",
        ),
    ),
    blind(
        "b2-refused-notice-in-the-log",
        "A notice that is refused for the card number in it is written to the log, whole.",
        *edit(
            "front/views/shop.py",
            "        tell(LogEvent.CARD_NUMBER_IN_NOTICE)\n",
            "        tell(LogEvent.CARD_NUMBER_IN_NOTICE)\n"
            + _STDERR.removeprefix("    ")
            + '        print(content.decode("utf-8", "replace"), file=sys.stderr, flush=True)\n',
        ),
    ),
    blind(
        "b2-card-object-in-the-order",
        "All that the card company says of a card is kept in the order, in the column of its brand.",
        Edit(
            "gate/card_company/stripe_objects.py",
            'card_brand=card.get("brand", ""),',
            "card_brand=repr(card),",
        ),
        Edit("shop/settlement.py", "checkout.card_brand[:20]", "checkout.card_brand"),
    ),
    blind(
        "b2-refused-form-in-the-log",
        "What was typed into a form that comes back for a mistake is written to the public server's log.",
        *edit(
            "front/views/form_submission.py",
            "        except FieldsRefused as refused:\n",
            "        except FieldsRefused as refused:\n"
            + _STDERR
            + "            print(refused, self._typed, file=sys.stderr, flush=True)\n",
        ),
    ),
    blind(
        "b2-missing-page-in-the-log",
        "The address of each page that was not found is written to the public server's log.",
        *edit(
            "front/app.py",
            "    if not allowed:\n",
            "    if not allowed:\n" + _STDERR.removeprefix("    ") + '        print("not found", '
            'scope["path"], file=sys.stderr, flush=True)\n',
        ),
    ),
    blind(
        "b2-number-in-a-page-name",
        "Long numbers in the addresses of pages are counted as they stand, card numbers among them.",
        Edit(
            "audience/counting/page_names.py",
            "    return _NUMBER.sub(lambda match: match[0] if _is_no_secret(match) else NUMBER, text)\n",
            "    return text\n",
        ),
        Edit("audience/counting/page_names.py", "    text = _LONG_WORD.sub(_masked_word, text)\n", ""),
        Edit("audience/counting/commit.py", "    masked = mask(name)\n", "    masked = name\n"),
    ),
    blind(
        "b2-import-file-name",
        "The name of an uploaded list of people is kept as it was, card number and all.",
        *edit(
            "people/import_forms.py",
            "return FileInMemory(mask(uploaded.name), uploaded.read())",
            "return FileInMemory(uploaded.name, uploaded.read())",
        ),
    ),
    blind(
        "b2-raw-form-in-the-spool",
        "Each form is also handed over as it was typed, unencrypted: it lies in the spool, then among the failed "
        "items, and in each backup.",
        *edit(
            "front/views/form_submission.py",
            "        return self._done()\n",
            "        await self._here.line.hand(entry.kind, repr(self._typed).encode())\n        return self._done()\n",
        ),
    ),
)

_CARD_FIELD = (
    '<p><label for="card">Card number</label> '
    '<input id="card" name="{name}" inputmode="numeric" autocomplete="cc-number"></p>\n'
)


def _card_form(action: str, name: str = "card_number") -> str:
    field = _CARD_FIELD.format(name=name)
    return f'<form method="post" action="{action}">\n{field}<p><button type="submit">Pay</button></p>\n</form>\n'


DIRECT = (
    blind(
        "b3-card-form-on-the-price-page",
        "The page with the prices asks for the card number itself.",
        *edit(
            "front/templates/buy.html",
            '<p class="hint">You pay at {{ shop.company }}.',
            _card_form("{{ at.path('buy/' ~ product.slug) }}") + '<p class="hint">You pay at {{ shop.company }}.',
        ),
    ),
    blind(
        "b3-script-on-the-price-page",
        "A script runs on the page that leads to the payment.",
        *edit(
            "front/templates/buy.html",
            "{% block main %}\n",
            "{% block script %}<script src=\"{{ at.path('assets/' + at.script.name) }}\" defer></script>"
            "{% endblock %}\n"
            "{% block main %}\n",
        ),
    ),
    blind(
        "b3-image-of-others-on-the-price-page",
        "The page that leads to the payment loads an image of a third party.",
        Edit(
            "front/templates/buy.html",
            "<h1>{{ product.name }}</h1>\n",
            '<h1>{{ product.name }}</h1>\n<img src="https://seals.example.net/secure.gif" alt="Secure payment">\n',
        ),
        Edit("front/http/headers.py", "img-src 'self';", "img-src 'self' https:;"),
    ),
    blind(
        "b3-by-way-of-another-host",
        "Buyers go to the card company by way of a third party that counts clicks.",
        *edit(
            "front/views/shop.py",
            "    return responses.go(page)\n",
            '    return responses.go(f"https://go.example.net/?to={page}")\n',
        ),
    ),
    blind(
        "b3-payment-page-in-a-frame",
        "The card company's page is shown in a frame on a page of ours, where nobody sees whose it is.",
        *edit(
            "front/views/shop.py",
            "    return responses.go(page)\n",
            '    frame = f\'<!doctype html><title>Pay</title><iframe src="{page}" width="900"></iframe>\'\n'
            '    fields = {"content-security-policy": f"default-src \'none\'; frame-src {_shop(request).pages}"}\n'
            '    return Response(frame, media_type="text/html", headers=fields)\n',
        ),
    ),
    blind(
        "b3-host-by-its-beginning",
        "Buyers may be sent to any host whose name begins like the card company's.",
        Edit(
            "shop/published.py",
            "return (page.scheme, page.netloc) == (allowed.scheme, allowed.netloc)",
            "return page.scheme == allowed.scheme and page.netloc.startswith(allowed.netloc)",
        ),
        Edit(
            "shop/publishing.py",
            "if (page.scheme, page.netloc.lower()) != (allowed.scheme, allowed.netloc.lower()):",
            "if not url.lower().startswith(pages.lower()):",
        ),
    ),
    blind(
        "b3-anywhere",
        "Buyers are sent wherever the price's row says, whether it is the card company's page or not.",
        *edit(
            "shop/published.py",
            "return next((url for url in urls if self.may_send_to(url)), None)",
            "return next(iter(urls), None)",
        ),
    ),
    blind(
        "b3-card-field-in-the-contact-form",
        "The contact form has a field for a card number.",
        Edit(
            "front/templates/form.html",
            '<p class="consent"><span data-troth-note',
            '{% if form.name == "contact" %}' + _CARD_FIELD.format(name="card_number").rstrip("\n") + "{% endif %}\n"
            '<p class="consent"><span data-troth-note',
        ),
        Edit("front/forms/form.py", '*boxes, "back", "wording"', '*boxes, "card_number", "back", "wording"'),
    ),
    blind(
        "b3-thanks-page-asks",
        "The page that thanks a buyer asks for the card number once more, to find the payment sooner.",
        *edit(
            "front/templates/bought.html",
            '<p class="hint">No email?',
            _card_form("{{ at.path('contact') }}", "message") + '<p class="hint">No email?',
        ),
    ),
    blind(
        "b3-refund-mail-asks",
        "The email about a refund asks the buyer to reply with the card number.",
        *edit(
            "shop/mails.py",
            "your bank may take a few days.",
            "your bank may take a few days. If it does not arrive, reply with your card number.",
        ),
    ),
    blind(
        "b3-card-passes-through-us",
        "The public server takes the card number in a POST and passes it on to the card company's page.",
        Edit(
            "front/app.py",
            '    Route("/buy/{product}/{edition}/{currency}", shop.go, methods=["GET"]),\n',
            '    Route("/buy/{product}/{edition}/{currency}", shop.go, methods=["GET"]),\n'
            '    Route("/buy/{product}/{edition}/{currency}", shop.pay, methods=["POST"]),\n',
        ),
        Edit(
            "front/views/shop.py",
            "async def thanks(",
            "async def pay(request: Request) -> Response:\n"
            "    names = request.path_params\n"
            '    page = _shop(request).page(names["product"], names["edition"], names["currency"])\n'
            "    if page is None:\n"
            "        raise _not_sold()\n"
            "    card = (await body(request)).decode()\n"
            '    return Response(status_code=303, headers={"location": f"{page}?{card}"})\n\n\n'
            "async def thanks(",
        ),
        Edit(
            "front/templates/buy.html",
            '<p class="send">\n',
            '<p class="send">\n'
            '<a href="#pay">Pay here</a>\n'
            + _card_form(
                "{{ at.path('buy/' ~ product.slug ~ '/' ~ edition.slug ~ '/' ~ edition.prices[0].currency) }}"
            ),
        ),
    ),
    blind(
        "b3-card-by-telephone",
        "Admin has a form into which operators type the card numbers that buyers tell them on the telephone.",
        *edit(
            "shop/templates/shop/orders.html",
            '<div class="below">',
            '<form method="post" action="{% url \'find_orders\' %}">{% csrf_token %}<label for="card">Card number, by '
            'telephone</label><input class="input" id="card" name="sought" autocomplete="cc-number">'
            '<button class="btn">Charge</button></form>\n<div class="below">',
        ),
    ),
)

BLIND = {"cards.encrypted": ENCRYPTED, "cards.not-kept": NOT_KEPT, "cards.direct": DIRECT}
"""By promise."""


def is_seen(tried: Tried, promise: str) -> bool:
    """Return whether a proof of this promise is red."""
    of_promise = {proof.id for one in PROMISES if one.id == promise for proof in one.proofs}
    return not of_promise.isdisjoint(tried.red)


def has_run(tried: Tried) -> bool:
    """Return whether there were verdicts: all are kept, some are red, or some could not be reached."""
    return tried.killed or bool(tried.red) or tried.fault.startswith("unexpected:")


def main() -> int:
    """List the mutants, or run them and print what was detected. Exit code 0 if all were."""
    asked = argparse.ArgumentParser(prog="python -m tests.mutants.cards_blind")
    asked.add_argument("--run", action="store_true")
    options = asked.parse_args()
    if not options.run:
        for promise, mutants in BLIND.items():
            print(promise, *(f"  {one.id}: {one.breach}" for one in mutants), sep="\n")
        return 0
    promise_of = {one.id: promise for promise, mutants in BLIND.items() for one in mutants}

    def tell(tried: Tried, done: int) -> None:
        verdict = "detected" if is_seen(tried, promise_of[tried.id]) else "NOT detected"
        words = ", ".join(tried.red) or tried.fault or "nothing is red"
        verdict = verdict if has_run(tried) else "DID NOT RUN"
        print(f"{done:2}/{len(promise_of)} {tried.id}: {verdict} ({words})  {tried.seconds:.0f} s", flush=True)

    results = run.try_all([one for mutants in BLIND.values() for one in mutants], tell)
    missed = 0
    for promise, mutants in BLIND.items():
        of_this = [one for one in results if promise_of[one.id] == promise]
        seen, ran = sum(is_seen(one, promise) for one in of_this), sum(map(has_run, of_this))
        print(f"{promise}: {seen} of {len(mutants)} detected; {len(mutants) - ran} did not run")
        missed += len(mutants) - seen
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
