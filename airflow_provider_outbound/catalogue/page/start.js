// All parts, once the page is read.

document.addEventListener("DOMContentLoaded", () => {
  startTheme();
  if (!byId("list")) return; // an account without templates
  readTemplates();
  startList();
  startDetail();
  startSearch();
  startGallery();
  startPrint();
  startKeys();
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".load");
    if (button) loadMedia(button);
  });
  const linked = templates.find((template) => template.link.hash === location.hash);
  select(linked || templates[0]);
  if (linked) {
    linked.row.scrollIntoView({ block: "nearest" });
    if (isNarrow()) document.body.classList.add("reading");
  }
  addEventListener("hashchange", () => {
    const template = templates.find((each) => each.link.hash === location.hash);
    if (template && template !== view.template) select(template);
  });
});
