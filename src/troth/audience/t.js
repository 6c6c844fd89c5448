// Counts visits to this page: no cookie, nothing stored, nothing that stands for you. See /privacy.
(() => {
  const d = document, n = navigator, me = d.currentScript, to = me.src.replace(/t\.js.*/, 'hit')
  if (n.webdriver) return
  let page, began, stayed, told
  const seen = () => d.visibilityState == 'visible' && d.hasFocus()
  const send = (k, more) => n.sendBeacon(to, new URLSearchParams({ k, u: page, ...more }))
  const pause = () => { if (began) stayed += Date.now() - began, began = 0 }
  const go = () => { began ||= seen() && Date.now() }
  const leave = () => { pause(); if (stayed - told > 999) send('t', { s: (told = stayed) / 1e3 | 0 }) }
  const view = () => {
    if (page == location.href) return
    if (page) leave()
    const before = page
    page = location.href
    stayed = began = told = 0
    send(me.dataset.missing == null || before ? 'v' : 'm', { r: before || d.referrer, w: screen.width })
    go()
  }
  const start = () => {
    view()
    for (const name of ['pushState', 'replaceState']) {
      const real = history[name]
      history[name] = function () { real.apply(this, arguments); view() }
    }
    addEventListener('popstate', view)
    addEventListener('focus', go)
    addEventListener('blur', pause)
    d.addEventListener('visibilitychange', () => seen() ? go() : leave())
    addEventListener('pagehide', leave)
    d.addEventListener('click', e => {
      const a = e.target.closest?.('a[href],[data-troth]')
      if (!a) return
      if (a.dataset.troth) send('e', { n: a.dataset.troth })
      if (/\.(zip|dmg|exe|msi|pkg|deb|rpm|gz|xz|7z|appimage|pdf|csv|apk|iso)$/i.test(a.pathname)) send('d', { n: a.href })
      else if (/^http/.test(a.protocol) && a.host != location.host) send('o', { n: a.href })
    }, true)
    window.troth = name => send('e', { n: name })
  }
  d.prerendering ? d.addEventListener('prerenderingchange', start, { once: true }) : start()
})()
