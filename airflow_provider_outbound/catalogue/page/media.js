// Media of previews. Nothing is fetched until the reader clicks, and then only over https. Documents never are.

/** Return an https URL, or null. */
function httpsUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/** Return the URL that a media box would load: the sample value, or its own URL. */
function mediaUrl(media) {
  return httpsUrl(media.dataset.value ?? media.dataset.url);
}

/** Load a picture or video in place of its box: Loading…, then the media, or Could not load. */
function loadMedia(button) {
  const media = button.closest(".media");
  const url = mediaUrl(media);
  if (!url || media.classList.contains("document") || media.classList.contains("loading")) return;
  const kind = media.classList.contains("video") ? "video" : "image";
  const shown = document.createElement(kind === "video" ? "video" : "img");
  media.classList.add("loading");
  media.classList.remove("failed");
  button.textContent = "Loading…";
  const settle = (state, label) => {
    media.classList.remove("loading");
    media.classList.add(state);
    button.textContent = label;
  };
  const failed = () => {
    if (!media.contains(button)) return; // another value was typed meanwhile
    shown.remove();
    media.classList.remove("loaded");
    settle("failed", "Could not load. Try again");
  };
  const loaded = () => {
    if (!media.contains(button)) return;
    const focused = document.activeElement === button;
    media.append(shown);
    settle("loaded", `Load ${kind}`);
    if (focused) {
      shown.tabIndex = kind === "video" ? 0 : -1;
      shown.focus();
    }
  };
  shown.addEventListener("error", failed);
  if (kind === "video") {
    shown.controls = true;
    shown.preload = "none"; // it is fetched when it is played
    shown.src = url;
    loaded();
  } else {
    shown.referrerPolicy = "no-referrer";
    shown.alt = `Picture from ${new URL(url).hostname}`;
    shown.addEventListener("load", loaded);
    shown.src = url;
  }
}

/** Take the sample value of a media box's variable: if it is an https URL, it can be loaded. */
function mediaValue(media, url) {
  media.querySelectorAll("img, video, .load").forEach((each) => each.remove());
  media.classList.remove("loading", "loaded", "failed");
  media.dataset.value = url;
  if (!mediaUrl(media) || media.classList.contains("document")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "load";
  const { host } = new URL(mediaUrl(media)); // values decide on it
  button.textContent = `Load ${media.classList.contains("video") ? "video" : "image"} from ${host}`;
  media.append(button);
}
