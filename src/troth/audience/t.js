// Counts visits to this page: no cookie, nothing stored, nothing that identifies you. See /privacy.
((parameters, routes) => {
  if (window.troth?.call) return
  const d = document, n = navigator, l = location, me = d.currentScript, to = new URL('hit', me.src)
  let page, next, shown, timer, began, stayed, told
  const hidden = () => d.visibilityState != 'visible'
  const send = (k, more) => n.webdriver || d.prerendering ||
    n.sendBeacon(to, new URLSearchParams(n.globalPrivacyControl ? { k, g: 1 } : { k, u: next, ...more }))
  const pause = () => { if (began) stayed += Date.now() - began, began = 0 }
  const go = () => { began ||= self == top && !hidden() && d.hasFocus() && Date.now() }
  const leave = () => { pause(); if (stayed - told > 999) send('t', { u: page, s: (told = stayed) / 1e3 | 0 }) }
  const look = () => { next = routes && /^#[/!]/.test(l.hash) ? l.href : l.origin + l.pathname + l.search }
  const key = (u = new URL(next)) => [u.pathname, u.hash, ...parameters.map(p => u.searchParams.getAll(p))] + ''
  const view = () => {
    if (shown == key() || hidden()) return
    leave()
    shown = key()
    stayed = began = told = 0
    if (self == top) send(me.dataset.missing == null || shown != first ? 'v' : 'm', { r: page || d.referrer, w: screen.width })
    page = next
    go()
  }
  // A page replaced within a moment was not viewed: a redirect, a letter typed.
  const moved = how => {
    if (how != 'replaceState') view()
    look()
    clearTimeout(timer)
    timer = setTimeout(view, 300)
  }
  look()
  const first = key()
  view()
  for (const how of ['pushState', 'replaceState']) {
    const real = history[how]
    history[how] = function () { real.apply(this, arguments); moved(how) }
  }
  addEventListener('popstate', moved)
  addEventListener('focus', go)
  addEventListener('blur', pause)
  d.addEventListener('visibilitychange', () => { view(); hidden() ? leave() : go() })
  addEventListener('pagehide', () => { view(); leave() })
  addEventListener('pageshow', e => { if (e.persisted) shown = 0, view() })
  d.addEventListener('click', e => {
    const a = e.target.closest?.('a[href],[data-troth]')
    if (!a) return
    if (a.dataset.troth) send('e', { n: a.dataset.troth })
    if (/\.(zip|dmg|exe|msi|pkg|deb|rpm|gz|xz|7z|appimage|pdf|csv|apk|iso)$/i.test(a.pathname)) send('d', { n: a.href })
    else if (/^http/.test(a.protocol) && a.host != l.host) send('o', { n: a.href })
  }, true)
  window.troth = name => send('e', { n: name })
})([], 0)
