"use strict";
// What is drawn follows from `chosen` alone: every event changes it and calls draw().
const data = JSON.parse(document.getElementById("data").textContent);
const by = (id) => document.getElementById(id);
const chosen = { sequence: 0, cell: 0, step: 0, unit: 0 };
const MOST_UNITS = 256; // squares of a strip, where nobody chose
const MOST_BARS = 10;
const MOST_STEPS = 120; // beside each other in a line
const STATES = ["candidate", "cell", "hidden"]; // around zero; the gates go from 0 to 1
const SVG = "http://www.w3.org/2000/svg";

// --- numbers -------------------------------------------------------------------------------

const opened = new Map();

/** The arrays of a cell: each a Float32Array of steps times units, opened when first looked at. */
function cell() {
  const record = data.sequences[chosen.sequence].cells[chosen.cell];
  if (!opened.has(record)) {
    const arrays = {};
    for (const [name, text] of Object.entries(record.arrays)) {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      arrays[name] = new Float32Array(bytes.buffer);
    }
    const largest = record.units.map((_, unit) => unit);
    const size = largest.map((unit) => peak(arrays.cell, unit, record.units.length));
    largest.sort((a, b) => size[b] - size[a] || a - b);
    // One unit that counts on and on must not make all others pale.
    const scale = size[largest[Math.floor(largest.length / 20)]];
    opened.set(record, { ...record, arrays, largest, peaks: size, scale });
  }
  return opened.get(record);
}

function peak(array, unit, width) {
  let most = 0;
  for (let at = unit; at < array.length; at += width) {
    const size = Math.abs(array[at]);
    if (size > most && size < Infinity) most = size;
  }
  return most;
}

/** One number; undefined where a projection has left fewer hidden states than units. */
function value(name, step, place) {
  const here = cell();
  const units = name === "hidden" ? here.hidden_units : here.units;
  const column = name === "hidden" ? units.indexOf(here.units[place]) : place;
  return column < 0 ? undefined : here.arrays[name][step * units.length + column];
}

/** How much each step, and before them all the initial state, has in the cells after a step. */
function shares(step) {
  const { units, arrays, direction, initial } = cell();
  const [width, count] = [units.length, words().length];
  const found = new Float64Array((count + 1) * width);
  const kept = new Float64Array(width).fill(1);
  const back = direction === "forward" ? -1 : 1;
  for (let at = step; at >= 0 && at < count; at += back) {
    for (let unit = 0; unit < width; unit += 1) {
      found[(at + 1) * width + unit] = arrays.written[at * width + unit] * kept[unit];
      kept[unit] *= arrays.kept[at * width + unit];
    }
  }
  for (let unit = 0; unit < width; unit += 1) found[unit] = initial[unit] * kept[unit];
  return found;
}

// --- words for things ----------------------------------------------------------------------

const words = () => data.sequences[chosen.sequence].words;
const written = (x) => {
  if (x === undefined) return "–";
  return Number.isFinite(x) ? x.toFixed(2).replace(/^-(0\.0*)$/, "$1") : String(x);
};
const exact = (x) => (Number.isFinite(x) ? String(Number(x.toPrecision(7))) : String(x));
const percent = (x) => (x > 0 && x < 0.005 ? "<1%" : `${Math.round(x * 100)}%`);
const address = (symbol, place) => {
  const here = cell();
  const way = here.direction === "forward" ? "" : ".reverse";
  return `l${here.layer}${way}.${symbol}[${here.units[place]}]`;
};
const titled = (step) => (words()[step] === null ? `step ${step}` : words()[step].text);

function element(tag, content, attributes = {}) {
  const made = document.createElement(tag);
  if (content !== undefined) made.textContent = content;
  for (const [name, text] of Object.entries(attributes)) made.setAttribute(name, text);
  return made;
}

/** Around zero for states, from nothing on for gates; nothing at all for what is no number. */
function color(x, scale, diverging) {
  if (!Number.isFinite(x) || scale === 0) return "transparent";
  const name = diverging ? (x < 0 ? "negative" : "positive") : "share";
  return `rgb(var(--${name}) / ${Math.min(Math.abs(x) / scale, 1).toFixed(3)})`;
}

/** Colour what stands behind a text, and the text so that it can be read on a strong colour. */
function shade(element, x, scale) {
  element.style.backgroundColor = color(x, scale, true);
  element.dataset.ink = Math.abs(x) > 0.88 * scale ? (x < 0 ? "light" : "dark") : "";
}

// --- choosing ------------------------------------------------------------------------------

/** The places of the units that a pattern names: numbers, spans, an address, or a meaning. */
function matching(pattern) {
  const here = cell();
  const all = here.units.map((_, place) => place);
  const text = pattern.trim().toLowerCase();
  if (text === "") return here.largest.slice(0, MOST_UNITS).sort((a, b) => a - b);
  const inside = text.match(/^l\d+(?:\.\w+)*\[([\d:,-]+)\]$/);
  const spans = (inside ? inside[1] : text).split(",").map((part) => part.trim());
  if (!spans.every((span) => /^-?\d+$|^(-?\d+)?:(-?\d+)?$/.test(span))) {
    const told = new Set(named().filter((unit) => unit.tells.toLowerCase().includes(text)).map((u) => u.unit));
    return all.filter((place) => told.has(here.units[place]));
  }
  const count = (end) => (end < 0 ? end + here.size : end);
  return all.filter((place) => spans.some((span) => {
    const unit = here.units[place];
    if (!span.includes(":")) return unit === count(Number(span));
    const [low, high] = span.split(":");
    return unit >= count(Number(low || 0)) && unit < (high === "" ? here.size : count(Number(high)));
  }));
}

const named = () => data.named.filter((unit) => unit.layer === cell().layer && unit.direction === cell().direction);

function move(change) {
  const last = words().length - 1;
  chosen.step = Math.max(0, Math.min(last, chosen.step + change));
  draw();
}

function moveUnit(change) {
  const places = matching(by("pattern").value);
  if (places.length === 0) return;
  const at = places.indexOf(chosen.unit);
  chosen.unit = places[at < 0 ? 0 : (at + change + places.length) % places.length];
  draw();
}

function showUnit(unit) {
  const place = cell().units.indexOf(unit);
  if (place >= 0) chosen.unit = place;
  draw();
}

// --- drawing -------------------------------------------------------------------------------

/** Make what does not depend on the step: the words, the squares, the list of named units. */
function build() {
  by("words").replaceChildren(...words().map((word, step) => {
    const button = element("button", titled(step), { type: "button" });
    if (word !== null && !word.known) button.className = "unknown";
    button.addEventListener("click", () => { chosen.step = step; draw(); });
    button.tip = () => [`${step}`, told(word), `${address("c", chosen.unit)} = ${exact(value("cell", step, chosen.unit))}`].filter(Boolean).join(" · ");
    return button;
  }));
  const places = matching(by("pattern").value);
  const left = cell().units.length - places.length;
  by("found").textContent = places.length === 0 ? "No unit is so numbered or named."
    : left > 0 ? `${places.length} of ${cell().units.length} units` : "";
  if (places.length > 0 && !places.includes(chosen.unit)) chosen.unit = places[0];
  by("strips").replaceChildren(...data.quantities.map((quantity) => strip(quantity, places)));
  const mine = named();
  by("naming").hidden = mine.length === 0;
  by("named").replaceChildren(...mine.map(namedRow));
}

function told(word) {
  if (word === null) return "";
  return word.known ? (word.read === word.text ? "" : `read as ${word.read}`) : `unknown, read as ${word.read}`;
}

function strip(quantity, places) {
  const row = element("div", undefined, { class: "strip" });
  const squares = element("div");
  for (const place of places) {
    if (value(quantity.name, 0, place) === undefined) continue;
    const square = element("i");
    square.place = place;
    square.quantity = quantity;
    square.tip = () => `${address(quantity.symbol, place)}@${chosen.step} = ${exact(value(quantity.name, chosen.step, place))}`;
    square.addEventListener("click", () => { chosen.unit = place; draw(); });
    squares.append(square);
  }
  row.append(element("span", `${quantity.title} ${quantity.symbol}`), squares);
  return row;
}

function namedRow(unit) {
  const item = element("li");
  const button = element("button", undefined, { type: "button" });
  button.unit = unit.unit;
  button.append(element("span", unit.address), element("output"), element("bdi", unit.tells));
  button.tip = () => `${unit.tells}${unit.auc === null ? "" : ` · AUC ${unit.auc.toFixed(2)}`}`;
  button.addEventListener("click", () => { by("pattern").value = ""; build(); showUnit(unit.unit); });
  item.append(button);
  return item;
}

function draw() {
  if (words().length === 0) return;
  for (const name of document.querySelectorAll(".unit-name")) name.textContent = address("c", chosen.unit);
  drawWords();
  drawStep();
  drawUnit();
  drawMemory();
  drawNext();
}

function drawWords() {
  const scale = cell().peaks[chosen.unit];
  [...by("words").children].forEach((button, step) => {
    shade(button, value("cell", step, chosen.unit), scale);
    button.toggleAttribute("aria-current", step === chosen.step);
  });
  const current = by("words").children[chosen.step];
  const [box, inner] = [by("words").getBoundingClientRect(), current.getBoundingClientRect()];
  if (inner.top < box.top || inner.bottom > box.bottom) by("words").scrollTop += inner.top - box.top;
  document.querySelector(".low").textContent = written(-scale);
  document.querySelector(".high").textContent = written(scale);
}

function drawStep() {
  const { arrays, units } = cell();
  by("step-title").textContent = words()[chosen.step] === null ? `Step ${chosen.step}`
    : `Step ${chosen.step}: ${titled(chosen.step)}`;
  const mean = (name) => {
    const row = arrays[name].subarray(chosen.step * units.length, (chosen.step + 1) * units.length);
    return row.reduce((sum, x) => sum + x, 0) / units.length;
  };
  const parts = [["forgot", 1 - mean("forget"), "1 - f"], ["remembered", mean("input"), "i"], ["revealed", mean("output"), "o"]];
  by("gates").replaceChildren(...parts.map(([name, part, formula]) => {
    const box = pair(name, Number.isFinite(part) ? percent(part) : "–");
    box.style.setProperty("--part", Number.isFinite(part) ? `${part * 100}%` : "0%");
    box.tip = () => `mean of ${formula} over ${units.length} units: ${exact(part)}`;
    return box;
  }));
  for (const square of document.querySelectorAll("#strips i")) {
    const diverging = STATES.includes(square.quantity.name);
    const scale = square.quantity.name === "cell" ? cell().scale : 1;
    square.style.backgroundColor = color(value(square.quantity.name, chosen.step, square.place), scale, diverging);
    square.toggleAttribute("data-chosen", square.place === chosen.unit);
  }
}

function pair(name, text) {
  const box = element("div");
  box.append(element("dt", name), element("dd", text));
  return box;
}

function drawUnit() {
  const found = named().find((unit) => unit.unit === cell().units[chosen.unit]);
  by("meaning").textContent = found ? found.tells : "";
  by("values").replaceChildren(...data.quantities.map(({ name, symbol }) => {
    const box = pair(symbol, written(value(name, chosen.step, chosen.unit)));
    box.tip = () => `${address(symbol, chosen.unit)}@${chosen.step} = ${exact(value(name, chosen.step, chosen.unit))}`;
    return box;
  }));
  by("lines").replaceChildren(...["cell", "forget", "input", "output"].flatMap(line));
  for (const button of document.querySelectorAll("#named button")) {
    const place = cell().units.indexOf(button.unit);
    const x = value("cell", chosen.step, place);
    button.toggleAttribute("aria-current", place === chosen.unit);
    button.children[1].textContent = written(x);
    shade(button.children[1], x, cell().peaks[place]);
  }
}

/** One quantity of the unit over the steps: bars around zero for the cell, shades for a gate. */
function line(name) {
  const quantity = data.quantities.find((entry) => entry.name === name);
  const tall = name === "cell" ? 80 : 14;
  const svg = document.createElementNS(SVG, "svg");
  const count = Math.min(words().length, MOST_STEPS);
  const first = Math.max(0, Math.min(words().length - count, chosen.step - MOST_STEPS / 2));
  const scale = cell().peaks[chosen.unit] || 1;
  svg.setAttribute("viewBox", `${first} 0 ${count} ${tall}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("height", tall);
  for (let step = first; step < first + count; step += 1) {
    const x = value(name, step, chosen.unit);
    const size = name === "cell" ? (Number.isFinite(x) ? (Math.abs(x) / scale) * (tall / 2 - 2) : 0) : tall;
    const top = name === "cell" ? tall / 2 - (x > 0 ? size : 0) : 0;
    const fill = name === "cell" ? color(x < 0 ? -1 : 1, 1, true) : color(x, 1, false);
    svg.append(shape("rect", { x: step + 0.06, y: top, width: 0.88, height: size, fill }));
    const pane = shape("rect", { x: step, y: 0, width: 1, height: tall, fill: "transparent" });
    pane.tip = () => `${titled(step)} · ${address(quantity.symbol, chosen.unit)}@${step} = ${exact(x)}`;
    pane.addEventListener("click", () => { chosen.step = step; draw(); });
    svg.append(pane);
  }
  if (name === "cell") svg.append(shape("line", { x1: first, x2: first + count, y1: tall / 2, y2: tall / 2, class: "middle" }));
  svg.append(shape("rect", { x: chosen.step, y: 0, width: 1, height: tall, class: "here" }));
  return [element("span", quantity.symbol), svg];
}

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, text] of Object.entries(attributes)) {
    if (name === "fill") made.style.fill = text;
    else made.setAttribute(name, text);
  }
  return made;
}

function drawMemory() {
  by("memory").hidden = Boolean(cell().refused);
  if (cell().refused) { by("account").textContent = cell().refused; return; }
  const width = cell().units.length;
  const found = shares(chosen.step);
  const own = [];
  const all = [];
  for (let row = 0; row <= words().length; row += 1) {
    const step = row - 1;
    const size = found.subarray(row * width, (row + 1) * width).reduce((sum, x) => sum + Math.abs(x), 0);
    own.push({ step, x: found[row * width + chosen.unit] });
    all.push({ step, x: size });
  }
  const total = all.reduce((sum, { x }) => sum + x, 0);
  for (const entry of all) entry.x = total === 0 ? 0 : entry.x / total;
  bars(by("own"), own, written, true, value("cell", chosen.step, chosen.unit));
  bars(by("all"), all, percent, false, null);
}

/** The largest entries in the order of the words, the sum of all others, and the total. */
function bars(list, entries, write, diverging, total) {
  const real = entries.filter(({ x }) => x !== 0);
  const large = new Set([...real].sort((a, b) => Math.abs(b.x) - Math.abs(a.x)).slice(0, MOST_BARS));
  const rest = real.filter((entry) => !large.has(entry));
  const rows = real.filter((entry) => large.has(entry)).map(({ step, x }) => ({ name: step < 0 ? "before the text" : titled(step), step, x }));
  const sum = (list) => list.reduce((all, { x }) => all + x, 0);
  if (rest.length > 0) rows.push({ name: `${rest.length} others`, x: sum(rest) });
  const missing = total === null ? 0 : total - sum(real);
  // More than rounding is missing where a value is no number.
  if (!(Math.abs(missing) <= 1e-4 * Math.max(1, ...real.map(({ x }) => Math.abs(x))))) rows.push({ name: "no number", x: missing });
  if (total !== null) rows.push({ name: "together: c", x: total });
  const scale = Math.max(...rows.map(({ x }) => Math.abs(x)), 1e-30);
  list.replaceChildren(...rows.map((row) => bar(row, write, scale, diverging)));
}

function bar({ name, step, x }, write, scale, diverging) {
  const item = element("li");
  const stroke = element("i");
  const part = Number.isFinite(x) ? (Math.abs(x) / scale) * (diverging ? 50 : 100) : 0;
  stroke.style.setProperty("--from", `${diverging ? (x < 0 ? 50 - part : 50) : 0}%`);
  stroke.style.setProperty("--wide", `${part}%`);
  stroke.style.setProperty("--color", `var(--${diverging ? (x < 0 ? "negative" : "positive") : "share"})`);
  item.append(element("bdi", name), stroke, element("output", write(x)));
  item.dataset.value = String(x);
  if (step !== undefined) item.dataset.step = String(step);
  item.tip = () => `${name}: ${exact(x)}`;
  return item;
}

function drawNext() {
  const sequence = data.sequences[chosen.sequence];
  const outcomes = sequence.labels ?? sequence.next;
  by("predictions").hidden = outcomes.length === 0;
  if (outcomes.length === 0) return;
  const bits = sequence.surprisal[chosen.step];
  const surprise = Number.isFinite(bits) ? ` (this word took ${bits.toFixed(1)} bits)` : "";
  by("next-title").textContent = `${sequence.labels ? "Labels" : "What comes next"}${surprise}`;
  by("next").replaceChildren(...outcomes[chosen.step].map((outcome) =>
    bar({ name: outcome.token ?? outcome.label, x: outcome.probability ?? NaN }, percent, 1, false)));
}

// --- events --------------------------------------------------------------------------------

function options(select, names) {
  select.replaceChildren(...names.map((name, at) => new Option(name, String(at))));
  select.parentElement.hidden = names.length < 2;
}

function openSequence(number) {
  Object.assign(chosen, { sequence: number, step: 0 });
  const { cells } = data.sequences[number];
  options(by("cell"), cells.map(({ layer, direction }) => (cells.some((c) => c.direction !== "forward") ? `${layer} ${direction}` : `${layer}`)));
  openCell(Math.min(chosen.cell, cells.length - 1));
}

function openCell(number) {
  chosen.cell = number;
  by("cell").value = String(number);
  chosen.unit = (named().map((unit) => cell().units.indexOf(unit.unit)).filter((place) => place >= 0)[0]) ?? cell().largest[0];
  build();
  draw();
}

const KEYS = {
  ArrowLeft: () => move(-1), ArrowRight: () => move(1),
  ArrowUp: () => moveUnit(-1), ArrowDown: () => moveUnit(1),
  Home: () => move(-Infinity), End: () => move(Infinity),
};

document.addEventListener("keydown", (event) => {
  const typing = ["INPUT", "SELECT"].includes(event.target.tagName);
  if (typing || event.altKey || event.ctrlKey || event.metaKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});
document.addEventListener("pointermove", (event) => {
  let target = event.target;
  while (target && !target.tip) target = target.parentElement;
  by("tip").hidden = !target;
  if (!target) return;
  by("tip").textContent = target.tip();
  const { width, height } = by("tip").getBoundingClientRect();
  by("tip").style.left = `${Math.max(4, Math.min(event.clientX + 12, innerWidth - width - 8))}px`;
  by("tip").style.top = `${event.clientY + 16 + height > innerHeight ? event.clientY - height - 8 : event.clientY + 16}px`;
});
by("choices").addEventListener("submit", (event) => event.preventDefault());
by("pattern").addEventListener("input", () => { build(); draw(); });
by("sequence").addEventListener("change", () => openSequence(Number(by("sequence").value)));
by("cell").addEventListener("change", () => openCell(Number(by("cell").value)));

by("about").textContent = data.about;
if (data.changed) by("account").append(" A state that is set to another value counts as written at that step.");
options(by("sequence"), data.sequences.map(({ title }) => title));
openSequence(0);
