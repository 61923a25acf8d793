// Returns the faults that the document and its computed styles show. See Page.Audit.
(() => {
  const faults = [];
  const name = (e) => e.localName + (e.id ? `#${e.id}` : "") + [...e.classList].map((c) => `.${c}`).join("");
  const seen = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && e.getClientRects().length > 0;
  // Elements that only screen readers have: clipped away, or off the left edge.
  const clipped = (e) => {
    for (let a = e; a; a = a.parentElement) {
      if (getComputedStyle(a).clipPath !== "none" || a.getBoundingClientRect().right < 0) return true;
    }
    return false;
  };

  // Colours. Chromium gives rgb(), rgba() or color(srgb ...).
  const colour = (text) => {
    const n = text.match(/[\d.]+/g).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    return [n[0] * scale, n[1] * scale, n[2] * scale, n[3] ?? 1];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const luminance = (c) => {
    const [r, g, b] = c.map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (e) => {
    const layers = [];
    for (let a = e; a; a = a.parentElement) layers.push(colour(getComputedStyle(a).backgroundColor));
    const canvas = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
    return layers.reverse().reduce((under, top) => over(top, under), canvas);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const done = new Set();
  for (let t = texts.nextNode(); t; t = texts.nextNode()) {
    const e = t.parentElement;
    if (!t.data.trim() || done.has(e) || !seen(e) || clipped(e)) continue;
    done.add(e);
    const style = getComputedStyle(e);
    const under = background(e);
    const [a, b] = [luminance(over(colour(style.color), under)), luminance(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const want = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if (ratio < want) faults.push(`${name(e)} "${t.data.trim().slice(0, 20)}" has a contrast of ${ratio.toFixed(2)}`);
  }

  // Structure.
  let level = 0;
  for (const h of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const n = Number(h.localName[1]);
    if (n > level + 1) faults.push(`${name(h)} "${h.innerText}" follows a heading of level ${level}`);
    level = n;
  }
  if (document.querySelectorAll("h1").length !== 1) faults.push("the page does not have one h1");
  if (document.querySelectorAll("main").length !== 1) faults.push("the page does not have one main");
  if (!document.documentElement.lang) faults.push("the page has no language");
  const ids = new Set();
  for (const e of document.querySelectorAll("[id]")) {
    if (ids.has(e.id)) faults.push(`the id ${e.id} is there twice`);
    ids.add(e.id);
  }
  for (const e of document.querySelectorAll("[aria-labelledby], [aria-describedby], label[for]")) {
    for (const id of `${e.getAttribute("aria-labelledby") ?? ""} ${e.getAttribute("aria-describedby") ?? ""} ${e.htmlFor ?? ""}`.split(" ")) {
      if (id && !ids.has(id)) faults.push(`${name(e)} names the id ${id}, which is not there`);
    }
  }
  for (const t of document.querySelectorAll("table")) {
    if (!t.caption) faults.push(`${name(t)} has no caption`);
    for (const th of t.querySelectorAll("th")) if (!th.scope) faults.push(`${name(th)} "${th.innerText}" has no scope`);
  }

  // Room.
  if (document.documentElement.scrollWidth > innerWidth) {
    const wide = [...document.querySelectorAll("body *")].filter((e) => seen(e) && e.getBoundingClientRect().right > innerWidth + 1 && !e.parentElement.closest(".scroll"));
    faults.push(`the page is ${document.documentElement.scrollWidth} pixels wide, in a window of ${innerWidth}: ${wide.slice(0, 3).map(name)}`);
  }
  for (const e of document.querySelectorAll(".scroll")) {
    if (e.scrollWidth > e.clientWidth && e.tabIndex < 0) faults.push(`${name(e)} scrolls, but not with keys`);
  }
  for (const e of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")) {
    const box = e.getBoundingClientRect();
    const inText = e.localName === "a" && ["P", "LI", "TD", "TH", "DD", "BDI"].includes(e.parentElement.tagName);
    if (seen(e) && !clipped(e) && !inText && (box.width < 24 || box.height < 24)) {
      faults.push(`${name(e)} "${e.innerText.slice(0, 20)}" is only ${Math.round(box.width)} x ${Math.round(box.height)} pixels`);
    }
  }
  return faults;
})()
