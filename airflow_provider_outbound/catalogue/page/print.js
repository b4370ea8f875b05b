// On paper: every template that the filters leave, its phones beside their facts.

function printed(template) {
  return make("article", {},
    make("h2", {}, template.name), make("p", {}, make("code", {}, template.id || "no id")),
    ...template.channels.map((_, index) =>
      make("div", { class: "now" }, make("div", { class: "look" }, lookOf(template, index)), make("div", { class: "facts" }, ...factsOf(template, index)))));
}

function startPrint() {
  addEventListener("beforeprint", () => {
    byId("printed")?.remove();
    document.body.append(make("section", { id: "printed" }, ...listed().map(printed)));
  });
  addEventListener("afterprint", () => byId("printed")?.remove());
}
