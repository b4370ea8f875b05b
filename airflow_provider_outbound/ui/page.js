"use strict";
/* Around the catalogue: its theme, the choice of a connection, and when its templates were read. Messages have this
   script, too, also those inside the frame. There it can reach neither this page nor Airflow. */
const query = new URLSearchParams(location.search);
const embedded = query.has("embed");
const airflow = embedded || parent === self ? null : parent.document.documentElement;
/* A link into Airflow's UI can't set this page's address. What to show is in the UI's own address. */
const asked = airflow ? new URLSearchParams(parent.location.search) : query;
const system = matchMedia("(prefers-color-scheme: dark)");

function theme() {
  const dark = airflow ? airflow.classList.contains("dark") : system.matches;
  return query.get("theme") ?? (dark ? "dark" : "light");
}
document.documentElement.dataset.theme = theme();

function home(first) {
  const connection = asked.get("connection_id"), template = asked.get("template");
  const named = connection && !/^\.\.?$/.test(connection); // a browser takes dots for folders
  const path = named ? encodeURIComponent(connection) : first;
  return path + (path && template ? "?template=" + encodeURIComponent(template) : "");
}

let timer, template = query.get("template");
function read(frame) {
  clearInterval(timer);
  // The time makes the address new. At the same address, a browser would only jump to the template.
  const wanted = new URLSearchParams({ embed: "1", theme: theme(), at: Date.now() });
  document.getElementById("read").textContent = "Reading…";
  frame.src = `${frame.dataset.src}?${wanted}${template ? "#" + encodeURIComponent(template) : ""}`;
}

/* Let the address name what is shown, for those who send it to others. In Airflow that is the UI's address, which
   newer versions set to this page's own whenever it loads. */
function remember(connection) {
  const address = new URL(location), shown = new URLSearchParams({ connection_id: connection });
  if (template) {
    for (const query of [address.searchParams, shown]) query.set("template", template);
  }
  history.replaceState(history.state, "", address);
  const [page] = airflow ? parent.location.pathname.match(/^.*?\/plugin\/[^/]+/) ?? [] : [];
  if (page) parent.history.replaceState(parent.history.state, "", `${page}?${shown}`);
}

async function tell(frame, again) {
  const response = await fetch(frame.dataset.src.replace(/content$/, "status"));
  const { place = "", failed, age, kept } = response.ok ? await response.json() : {};
  const line = document.getElementById("read"), begun = performance.now() - age * 1000;
  document.getElementById("place").textContent = place;
  function update() {
    const seconds = Math.round((performance.now() - begun) / 1000), old = seconds >= kept;
    const ago = seconds < 100 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
    line.textContent = place && `${failed ? "Tried" : "Read"} ${ago}${old ? "" : ` · kept for ${kept} s`}`;
    again.hidden = Boolean(place) && !old;
  }
  timer = setInterval(update, 1000);
  update();
}

addEventListener("DOMContentLoaded", () => {
  const frame = document.querySelector("iframe"), choice = document.querySelector("select");
  const first = document.body.dataset.home;
  if (first !== undefined && home(first)) return location.replace(home(first));
  choice?.addEventListener("change", () => location.assign(choice.value));

  function paint(theme) {
    document.documentElement.dataset.theme = theme;
    frame?.contentWindow.postMessage({ theme }, "*"); // no target fits better: the frame's origin is opaque
  }
  if (airflow) new MutationObserver(() => paint(theme())).observe(airflow, { attributeFilter: ["class"] });
  if (embedded) addEventListener("message", (event) => event.source === parent && paint(event.data.theme));

  if (!frame) return;
  const connection = decodeURIComponent(frame.dataset.src.replace(/\/content$/, ""));
  let waiting;
  function later() { // after Airflow has set its address; a browser also limits how often an address may change
    clearTimeout(waiting);
    waiting = setTimeout(remember, 300, connection);
  }
  addEventListener("load", later);
  addEventListener("message", ({ source, data }) => {
    if (source !== frame.contentWindow || typeof data?.template !== "string") return;
    template = data.template; // text of the frame: it only ever becomes a value in the address
    later();
  });
  const again = document.querySelector("header button");
  again.addEventListener("click", () => read(frame));
  frame.addEventListener("load", () => tell(frame, again));
  read(frame);
});
