// Small comforts; every page works without them.
(() => {
  "use strict";

  const QUESTION = "souvenir-question"; // kept by this tab only, until it is closed or one signs out

  // A key is copied by one press.
  for (const button of document.querySelectorAll("[data-copies]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      const answer = button.parentElement.querySelector("[data-copied]");
      if (answer) answer.textContent = answer.dataset.copied;
    });
  }

  // After a form that was refused, the reading begins at what is wrong.
  document.querySelector("[data-focus]")?.focus();

  // How far a job is: the server tells; where it has no place for one more, it is asked.
  let streams = 0;
  const ASK_EVERY = 2000; // milliseconds
  for (const place of document.querySelectorAll("[data-events]")) follow(place);

  function follow(place) {
    const said = place.parentElement.querySelector("[data-said]");
    const ask = () => setInterval(() => htmx.trigger(place, "ask"), ASK_EVERY);
    place.addEventListener("htmx:afterSettle", () => say(place, said));
    if (!window.EventSource || streams > 0) return ask();
    streams += 1;
    const source = new EventSource(place.dataset.events);
    source.addEventListener("job", (event) => {
      place.innerHTML = event.data; // rendered, and escaped, by the server
      say(place, said);
    });
    source.addEventListener("end", () => {
      source.close();
      location.reload();
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) ask();
    });
    window.addEventListener("pagehide", () => source.close());
  }

  // Read aloud at each tenth, not at each object.
  function say(place, said) {
    const bar = place.querySelector("progress");
    const tenths = bar?.hasAttribute("value") ? Math.floor(bar.position * 10) * 10 : null;
    const words = [place.querySelector(".state")?.textContent, tenths === null ? "" : `${tenths}\u00a0%`];
    const text = words.filter(Boolean).join(" ");
    if (said && said.textContent !== text) said.textContent = text;
  }

  // Questions are posted, so that no address holds one: going back asks the last one again.
  const search = document.querySelector("[data-question]");
  if (search) {
    const field = search.querySelector("input[type=search]");
    search.addEventListener("submit", () => sessionStorage.setItem(QUESTION, field.value));
    const [visit] = performance.getEntriesByType("navigation");
    const asked = sessionStorage.getItem(QUESTION);
    if (visit?.type === "back_forward" && asked && !field.value) {
      field.value = asked;
      window.addEventListener("load", () => search.requestSubmit());
    }
  }
  document
    .querySelector("[data-signs-out]")
    ?.addEventListener("submit", () => sessionStorage.removeItem(QUESTION));
})();
