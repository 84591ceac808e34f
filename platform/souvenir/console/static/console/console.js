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
