// Elements are made by calls only: text from templates is text, never markup.

const byId = (id) => document.getElementById(id);

/** Make an element: `make("p", { class: "note" }, "text", child)`. Attributes that are null or false are left out. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Draw an icon of the sprite. */
function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.append(document.createElementNS(space, "use"));
  drawing.firstChild.setAttribute("href", `#i-${name}`);
  return drawing;
}
