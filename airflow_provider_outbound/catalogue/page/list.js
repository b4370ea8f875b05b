// The list is one tab stop: arrows select at once, and go past what is filtered out.

let templates = []; // what the page says about each template, with its row and its looks
let ordered = []; // the same, as sorted
let dates = {}; // of this listing and of the earlier one

function readTemplates() {
  const data = JSON.parse(byId("data").textContent);
  kinds = data.kinds;
  dates = { now: data.now, before: data.before };
  templates = data.templates.map((facts, index) => {
    const row = byId("list").children[index];
    const looks = [...row.querySelector("template").content.children];
    return {
      ...facts,
      channels: facts.channels || [],
      row,
      link: row.firstElementChild,
      phones: looks.filter((look) => look.matches(".phone")),
      comparisons: looks.filter((look) => look.matches(".compare")),
      fields: looks.find((look) => look.matches(".fields")),
      found: true, // by the search and the filters
      values: { __proto__: null }, // sample values, by variable: any name, also "constructor"
    };
  });
  for (const template of templates) rowOf.set(template.row, template);
  ordered = templates;
}

const rowOf = new WeakMap(); // a row's template
const templateAt = (element) => rowOf.get(element.closest("#list > li"));
const listed = () => ordered.filter((template) => template.found);

/** Make a row the list's tab stop, and the one that screen readers announce as current. */
function markCurrent(template) {
  const before = byId("list").querySelector("[aria-current]");
  before?.removeAttribute("aria-current");
  template.link.setAttribute("aria-current", "true");
  moveTabStop(template);
}

let tabStop = null;

function moveTabStop(template) {
  if (tabStop) tabStop.link.tabIndex = -1;
  tabStop = template;
  if (template) template.link.tabIndex = 0;
}

/** Select the template a number of rows further on; the first or last one if there are not so many. */
function step(rows, { focus = false } = {}) {
  const shown = listed();
  if (!shown.length) return;
  const at = shown.indexOf(view.template); // -1 if it is filtered out: the next one is then the first
  const template = shown[Math.max(0, Math.min(shown.length - 1, at + rows))];
  if (template !== view.template) select(template);
  template.row.scrollIntoView({ block: "nearest" });
  if (focus) template.link.focus({ preventScroll: true });
}

function sort(by) {
  const order = {
    name: () => 0, // as they came
    time: (one, other) => (other.time || 0) - (one.time || 0),
    place: (one, other) => one.place - other.place,
  };
  ordered = [...templates].sort(order[by]);
  byId("list").append(...ordered.map((template) => template.row));
}

function startList() {
  byId("sort").addEventListener("change", (event) => sort(event.target.value));
  byId("list").addEventListener("click", (event) => {
    const template = templateAt(event.target);
    if (!template || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault(); // the address follows the selection
    select(template);
    if (view.gallery) showGallery(false);
    if (isNarrow()) readDetail();
  });
}
