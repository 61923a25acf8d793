"use strict";

(() => {
  const address = document.body.dataset.liveUrl;
  if (!address || !window.EventSource) return;
  const status = document.getElementById("live-status");
  const stream = new EventSource(address);
  stream.addEventListener("open", () => { status.textContent = ""; });
  stream.addEventListener("error", () => { status.textContent = "The connection to the daemon is lost. The page shows what was known before."; });
  stream.addEventListener("problem", (e) => { status.textContent = JSON.parse(e.data).error; });
  stream.addEventListener("update", (e) => {
    const news = JSON.parse(e.data);
    for (const { id, html } of news.regions) {
      const element = document.getElementById(id);
      if (element && element.innerHTML !== html) element.innerHTML = html;
    }
  });
})();
