// The list: one tab stop, whose arrows select at once.

let templates = []; // what the page says about each template, with its row and its <template>
let current = null;

function readTemplates() {
  const data = JSON.parse(byId("data").textContent);
  const rows = [...byId("list").children];
  templates = data.templates.map((facts, index) => ({
    ...facts,
    row: rows[index],
    link: rows[index].firstElementChild,
    looks: rows[index].querySelector("template").content,
  }));
}

function select(template) {
  if (current) {
    current.link.removeAttribute("aria-current");
    current.link.tabIndex = -1;
  }
  current = template;
  template.link.setAttribute("aria-current", "true");
  template.link.tabIndex = 0;
  showDetail(template);
}

function startList() {
  readTemplates();
  byId("list").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    const found = templates.find((template) => template.link === link);
    if (!found || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    select(found);
  });
  if (templates.length) select(templates.find((each) => each.link.hash === location.hash) || templates[0]);
}
