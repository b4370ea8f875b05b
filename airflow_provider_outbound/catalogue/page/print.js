// On paper: every template that search and filters leave, with its problems and notes, and its phones beside their facts.

function printed(template) {
  const remarks = remarksOf(template);
  const article = make("article", {},
    make("h2", {}, template.name),
    make("p", {}, make("code", {}, template.id || "no id"), make("em", { class: template.change }, changeOf(template))),
    remarks.length ? make("ul", { class: "remarks" }, ...remarks) : null,
    ...template.channels.map((_, index) =>
      make("div", { class: "now" }, make("div", { class: "look" }, lookOf(template, index)), make("div", { class: "facts" }, ...factsOf(template, index)))));
  showValues(template, article); // as the reader sees them
  return article;
}

function startPrint() {
  addEventListener("beforeprint", () => {
    byId("printed")?.remove();
    document.body.append(make("section", { id: "printed" }, ...listed().map(printed)));
  });
  addEventListener("afterprint", () => byId("printed")?.remove());
}
