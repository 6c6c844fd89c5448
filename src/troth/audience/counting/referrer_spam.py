"""Lists known referrer spam: hosts that advertise themselves in other people's statistics.

Each was reported publicly by many sites. The list is short on purpose; operators add others under `spam_referrers`, and
exclude bursts in the console. A host includes its subdomains: `semalt.com` is `13.semalt.com`, too.
"""

from collections.abc import Iterable, Set

SHIPPED = frozenset(
    """
    1-free-share-buttons.com 100dollars-seo.com 4webmasters.org 7makemoneyonline.com adviceforum.info anticrawler.org
    best-seo-offer.com best-seo-solution.com bestwebsitesawards.com blackhatworth.com bot-traffic.icu bot-traffic.xyz
    bottraffic.live buttons-for-website.com buttons-for-your-website.com buy-cheap-online.info cenoval.ru
    chinese-amezon.com claim-your.biz copyrightclaims.org darodar.com dertus.site domination.ml e-buyeasy.com econom.co
    event-tracking.com fertuk.site fix-website-errors.com floating-share-buttons.com free-floating-buttons.com
    free-share-buttons.com free-social-buttons.com generalporn.org get-free-social-traffic.com get-free-traffic-now.com
    googlsucks.com grets.store guardlink.org hongfanji.com howtostopreferralspam.eu hulfingtonpost.com ilovevitaly.co
    ilovevitaly.com ilovevitaly.org ilovevitaly.ru iskalko.ru kambasoft.com keywords-monitoring-your-success.com lomb.co
    lombia.co makemoneyonline.com mantero.online monetizationking.net o-o-6-o-o.com o-o-8-o-o.com priceg.com
    qualitymarketzone.com rank-checker.online razas.site rida.tokyo savetubevideo.com screentoolkit.com seders.website
    semalt.com semaltmedia.com share-buttons.xyz sharebutton.net simple-share-buttons.com site-auditor.online
    sitevaluation.org slftsdybbg.ru social-buttons.com socialseet.ru success-seo.com superiends.org theguardlan.com
    torture.ml traffic2cash.xyz traffic2money.com trafficbot.life trafficmonetize.org video--production.com
    videos-for-your-business.com vodkoved.ru webmonetizer.net websocial.me ykecwqlixx.ru
    """.split()
)
"""Hosts in lower case, without `www.`."""


def with_those(settings: Iterable[str]) -> frozenset[str]:
    """Return the shipped hosts and the operator's."""
    return SHIPPED.union(host.lower().removeprefix("www.") for host in settings)


def known(host: str, listed: Set[str]) -> bool:
    """Return whether `host` or a parent domain is listed."""
    while host:
        if host in listed:
            return True
        host = host.partition(".")[2]
    return False
