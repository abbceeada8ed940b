"use strict";
// Language and theme of the page.
const root = document.documentElement;
const languageButtons = document.querySelectorAll("[data-set-lang]");
for (const button of languageButtons) {
  button.addEventListener("click", () => {
    root.lang = root.dataset.lang = button.dataset.setLang;
    for (const other of languageButtons) other.setAttribute("aria-pressed", other === button);
    document.title = document.querySelector("title").dataset[root.lang];
    root.dispatchEvent(new Event("language"));
  });
}
document.querySelector("[data-theme-toggle]").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
