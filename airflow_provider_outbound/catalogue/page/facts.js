// The facts beside a phone. Python supplies them; here they become elements, with labels and language names.

let kinds = {}; // the short and the whole name of each kind of channel
const channelName = (channel) => channel.type || kinds[channel.kind][1];
const channelLabel = (channel) => channel.type || kinds[channel.kind][0];

const languageNames = window.Intl?.DisplayNames
  && new Intl.DisplayNames(["en"], { type: "language", style: "short", languageDisplay: "standard", fallback: "none" });

/** Return a language's English name; its code if the browser does not know it. */
function languageName(code) {
  try {
    return languageNames.of(code.replace("_", "-")) || code;
  } catch {
    return code;
  }
}

function factsOf(template, index) {
  const channel = template.channels[index];
  const named = channel.language && languageName(channel.language) !== channel.language;
  const rows = [
    fact("Channel", make("span", { class: `glyph ${channel.kind}` }, icon(channel.kind)), channelName(channel),
      channel.card && make("small", {}, channel.card)),
    channel.language && fact("Language", languageName(channel.language), named && make("code", {}, channel.language)),
    channel.sender && fact("Send from", make("bdi", {}, channel.sender), copyButton("Copy sender", channel.sender.replaceAll(" ", ""))),
    channel.template && fact("WhatsApp name", make("code", {}, channel.template), copyButton("Copy WhatsApp name", channel.template)),
    channel.apps && fact("Apps", channel.apps.join(", ")),
    ...variablesOf(channel),
    channel.header && fact("Header link", ...channel.header.map((name) => chip(name)), make("small", {}, "in headerVariables")),
    template.updated && fact("Last update", template.updated),
    template.lookback && fact("Lookback", template.lookback),
    fact("Fingerprint", make("code", {}, channel.fingerprint.slice(0, 12)), copyButton("Copy fingerprint", channel.fingerprint)),
  ];
  const sections = [make("section", {}, make("h3", {}, "Facts"), make("dl", {}, ...rows.filter(Boolean)))];
  if (channel.buttons) {
    sections.push(make("section", {}, make("h3", {}, "Buttons"), make("ul", { class: "buttons" }, ...channel.buttons.map(buttonRow))));
  }
  return sections;
}

const fact = (label, ...value) => make("div", {}, make("dt", {}, label), make("dd", {}, ...value.filter(Boolean)));

const chip = (name, ...classes) => make("span", { class: ["chip", ...classes].join(" ") }, name);

/** One line if the declared variables are those that the texts use, else two. */
function variablesOf(channel) {
  const { variables = [], undeclared = [], unused = [] } = channel;
  if (!variables.length) return [fact("Variables", make("span", { class: "none" }, "none"))];
  if (!undeclared.length && !unused.length) {
    return [fact("Variables", ...variables.map((name) => chip(name)), make("span", { class: "fine" }, icon("tick"), "declared and found"))];
  }
  const declared = variables.filter((name) => !undeclared.includes(name));
  const found = variables.filter((name) => !unused.includes(name));
  const none = make("span", { class: "none" }, "none");
  return [
    fact("Declared", ...(declared.length ? declared.map((name) => chip(name, unused.includes(name) && "hollow")) : [none])),
    fact("Found in text", ...(found.length ? found.map((name) => chip(name, undeclared.includes(name) && "undeclared")) : [none.cloneNode(true)])),
  ];
}

/** A button: its text, and what it does or its target, which is text and variables in turns. */
function buttonRow([glyph, text, does, ...target]) {
  const plain = target.map((part, at) => (at % 2 ? `{{${part}}}` : part)).join("");
  const shown = target.map((part, at) => (at % 2 ? named(make("var", {}, part)) : part));
  return make("li", {}, icon(glyph),
    make("div", {}, make("b", {}, make("bdi", {}, text)), make("p", {}, make("bdi", {}, ...(target.length ? shown : [does])))),
    target.length ? copyButton(`Copy target of ${text}`, plain) : null);
}

function named(variable) {
  variable.dataset.name = variable.textContent;
  return variable;
}

function jsonOf(template) {
  const code = make("pre", { tabindex: 0 });
  const details = make("details", { class: "json" }, make("summary", {}, "JSON as received"),
    make("div", {}, copyButton("Copy JSON", template.raw), code));
  details.addEventListener("toggle", () => {
    code.textContent = indented(template.raw);
  });
  return details;
}

/** Indent JSON without parsing it, because that would round large numbers. */
function indented(raw) {
  let depth = 0;
  const line = (by) => `\n${"  ".repeat(Math.max(0, depth += by))}`;
  return raw.replace(/"(?:\\.|[^"\\])*"|\{\s*\}|\[\s*\]|[{}[\],:]|\s+/gs, (token) => {
    if (/^\s/.test(token)) return "";
    if (token === "{" || token === "[") return token + line(1);
    if (token === "}" || token === "]") return line(-1) + token;
    if (token === ",") return token + line(0);
    return token === ":" ? ": " : token;
  });
}
