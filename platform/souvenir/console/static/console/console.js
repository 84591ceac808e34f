// Small comforts; every page works without them.
(() => {
  "use strict";

  // Kept by this tab only, until it is closed or one signs out.
  const QUESTION = "souvenir-question:"; // and the address: what was asked there last
  const CARRIED = "souvenir-carried"; // the address that a question is on its way to

  // What was there from the start, and what htmx has put in place since.
  prepare(document);
  document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));

  function prepare(place) {
    // A key is copied by one press.
    for (const button of place.querySelectorAll("[data-copies]")) {
      if (!navigator.clipboard) continue;
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
        const answer = button.parentElement.querySelector("[data-copied]");
        if (answer) answer.textContent = answer.dataset.copied;
      });
    }
    // Entries of metadata: one more, or one less. Without this, an empty one stands below the others.
    for (const button of place.querySelectorAll("[data-adds], [data-removes]")) button.hidden = false;
    // After a form that was refused, the reading begins at what is wrong.
    place.querySelector("[data-focus]")?.focus();
  }

  document.addEventListener("click", ({ target }) => {
    const list = target.closest("fieldset")?.querySelector("[data-entries]");
    if (target.closest("[data-adds]")) oneMore(list).querySelector("input").focus();
    if (target.closest("[data-removes]")) oneLess(list, target.closest("li"));
  });

  function oneMore(list) {
    const entry = list.lastElementChild.cloneNode(true);
    entry.classList.remove("wrong");
    entry.querySelector(".unseen").textContent = "";
    for (const field of entry.querySelectorAll("input")) {
      field.value = "";
      for (const name of ["value", "aria-invalid", "aria-describedby"]) field.removeAttribute(name);
    }
    list.append(entry);
    return entry;
  }

  function oneLess(list, entry) {
    const said = [...entry.querySelectorAll("input")].some((field) => field.value);
    if (entry === list.lastElementChild) oneMore(list);
    (entry.nextElementSibling ?? list).querySelector("input").focus();
    entry.remove();
    const asks = list.closest("form");
    if (said && asks.elements.question.value) asks.requestSubmit();
  }

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

  // Questions are posted, so that no address holds one: going back asks the last one again, and a
  // question that is carried to another page is asked there.
  const keep = (address, form) => {
    const said = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
    sessionStorage.setItem(QUESTION + address, JSON.stringify(said));
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-question]")) return keep(location.pathname, form);
    if (!form.matches("[data-carries]")) return;
    event.preventDefault();
    const { pathname } = new URL(form.action);
    keep(pathname, form);
    sessionStorage.setItem(CARRIED, pathname);
    location.assign(pathname);
  });
  const form = document.querySelector("[data-question]");
  const [visit] = performance.getEntriesByType("navigation");
  const isAsked = visit?.type === "back_forward" || sessionStorage.getItem(CARRIED) === location.pathname;
  const asked = form && isAsked ? sessionStorage.getItem(QUESTION + location.pathname) : null;
  sessionStorage.removeItem(CARRIED);
  if (asked && !form.elements.question.value) {
    const entries = form.querySelector("[data-entries]");
    const before = {}; // how many of a name were filled in
    for (const [name, value] of JSON.parse(asked)) {
      const place = (before[name] = (before[name] ?? 0) + 1);
      const named = () => entries.querySelectorAll(`[name="${name}"]`);
      if (named().length === 0) fill(form.elements[name], value);
      else {
        while (named().length < place) oneMore(entries);
        named()[place - 1].value = value;
      }
    }
    for (const part of form.querySelectorAll("details")) part.open = [...new FormData(form)].some(([name, value]) => value && part.querySelector(`[name="${name}"]`));
    window.addEventListener("load", () => form.requestSubmit());
  }

  function fill(field, value) {
    if (field instanceof RadioNodeList || field?.type === "checkbox") {
      for (const box of field.length === undefined ? [field] : field) box.checked ||= box.value === value;
    } else if (field) field.value = value;
  }

  document.querySelector("[data-signs-out]")?.addEventListener("submit", () => {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(QUESTION)) sessionStorage.removeItem(key);
  });
})();
