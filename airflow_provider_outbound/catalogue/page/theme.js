"use strict";
// The theme is set before anything is painted. Otherwise a dark page would flash white.

const root = document.documentElement;
const asked = new URLSearchParams(location.search); // a shell around the page says ?embed=1&theme=dark
if (["light", "dark"].includes(asked.get("theme"))) root.dataset.theme = asked.get("theme");
root.classList.toggle("embed", asked.get("embed") === "1");

function isDark() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  return (root.dataset.theme || system) === "dark";
}

/** Follow the theme of a page around this one, which may change. */
addEventListener("message", (event) => {
  if (event.source === parent && ["light", "dark"].includes(event.data?.theme)) root.dataset.theme = event.data.theme;
});

function startTheme() {
  const button = byId("theme");
  const show = () => button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    show();
  });
  show();
}
