// Sample values: a campaign sends one value per variable, and separately the link of a media header.

/** Remember each chip's variable, and label the chip for screen readers. */
function nameChips(container) {
  for (const chip of container.querySelectorAll("var")) {
    chip.dataset.name ??= chip.textContent;
    describeChip(chip, "");
  }
}

const variableOf = (chip) => (chip.classList.contains("h") ? "header " : "") + chip.dataset.name;

function describeChip(chip, value) {
  chip.textContent = value || chip.dataset.name;
  chip.classList.toggle("filled", Boolean(value));
  if (value) {
    chip.removeAttribute("role");
    chip.removeAttribute("aria-label");
  } else {
    chip.setAttribute("role", "img");
    chip.setAttribute("aria-label", `placeholder ${chip.dataset.name}`);
  }
}

/** Fill the chips of a phone and of its facts. */
function showValues(template, ...containers) {
  for (const container of containers) {
    for (const media of container.querySelectorAll(".media[data-url]")) {
      const url = media.querySelector("var") ? filledUrl(template, media) : media.dataset.value;
      if (url !== media.dataset.value) mediaValue(media, url); // it forgets what was loaded
    }
    for (const chip of container.querySelectorAll("var[data-name]")) describeChip(chip, template.values[variableOf(chip)] || "");
  }
}

/** Return the link of a media box once all its values are typed, else nothing. */
function filledUrl(template, media) {
  const header = media.querySelector("var.h");
  if (header) return template.values[variableOf(header)] || "";
  const names = [...media.querySelectorAll("var")].map((each) => each.dataset.name);
  if (!names.every((name) => template.values[name])) return "";
  return media.dataset.url.replace(/\$?\{\{ *(\w+) *\}\}|\$(\d+)/g, (whole, name, number) =>
    names.includes(name ?? number) ? template.values[name ?? number] : whole);
}

/** Return the section with an input for each variable of a channel. */
function sampleValues(template, index, look) {
  const channel = template.channels[index];
  const fields = [
    ...(channel.variables || []).map((name) => field(template, channel, name, name, look)),
    ...(channel.header || []).map((name) => field(template, channel, name, `header ${name}`, look)),
  ];
  if (!fields.length) return [];
  const reset = make("button", { type: "button", class: "link", click: () => {
    template.values = { __proto__: null };
    showChannel();
    byId("channel").querySelector("input")?.focus();
  } }, "Reset");
  reset.hidden = !Object.values(template.values).some(Boolean);
  const section = make("section", { class: "values" }, make("h3", {}, "Sample values", reset), ...fields);
  section.addEventListener("input", (event) => {
    template.values[event.target.dataset.variable] = event.target.value;
    reset.hidden = !Object.values(template.values).some(Boolean);
    showValues(template, look, section.parentElement);
  });
  look.addEventListener("click", (event) => {
    const chip = event.target.closest("var");
    if (chip) inputOf(section, variableOf(chip))?.focus();
  });
  for (const [type, on] of [["focusin", true], ["focusout", false]]) {
    section.addEventListener(type, (event) => {
      for (const chip of look.querySelectorAll("var")) {
        if (variableOf(chip) === event.target.dataset.variable) chip.classList.toggle("focused", on);
      }
    });
  }
  return [section];
}

const inputOf = (section, variable) => [...section.querySelectorAll("input")].find((input) => input.dataset.variable === variable);

function field(template, channel, name, variable, look) {
  const undeclared = !variable.startsWith("header ") && channel.undeclared?.includes(name);
  const unused = !variable.startsWith("header ") && channel.unused?.includes(name);
  const input = make("input", {
    type: "text", dir: look.querySelector("[dir=rtl]") ? "rtl" : "auto", autocomplete: "off", "data-variable": variable, placeholder: context(look, variable),
    "aria-label": `Value of ${variable}${undeclared ? ", not declared" : ""}${unused ? ", not used" : ""}`,
  });
  input.value = template.values[variable] || "";
  return make("label", { class: undeclared ? "undeclared" : null },
    make("span", { class: "chip" }, name), input,
    undeclared ? make("small", {}, "not declared") : unused ? make("small", {}, "not used") : null);
}

/** Return the words around a placeholder, such as `Hi ▢, your order …`, because its number alone means nothing. */
function context(look, variable) {
  const chip = [...look.querySelectorAll("var")].find((each) => variableOf(each) === variable);
  if (!chip) return "not in the text";
  if (chip.closest(".media")) return "an https link";
  const block = chip.closest("p, [dir=auto]") || chip.parentElement;
  const before = lineOf(block, (range) => range.setEndBefore(chip)).split("\n").pop();
  const after = lineOf(block, (range) => range.setStartAfter(chip)).split("\n")[0];
  const lead = before.match(/(?:\S+\s+){0,3}\S*$/)[0];
  const rest = after.match(/^\S*(?:\s+\S+){0,3}/)[0];
  return `${lead.length < before.length ? "…" : ""}${lead}▢${rest}${rest.length < after.trimEnd().length ? " …" : ""}`;
}

/** Return the text of a part of a block, with its line breaks. */
function lineOf(block, cut) {
  const range = document.createRange();
  range.selectNodeContents(block);
  cut(range);
  const part = range.cloneContents();
  for (const line of part.querySelectorAll("br")) line.replaceWith("\n");
  return part.textContent;
}
