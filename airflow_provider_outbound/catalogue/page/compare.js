// Before and after: two phones with the changed words marked, and every field that differs.

function comparison(template, index) {
  const phones = template.comparisons[index]?.cloneNode(true) || noChannel();
  nameChips(phones);
  for (const [at, figure] of [...phones.children].entries()) {
    const [caption, phone] = figure.children;
    if (phone.matches(".phone")) phone.setAttribute("aria-label", `${caption.textContent}: ${phone.ariaLabel}`);
    const date = at ? dates.now : dates.before;
    if (date) caption.append(" ", make("small", {}, date));
  }
  const fields = template.fields.cloneNode(true);
  nameChips(fields);
  const count = fields.tBodies[0].rows.length;
  return [phones, make("h3", {}, `${count} change${count === 1 ? "" : "s"}`), fields];
}
