// The keyboard. Single keys do nothing in fields, and the help can switch them off (WCAG 2.1.4).

const SINGLE = {
  "/": () => byId("search").select(),
  k: () => step(-1, { focus: true }),
  j: () => step(1, { focus: true }),
  c: () => byId("copy-id").querySelector("button")?.click(),
  d: () => setCompare(!view.compare),
  g: () => showGallery(!view.gallery),
  "?": () => byId("help").showModal(),
};

const IN_LIST = {
  ArrowUp: () => step(-1, { focus: true }),
  ArrowDown: () => step(1, { focus: true }),
  Home: () => step(-templates.length, { focus: true }),
  End: () => step(templates.length, { focus: true }),
};

const IN_TABS = { ArrowLeft: () => stepTab(-1), ArrowRight: () => stepTab(1) };

/** Return what a key does where the focus is; undefined if it is the browser's. */
function actionOf(event) {
  const { key, target } = event;
  if (target === byId("search")) {
    if (key === "ArrowDown" || key === "Enter") return () => step(-templates.length, { focus: true });
    return key === "Escape" ? leaveSearch : undefined;
  }
  if (key === "Escape") return backFromDetail(target);
  if (target.matches("input, select, textarea")) return undefined;
  if (target.matches("[role=tab]") && IN_TABS[key]) return IN_TABS[key];
  const onRow = target.matches("#list a");
  if (onRow && key === "Enter") return openRow;
  if ((onRow || target === document.body) && IN_LIST[key]) return IN_LIST[key];
  return byId("single-keys").checked ? SINGLE[key] : undefined;
}

function leaveSearch() {
  if (byId("search").value) {
    byId("search").value = "";
    byId("search").dispatchEvent(new Event("input"));
  } else backToList();
}

const backFromDetail = (target) => (target.closest("#detail") || document.body.matches(".reading") ? backToList : undefined);

function openRow() {
  if (view.gallery) showGallery(false);
  readDetail();
}

function startKeys() {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || byId("help").open) return;
    const action = actionOf(event);
    if (!action) return;
    event.preventDefault();
    action();
  });
  byId("open-help").addEventListener("click", () => byId("help").showModal());
  byId("close-help").addEventListener("click", () => byId("help").close());
}
