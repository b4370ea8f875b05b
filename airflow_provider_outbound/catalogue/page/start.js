document.addEventListener("DOMContentLoaded", () => {
  startTheme();
  startList();
});
