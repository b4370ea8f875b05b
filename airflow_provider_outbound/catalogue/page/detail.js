// The selected template.

function showDetail(template) {
  const phone = template.looks.querySelector(".phone");
  byId("detail").replaceChildren(
    make("h2", { tabindex: -1 }, template.name),
    make("div", { class: "look" }, phone ? phone.cloneNode(true) : null),
  );
}
