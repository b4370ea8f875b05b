// Copying. It also works in a frame of opaque origin, which may not use the Clipboard API.

const COPIED_FOR = 1600; // milliseconds

function copyButton(label, text) {
  return make("button", { type: "button", class: "copy", "aria-label": label, title: label, click: (event) => copy(event.currentTarget, text) },
    icon("copy"), icon("tick"));
}

function copy(button, text) {
  const focused = document.activeElement; // the key c copies from anywhere
  const field = make("textarea", { class: "hidden", readonly: true, "aria-hidden": "true" });
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy"); // the Clipboard API would log an error where it is refused
  field.remove();
  focused.focus({ preventScroll: true });
  if (copied) showCopied(button);
  else navigator.clipboard?.writeText(text).then(() => showCopied(button), () => speak("Your browser did not let this page copy"));
}

function showCopied(button) {
  button.classList.add("copied");
  speak("Copied");
  setTimeout(() => button.classList.remove("copied"), COPIED_FOR);
}

/** Announce something to screen readers. */
function speak(text) {
  byId("spoken").textContent = "";
  requestAnimationFrame(() => {
    byId("spoken").textContent = text;
  });
}
