// Start all parts once the page is parsed.

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
  const linked = linkedTemplate(), missing = location.hash.length > 1 && !linked;
  select(linked || templates[0]);
  if (missing) {
    const words = "It is not in this listing, or has another id or name. Below is the first of those that are.";
    byId("remarks").prepend(remark("warn", "The link leads to no template", words));
  }
  if (linked) {
    linked.row.scrollIntoView({ block: "nearest" });
    if (isNarrow()) document.body.classList.add("reading");
  }
  addEventListener("hashchange", () => {
    const template = linkedTemplate();
    if (template && template !== view.template) select(template);
  });
});

/** Return the template that the address names: by its id, or by a name, as the link of a task does. */
function linkedTemplate() {
  const named = (template, name) => template.name === name || template.channels.some((channel) => channel.template === name);
  try {
    const name = decodeURIComponent(location.hash.slice(1));
    return templates.find((each) => each.link.hash === location.hash) || templates.find((each) => named(each, name));
  } catch {
    return undefined; // the address has a lone %, which none of ours has
  }
}
