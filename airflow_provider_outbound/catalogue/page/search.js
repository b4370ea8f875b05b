// Search and filters: rows are hidden, never removed, and only those that change are touched.

const wanted = { words: [], names: [], channels: new Set(), language: "", problems: false, changed: false };
const AT_ONCE = 50; // rows that are shown before the next frame: a screen of 2800 px
const IN_A_FRAME = 250; // of the others, then
const MOST_MARKED = 60; // rows in which hits are marked: more than fit on any screen

/** Fold text for the search: `Müller` and `muller` are alike. */
const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Return what the search looks through: what the customer sees, and the names and numbers beside it. */
function searchable(template) {
  template.folded ??= fold([
    template.name,
    template.id || "",
    ...template.phones.flatMap((phone) => [...phone.querySelectorAll("[dir=auto]")].map((text) => text.textContent)),
    ...template.channels.flatMap((channel) => [channel.sender, channel.template, ...(channel.apps || [])]),
    ...template.channels.flatMap((channel) => [channelName(channel), channel.language && languageName(channel.language)]),
    ...template.channels.flatMap((channel) => (channel.buttons || []).map(([, , , ...target]) => target.join(""))),
  ].join("\n"));
  return template.folded;
}

/** Fold the texts before anyone types, while the browser has nothing to do. */
function foldAhead(index = 0) {
  const idle = window.requestIdleCallback || ((run) => setTimeout(run, 50, { timeRemaining: () => 5 }));
  idle((deadline) => {
    while (index < templates.length && deadline.timeRemaining() > 1) searchable(templates[index++]);
    if (index < templates.length) foldAhead(index);
  });
}

function matches(template) {
  const { words, channels, language, problems, changed } = wanted;
  return (
    (!channels.size || template.channels.some((channel) => channels.has(channelName(channel)))) &&
    (!language || template.channels.some((channel) => channel.language === language)) &&
    (!problems || template.problems) &&
    (!changed || template.change) &&
    (words.every((word) => searchable(template).includes(word)) || isNamed(template))
  );
}

/** Tell whether the search names the template, as in `login_code, H100242219`; those can then be printed together. */
const isNamed = ({ name, id }) => wanted.names.includes(fold(name)) || wanted.names.includes(fold(id || ""));

function filter() {
  for (const template of templates) {
    template.found = matches(template);
    if (!template.found && !template.row.hidden) template.row.hidden = true;
  }
  showRows();
  const count = listed().length;
  const all = `${templates.length.toLocaleString("en")} template${templates.length === 1 ? "" : "s"}`;
  byId("count").textContent = count < templates.length ? `${count.toLocaleString("en")} of ${all}` : all;
  byId("nothing").hidden = count > 0;
  if (!count) byId("missing").textContent = missing();
  moveTabStop(view.template && view.template.found ? view.template : listed()[0] || null);
  markHits();
}

/** Show the rows that were found: those on the screen at once, which keeps typing fast, and the others later. */
function showRows(most = AT_ONCE) {
  const missing = ordered.filter((template) => template.found && template.row.hidden);
  for (const template of missing.slice(0, most)) template.row.hidden = false;
  if (missing.length > most) requestAnimationFrame(() => setTimeout(showRows, 0, IN_A_FRAME));
}

/** Return what was searched for, such as `Nothing has “boots” in SMS or RCS.` */
function missing() {
  const either = new Intl.ListFormat("en", { type: "disjunction" });
  const parts = [wanted.words.length ? `Nothing has “${byId("search").value.trim()}”` : "Nothing is"];
  if (wanted.channels.size) parts.push(`in ${either.format(wanted.channels)}`);
  if (wanted.language) parts.push(`in ${languageName(wanted.language)}`);
  if (wanted.problems) parts.push("with problems");
  if (wanted.changed) parts.push("among what changed");
  return `${parts.join(" ")}.`;
}

/** Mark what was found in the first rows; the document itself does not change. */
function markHits() {
  if (!window.Highlight || !CSS.highlights) return;
  CSS.highlights.delete("hits");
  if (!wanted.words.length) return;
  const ranges = [];
  for (const template of listed().slice(0, MOST_MARKED)) {
    const texts = document.createTreeWalker(template.link, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) ranges.push(...hits(texts.currentNode));
  }
  CSS.highlights.set("hits", new Highlight(...ranges));
}

function hits(node) {
  const places = []; // of each folded letter, in the text
  let folded = "";
  for (let at = 0; at < node.data.length; at += 1) {
    const letters = fold(node.data[at]);
    folded += letters;
    for (let each = 0; each < letters.length; each += 1) places.push(at);
  }
  const ranges = [];
  for (const word of wanted.words) {
    for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
      const range = new Range();
      range.setStart(node, places[at]);
      range.setEnd(node, places[at + word.length] ?? node.data.length); // with the marks of its last letter
      ranges.push(range);
    }
  }
  return ranges;
}

const press = (button, pressed) => button.setAttribute("aria-pressed", String(pressed));

function clearFilters() {
  byId("search").value = "";
  byId("language").value = "";
  Object.assign(wanted, { words: [], names: [], language: "", problems: false, changed: false });
  wanted.channels.clear();
  for (const button of document.querySelectorAll(".filters [aria-pressed]:not(.square)")) press(button, false);
  filter();
}

/** Show the first template that the filters leave, if they hide the one that is shown. */
function showFirst() {
  if (!view.template.found && tabStop) select(tabStop);
}

/** Show before and after with the filter Changed, and leave it without. */
function compareChanged(compare) {
  view.compare = compare;
  showVersion();
  showChannel();
}

function startSearch() {
  byId("search").addEventListener("input", (event) => {
    const text = fold(event.target.value);
    wanted.words = text.split(/\s+/).filter(Boolean);
    wanted.names = text.includes(",") ? text.split(",").map((name) => name.trim()).filter(Boolean) : [];
    filter();
  });
  for (const button of document.querySelectorAll("[data-channel]")) {
    button.addEventListener("click", () => {
      const { channel } = button.dataset;
      if (!wanted.channels.delete(channel)) wanted.channels.add(channel);
      press(button, wanted.channels.has(channel));
      filter();
      showFirst();
    });
  }
  for (const key of ["problems", "changed"]) {
    byId(`${key}-only`)?.addEventListener("click", (event) => {
      wanted[key] = !wanted[key];
      press(event.currentTarget, wanted[key]);
      filter();
      if (key === "changed") compareChanged(wanted.changed);
      showFirst();
    });
  }
  const languages = new Set(templates.flatMap((template) => template.channels.map((channel) => channel.language)));
  const options = [...languages].filter(Boolean).map((code) => make("option", { value: code }, languageName(code)));
  byId("language").append(...options.sort((one, other) => one.text.localeCompare(other.text)));
  byId("language").addEventListener("change", (event) => {
    wanted.language = event.target.value;
    filter();
    showFirst();
  });
  byId("clear").addEventListener("click", () => {
    clearFilters();
    byId("search").focus();
  });
  foldAhead();
}
