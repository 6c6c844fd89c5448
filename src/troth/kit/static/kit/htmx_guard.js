// What htmx may do to a page, and nothing else: follow our own links and forms, and refresh the parts named below.
// A page arrives with `hx-ignore` on its body, so without this file htmx does nothing at all. What people wrote stands
// in these pages; whatever gets it there, no attribute in a page ever tells htmx what to do.
"use strict";
(() => {
  /** Parts that refresh themselves: they are named here, never by an attribute. `while`: only as long as it is there. */
  const PARTS = [
    { page: /^\/visitors\/$/, part: "#now", from: "/visitors/now/", every: 2000, select: "#now", swap: "outerMorph" },
    { page: /^\/promises\/$/, part: "#progress", while: "#progress[data-going-on]", from: "/promises/progress/", every: 1000, swap: "outerHTML" },
    { page: /^\/newsletter\/[0-9a-f-]{36}\/$/, part: "#sending", while: "#sending[data-going-on]", from: "progress/", every: 2000, select: "#sending", swap: "outerMorph" },
  ];

  const isForHtmx = ({ name, value }) => /^(data-)?hx-/i.test(name) && !(name === "hx-boost" && value === "false");

  /** Take from everything below `root` what htmx would act upon. */
  const strip = (root) => {
    const own = root instanceof Element && root !== document.body ? [root] : [];
    for (const element of [...own, ...root.querySelectorAll("*")]) {
      for (const attribute of [...element.attributes].filter(isForHtmx)) element.removeAttributeNode(attribute);
    }
  };

  /** A page or a part of one. A file that is to be saved is neither, whatever its type. */
  const isPage = (answer) =>
    (answer.headers.get("Content-Type") ?? "").split(";")[0].trim().toLowerCase() === "text/html" &&
    !answer.headers.has("Content-Disposition");

  /** Let the browser do by itself what htmx may not: it saves a file and leaves the page as it is. */
  const withoutHtmx = ({ sourceElement, request, response }) => {
    if (!sourceElement.matches("a, form")) return;
    if (request.method === "GET") location.assign(response.raw.url);
    else location.reload();
  };

  document.addEventListener("htmx:before:process", (event) => strip(event.target));

  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    // A click in the statistics changes what has changed, and leaves what was unfolded.
    if (ctx.sourceElement.matches("#statistics :is(a, form)")) ctx.swap = "innerMorph";
  });

  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (isPage(ctx.response.raw)) return;
    event.preventDefault();
    ctx.response.raw.body?.cancel();
    withoutHtmx(ctx);
  });

  // One answer changes one place, and brings nothing that runs or loads: our pages have that in their head only.
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    if (tasks.some((task) => task.type !== "main")) {
      event.preventDefault();
      withoutHtmx(ctx);
      return;
    }
    for (const { fragment } of tasks) {
      strip(fragment);
      for (const element of fragment.querySelectorAll("script, style, link, meta, base, iframe, object, embed")) element.remove();
    }
  });

  class NoEvaluation {
    constructor() {
      throw new Error("Nothing in a page is evaluated.");
    }
  }
  htmx.registerExtension("guard", { init: (api) => api.initSecurity(null, NoEvaluation, NoEvaluation) });

  document.body.removeAttribute("hx-ignore");
  document.body.setAttribute("hx-boost:inherited", "true");
  htmx.process(document.body);

  for (const one of PARTS) {
    setInterval(() => {
      const part = one.page.test(location.pathname) && document.querySelector(one.while ?? one.part);
      if (part) htmx.ajax("GET", one.from, { source: part, target: part, select: one.select, swap: one.swap });
    }, one.every);
  }
})();
