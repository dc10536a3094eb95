"use strict";
// Search, filters, sorting and pages for the findings. All text reaches the page as text
// (textContent), never as markup; the data is that of html_findings.c.
(() => {
  const source = document.getElementById("data");
  const table = document.getElementById("findings-table");
  if (!source || !table) return;

  const ROWS_OF_A_PAGE = 250;
  const ROWS_PRINTED = 2500; // nearly 200 pages: a browser takes long to lay out more
  const SEVERITIES = ["UNKNOWN", "NEGLIGIBLE", "LOW", "MEDIUM", "HIGH", "CRITICAL"];

  const data = JSON.parse(source.textContent);
  source.remove();
  const records = data.findings.map((finding, order) => {
    const [severity, score, id, place, aliases, ref, fixed, status, epss, exploited] = finding;
    const [name, type, installed, layer] = data.packages[ref];
    const [instruction, origin] = data.layers[layer] || ["", "not known"];
    const address = typeof place === "number" ? data.places[place] + id : place;
    return { order, severity, score, id, address, aliases, name, type, installed, fixed, status, epss,
      exploited: exploited === 1, layer, instruction, origin };
  });

  const natural = new Intl.Collator("en", { numeric: true });
  const byText = key => (a, b) => natural.compare(a[key], b[key]);
  const byNumber = value => (a, b) => value(a) - value(b);
  const epssOf = record => record.epss === "" ? -1 : parseFloat(record.epss);
  const scoreOf = record => record.score === "" ? -1 : parseFloat(record.score);
  // As the columns stand; `down`: the largest first is what is meant at first.
  const columns = [
    { down: true, compare: (a, b) => a.severity - b.severity || scoreOf(a) - scoreOf(b) },
    { compare: byText("id") },
    { compare: byText("name") },
    { compare: byText("installed") },
    { compare: byText("fixed"), last: record => record.fixed === "" },
    { compare: byText("status") },
    { down: true, compare: byNumber(epssOf) },
    { down: true, compare: byNumber(record => record.exploited) },
    { compare: byNumber(record => record.layer) },
    { compare: byText("origin") },
  ];

  const byId = id => document.getElementById(id);
  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const count = number => number.toLocaleString("en-US");

  // -- rows, in the form of html_findings.c ----------------------------------------------------

  const labels = [...table.tHead.rows[0].cells].map(cell => cell.textContent);
  const cell = (name, column, className, ...children) => {
    const made = element(name, {}, ...children);
    if (name === "th") made.scope = "row";
    if (className) made.className = className;
    made.dataset.label = labels[column];
    return made;
  };
  const withSmall = (first, small) => small === "" ? [first] : [first, " ", element("small", {}, small)];
  const orQuiet = (text, quiet) => text === "" ? element("span", { className: "quiet" }, quiet) : text;

  const row = record => {
    const severity = SEVERITIES[record.severity];
    const link = element("a", { rel: "noopener noreferrer", href: record.address }, record.id);
    const made = element("tr", {},
      cell("td", 0, "", ...withSmall(
        element("span", { className: "severity " + severity.toLowerCase() }, severity), record.score)),
      cell("th", 1, "", ...withSmall(link, record.aliases)),
      cell("td", 2, "", ...withSmall(record.name, record.type)),
      cell("td", 3, "", orQuiet(record.installed, "not known")),
      cell("td", 4, "", orQuiet(record.fixed, "no fix")),
      cell("td", 5, "", record.status),
      cell("td", 6, "number", orQuiet(record.epss, "–")),
      cell("td", 7, record.exploited ? "exploited" : "", orQuiet(record.exploited ? "yes (KEV)" : "", "–")));
    if (data.flat) return made;
    const layer = cell("td", 8, "layer", element("a", { href: "#layer-" + record.layer }, String(record.layer)));
    if (record.instruction !== "") layer.append(" ", element("code", {}, record.instruction));
    made.append(layer, cell("td", 9, "", record.origin));
    return made;
  };

  // -- what is shown ---------------------------------------------------------------------------

  const form = byId("controls"), shownLine = byId("shown"), pager = byId("pager");
  let sorted = records, shown = records, page = 0, sortedBy = { column: 0, down: true };

  const textOf = record => record.text ??= [record.id, record.aliases, record.name, record.type, record.installed,
    record.fixed, record.status, record.instruction].join(" ").toLowerCase();

  const asked = () => {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(word => word !== "");
    const severities = new Set([...form.querySelectorAll("[name=severity]:checked")].map(box => Number(box.value)));
    const type = byId("type").value, origin = byId("origin").value;
    const fixable = byId("fixable").checked, exploited = byId("exploited").checked;
    return record => severities.has(record.severity) && (!fixable || record.fixed !== "") &&
      (!exploited || record.exploited) && (type === "" || record.type === type) &&
      (origin === "" || record.origin === origin) && words.every(word => textOf(record).includes(word));
  };

  const draw = (from, rows) => {
    table.tBodies[0].replaceChildren(...shown.slice(from, from + rows).map(row));
  };

  const pageCount = () => Math.max(1, Math.ceil(shown.length / ROWS_OF_A_PAGE));
  const describe = () => {
    const all = records.length === 1 ? "1 finding" : count(records.length) + " findings";
    const whole = shown.length === records.length;
    const none = shown.length === 0 ? "No finding matches. There are " + count(records.length) + "." : "";
    shownLine.textContent = none || (whole ? all : count(shown.length) + " of " + all) +
      (pageCount() > 1 ? ", page " + count(page + 1) + " of " + count(pageCount()) : "");
  };

  const steps = [["First", () => 0], ["Previous", () => page - 1], ["Next", () => page + 1],
    ["Last", () => pageCount() - 1]].map(([name, target]) => {
    const button = element("button", { type: "button" }, name);
    button.addEventListener("click", () => {
      const next = target();
      if (button.getAttribute("aria-disabled") === "true" || next === page) return;
      page = next;
      show();
      table.scrollIntoView({ block: "start" });
    });
    return { button, target };
  });
  const place = element("span", {});
  pager.append(steps[0].button, steps[1].button, place, steps[2].button, steps[3].button);

  const show = () => {
    draw(page * ROWS_OF_A_PAGE, ROWS_OF_A_PAGE);
    describe();
    pager.hidden = pageCount() === 1;
    place.textContent = "Page " + count(page + 1) + " of " + count(pageCount());
    for (const { button, target } of steps) {
      const next = target();
      // Not `disabled`: that would take the focus away from who uses the keyboard.
      button.setAttribute("aria-disabled", String(next < 0 || next >= pageCount() || next === page));
    }
  };

  const choose = () => {
    shown = sorted.filter(asked());
    page = 0;
    show();
  };

  // -- sorting ---------------------------------------------------------------------------------

  const heads = [...table.tHead.rows[0].cells];
  const sortBy = (column, down) => {
    const { compare, last = () => false } = columns[column];
    const sign = down ? -1 : 1;
    sorted = column === 0 && down ? records : [...records].sort((a, b) =>
      last(a) - last(b) || sign * compare(a, b) || a.order - b.order);
    sortedBy = { column, down };
    heads.forEach((head, at) => {
      if (at === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    byId("sort").value = String(column);
  };

  heads.forEach((head, column) => {
    const button = element("button", { type: "button" }, labels[column]);
    button.addEventListener("click", () => {
      sortBy(column, sortedBy.column === column ? !sortedBy.down : columns[column].down === true);
      choose();
    });
    head.replaceChildren(button);
    byId("sort").append(element("option", { value: String(column) }, labels[column].toLowerCase()));
  });
  byId("sort").addEventListener("change", event => {
    const column = Number(event.target.value);
    sortBy(column, columns[column].down === true);
    choose();
  });

  // -- controls --------------------------------------------------------------------------------

  const options = (id, key) => {
    for (const value of [...new Set(records.map(record => record[key]))].sort(natural.compare))
      byId(id).append(element("option", { value }, value));
  };
  options("type", "type");
  options("origin", "origin");
  form.querySelector(".layered").hidden = data.flat;
  for (let severity = SEVERITIES.length - 1; severity >= 0; severity--) {
    const number = records.filter(record => record.severity === severity).length;
    if (number === 0) continue;
    const box = element("input", { type: "checkbox", name: "severity", value: String(severity), defaultChecked: true });
    byId("severities").append(element("label", {}, box, " " + SEVERITIES[severity].toLowerCase() + " ",
      element("small", {}, count(number))));
  }

  let waiting = 0;
  form.addEventListener("input", event => {
    if (event.target.id === "sort") return;
    clearTimeout(waiting);
    waiting = setTimeout(choose, event.target.id === "search" ? 150 : 0);
  });
  form.addEventListener("reset", () => setTimeout(choose, 0)); // after it has happened
  form.addEventListener("submit", event => {
    event.preventDefault();
    choose();
  });

  // -- printing --------------------------------------------------------------------------------

  let closed = [];
  addEventListener("beforeprint", () => {
    draw(0, ROWS_PRINTED);
    describe();
    if (shown.length > ROWS_PRINTED)
      shownLine.textContent = count(shown.length) + " findings, of which the first " + count(ROWS_PRINTED) +
        " are printed";
    else if (shown.length > 0)
      shownLine.textContent = count(shown.length) + " of " + count(records.length) + " findings";
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
    show();
  });

  byId("cut")?.remove();
  form.hidden = false;
  sortBy(0, true);
  choose();
})();
