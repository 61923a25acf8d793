// What the status page does in addition to what links and forms do: it shows changes as they happen.
// The daemon sends the new HTML of an element with data-live. This script changes only the nodes that
// differ, so that focus, selected text, open details and scroll positions stay.
"use strict";

(() => {
  const address = document.body.dataset.liveUrl;
  const said = document.getElementById("live-status");
  if (!address || !said) return;

  const askEvery = 5000; // milliseconds between requests without a stream
  const streamAgain = 12; // requests until it asks for a stream again
  const suffix = document.title.slice(document.title.lastIndexOf(" – "));

  let stream = null; // EventSource
  let timer = 0; // of the next request
  let asked = 0; // requests since the last stream
  let lostAt = null; // when the last change could not be had; null: it is live

  // say shows how current the page is. state is live, lost or problem.
  function say(state, text) {
    if (said.dataset.state === state && said.textContent === text) return;
    said.dataset.state = state;
    said.textContent = text;
  }

  function live(text) {
    lostAt = null;
    say("live", text);
  }

  function lost() {
    lostAt ??= new Date();
    const time = lostAt.toLocaleTimeString([], { hour12: false });
    say("lost", `No connection to aaasessd since ${time}. What you see is older. Trying again.`);
  }

  // key names a node among its siblings: its id, or for a row the first id in it.
  function key(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return "";
    const row = node.localName === "tr" || node.localName === "li";
    const id = node.id || (row && node.querySelector("[id]")?.id);
    return id ? `${node.localName} ${id}` : "";
  }

  function change(have, want) {
    if (have.nodeType !== Node.ELEMENT_NODE) {
      if (have.data !== want.data) have.data = want.data;
      return;
    }
    const own = have.localName === "details" ? "open" : ""; // the person decides
    for (const { name, value } of want.attributes) {
      if (name !== own && have.getAttribute(name) !== value) have.setAttribute(name, value);
    }
    for (const { name } of [...have.attributes]) {
      if (name !== own && !want.hasAttribute(name)) have.removeAttribute(name);
    }
    changeChildren(have, want);
  }

  // skip removes the nodes without a key before the next node that is wanted, up to a node with a key. It
  // returns what follows.
  function skip(at, isWanted) {
    let found = at;
    while (found && !isWanted(found) && !key(found)) found = found.nextSibling;
    if (!found || !isWanted(found)) return at;
    while (at !== found) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
    return at;
  }

  // changeChildren makes the children of have those of want. A node that stays at its place is not moved.
  function changeChildren(have, want) {
    const wanted = [...want.childNodes];
    const keys = wanted.map(key);
    const named = new Set(keys);
    const kept = new Map();
    for (const node of [...have.childNodes]) {
      const name = key(node);
      if (!name) continue;
      if (named.has(name) && !kept.has(name)) kept.set(name, node);
      else node.remove();
    }
    let at = have.firstChild;
    wanted.forEach((node, i) => {
      let match = kept.get(keys[i]);
      kept.delete(keys[i]);
      if (!match && !keys[i]) {
        if (node.nodeType === Node.ELEMENT_NODE) at = skip(at, (n) => n.nodeName === node.nodeName && !key(n));
        if (at && at.nodeName === node.nodeName && !key(at)) match = at;
      }
      if (!match) {
        have.insertBefore(document.importNode(node, true), at);
        return;
      }
      at = skip(at, (n) => n === match);
      if (match === at) at = at.nextSibling;
      else have.insertBefore(match, at);
      change(match, node);
    });
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  // show puts an update in place.
  function show(update) {
    document.title = update.title + suffix;
    for (const { id, html } of update.regions) {
      const region = document.getElementById(id);
      if (!region || !("live" in region.dataset)) continue;
      const focused = document.activeElement;
      const inside = focused !== region && region.contains(focused);
      const parsed = document.createElement("template"); // its content is inert
      parsed.innerHTML = html;
      changeChildren(region, parsed.content);
      if (!inside || focused === document.activeElement) continue;
      // It has moved, or is gone: then the focus stays nearby.
      const now = focused.isConnected ? focused : region;
      if (now === region) region.tabIndex = -1;
      now.focus({ preventScroll: true });
    }
  }

  // ask is what happens when there is no stream for one more browser.
  async function ask() {
    timer = 0;
    asked++;
    try {
      const answer = await fetch(address.replace(/^\/live/, "/live/once"), { signal: AbortSignal.timeout(askEvery * 2) });
      if (answer.ok) {
        show(await answer.json());
        live("Updated every 5 seconds");
      } else if (answer.status === 404) {
        say("problem", (await answer.text()).trim());
      } else {
        lost();
      }
    } catch {
      lost();
    }
    if (document.hidden || stream || timer) return;
    if (asked >= streamAgain || lostAt) listen();
    else timer = setTimeout(ask, askEvery);
  }

  function listen() {
    if (stream || document.hidden) return;
    clearTimeout(timer);
    timer = asked = 0;
    const mine = new EventSource(address);
    stream = mine;
    mine.addEventListener("update", (event) => {
      show(JSON.parse(event.data));
      live("Live");
    });
    mine.addEventListener("problem", (event) => {
      lostAt = null;
      say("problem", JSON.parse(event.data).error);
    });
    mine.addEventListener("error", () => {
      if (stream !== mine) return;
      if (mine.readyState !== EventSource.CLOSED) {
        lost(); // the browser asks again by itself
        return;
      }
      stream = null;
      clearTimeout(timer);
      timer = setTimeout(ask, lostAt ? askEvery : 0);
    });
  }

  // A hidden page holds none of the few connections that a browser has to a host.
  function rest() {
    stream?.close();
    stream = null;
    clearTimeout(timer);
    timer = 0;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
  window.addEventListener("pagehide", rest);
  window.addEventListener("pageshow", listen);
  listen();
})();
