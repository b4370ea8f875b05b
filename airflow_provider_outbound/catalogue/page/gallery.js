// The gallery: the same list as cards. A card gets a copy of its first phone when it is scrolled near.

let near = null;

function showGallery(gallery) {
  view.gallery = gallery;
  document.body.classList.toggle("gallery", gallery);
  press(byId("as-list"), !gallery);
  press(byId("as-gallery"), gallery);
  if (!gallery) {
    tabStop?.row.scrollIntoView({ block: "nearest" });
    return;
  }
  document.body.classList.remove("reading"); // where there is room for one pane only
  watchCards();
  const side = document.querySelector(".side");
  side.scrollTop = 0;
  if (tabStop?.row.getBoundingClientRect().bottom > side.getBoundingClientRect().bottom) tabStop.row.scrollIntoView({ block: "center" });
}

function watchCards() {
  if (near) return;
  near = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      near.unobserve(entry.target);
      drawCard(templateAt(entry.target));
    }
  }, { root: document.querySelector(".side"), rootMargin: "400px" });
  for (const template of templates) near.observe(template.row);
}

function drawCard(template) {
  const card = make("div", { class: "card-look", inert: true });
  if (template.phones.length) card.append(lookOf(template, 0));
  template.row.append(card);
  card.classList.toggle("cut", card.scrollHeight > card.clientHeight);
}

function startGallery() {
  byId("as-list").addEventListener("click", () => showGallery(false));
  byId("as-gallery").addEventListener("click", () => showGallery(true));
}
