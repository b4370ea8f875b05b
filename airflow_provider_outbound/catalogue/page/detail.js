// The selected template: its head, its problems and notes, and one of its channels.

const view = { template: null, channel: 0, compare: false, gallery: false };
const isNarrow = () => matchMedia("(max-width: 760px)").matches;

function select(template) {
  if (view.template) tellShell(template);
  view.template = template;
  view.channel = 0;
  markCurrent(template);
  showHead(template);
  byId("remarks").replaceChildren(...remarksOf(template));
  showTabs(template);
  showChannel();
  byId("detail").scrollTop = 0;
  try {
    history.replaceState(null, "", template.link.hash);
  } catch {
    // A frame of opaque origin may not change its address. The page around it then does; see tellShell.
  }
}

/** Tell the page around this one which template is shown; it writes that into its own address. */
function tellShell(template) {
  if (root.classList.contains("embed")) parent.postMessage({ template: decodeURIComponent(template.link.hash.slice(1)) }, "*");
}

/** Return whether a template is new, changed or removed, and since when. */
function changeOf(template) {
  const since = dates.before ? ` since ${dates.before.replace(/ \d+$/, "")}` : "";
  const change = { created: "New", updated: "Changed", removed: "Removed" }[template.change];
  return change ? change + since : "";
}

function showHead(template) {
  byId("name").textContent = template.name;
  byId("identity").textContent = template.id || "no id";
  byId("copy-id").replaceChildren(template.id ? copyButton("Copy id", template.id) : "");
  byId("change").textContent = changeOf(template);
  byId("change").className = template.change || "";
  byId("versions").hidden = template.change !== "updated";
  showVersion();
}

/** Return a line of the panel above a template: what is to be said, and about which channel. */
const remark = (kind, title, text, place = "") =>
  make("li", { class: kind }, icon(kind), make("p", {}, make("b", {}, title), ...marked(text)), make("small", {}, place));

/** Return the problems of a template, and notes that are no problems. */
function remarksOf(template) {
  const label = (channel) => (template.channels.length > 1 && channel !== null ? channelName(template.channels[channel]) : "");
  const removed = template.change === "removed";
  const seen = dates.before ? `This is how it looked in the export of ${dates.before}.` : "This is how it looked before.";
  return [
    ...(removed ? [remark("info", "No longer in the account", seen)] : []),
    ...(template.problems || []).map(([severity, title, text, channel]) =>
      remark(severity === "error" ? "error" : "warn", title, text, label(channel))),
    ...template.channels.flatMap((channel, index) =>
      (channel.notes || []).map(([title, text]) => remark("info", title, text, label(index)))),
  ];
}

/** Return a sentence whose placeholders are code. */
const marked = (text) => text.split(/(\{\{[^}]*\}\})/).map((part, at) => (at % 2 ? make("code", {}, part) : part));

function showTabs(template) {
  const several = template.channels.length > 1;
  byId("tabs").hidden = !several;
  byId("tabs").replaceChildren(...(several ? template.channels : []).map((channel, index) =>
    make("button", { type: "button", role: "tab", id: `tab-${index}`, "aria-controls": "channel", click: () => showTab(index) },
      make("span", {}, String(index + 1)), channelLabel(channel),
      channel.gone ? make("small", {}, "removed") : index ? make("small", {}, "fallback") : null)));
  markTab();
}

function markTab() {
  for (const [index, tab] of [...byId("tabs").children].entries()) {
    tab.setAttribute("aria-selected", String(index === view.channel));
    tab.tabIndex = index === view.channel ? 0 : -1;
  }
  const several = byId("tabs").children.length > 0;
  for (const [name, value] of [["role", "tabpanel"], ["aria-labelledby", `tab-${view.channel}`]]) {
    if (several) byId("channel").setAttribute(name, value);
    else byId("channel").removeAttribute(name);
  }
}

function showTab(index) {
  view.channel = index;
  markTab();
  showChannel();
}

function stepTab(tabs) {
  const { length } = view.template.channels;
  showTab((view.channel + tabs + length) % length);
  byId(`tab-${view.channel}`).focus();
}

/** Show the channel as it is with its facts, or as it was beside how it is. */
function showChannel() {
  const { template, channel } = view;
  const compare = isCompared();
  byId("channel").className = compare ? "" : "now";
  byId("channel").replaceChildren(...(compare ? comparison(template, channel) : channelNow(template, channel)));
}

const noChannel = () => make("p", { class: "none" }, "There is no channel, so there is nothing to show.");

function channelNow(template, index) {
  if (!template.channels.length) return [noChannel(), jsonOf(template)];
  const look = make("div", { class: "look" }, lookOf(template, index));
  const facts = make("div", { class: "facts" }, ...sampleValues(template, index, look), ...factsOf(template, index), jsonOf(template));
  showValues(template, look, facts);
  return [look, facts];
}

/** Return a copy of a phone; the original is inert. */
function lookOf(template, index) {
  const phone = template.phones[index].cloneNode(true);
  nameChips(phone);
  return phone;
}

/** Before and after stays on from one changed template to the next. */
const isCompared = () => view.compare && view.template.change === "updated";

function showVersion() {
  press(byId("now"), !isCompared());
  press(byId("compare"), isCompared());
}

function setCompare(compare) {
  if (view.template?.change !== "updated") return;
  view.compare = compare;
  showVersion();
  showChannel();
}

/** Go to the details; in a narrow window, show them instead of the list. */
function readDetail() {
  document.body.classList.add("reading");
  byId("name").focus();
}

function backToList() {
  document.body.classList.remove("reading");
  tabStop?.link.focus();
}

function startDetail() {
  byId("now").addEventListener("click", () => setCompare(false));
  byId("compare").addEventListener("click", () => setCompare(true));
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("back").addEventListener("click", backToList);
}
