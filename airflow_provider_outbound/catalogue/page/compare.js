// Before and after: two phones with the changed words marked, and every field that differs.

function comparison(template, index) {
  const phones = template.comparisons[index].cloneNode(true);
  nameChips(phones);
  const captions = phones.querySelectorAll("figcaption");
  for (const [at, date] of [dates.before, dates.now].entries()) {
    if (date) captions[at]?.append(" ", make("small", {}, date));
  }
  const fields = template.fields.cloneNode(true);
  nameChips(fields);
  const count = fields.tBodies[0].rows.length;
  return [phones, make("h3", {}, `${count} change${count === 1 ? "" : "s"}`), fields];
}
