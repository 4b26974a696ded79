// A figure: axes, lines, bands and rules, drawn anew at the width that it has.

import { html, svg } from "./dom.mjs";
import { LAYERS } from "./layers.mjs";
import { ticks } from "./round_numbers.mjs";

const MARGIN = { left: 52, right: 14, top: 10 };
const BELOW = 40;
const LETTER = 6.6;
const LETTERS = 18;

export class Plot {
  #height;
  #spec;
  #scales;

  /** `pick` is told where along x the pointer is dragged. */
  constructor({ title, label, height = 250, pick }) {
    this.#height = height;
    this.legend = html("ul", { class: "legend" });
    this.canvas = svg("svg", { role: "img", "aria-label": label });
    const heading = html("figcaption", {}, html("span", { class: "title" }, title), this.legend);
    this.element = html("figure", {}, heading, this.canvas);
    new ResizeObserver(() => this.#render()).observe(this.element);
    if (pick !== undefined) this.#listen(pick);
  }

  #listen(pick) {
    const tell = (event) => {
      const { left } = this.canvas.getBoundingClientRect();
      if (this.#scales !== undefined) pick(this.#scales.inverse(event.clientX - left));
    };
    this.canvas.classList.add("draggable");
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      tell(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) tell(event);
    });
  }

  /** `spec` has ranges and labels of `x` and `y`, `layers` from back to front, and `legend` entries. */
  draw(spec) {
    this.#spec = spec;
    this.legend.replaceChildren(...spec.legend.map(({ name, style }) => html("li", { class: style }, name)));
    this.#render();
  }

  #render() {
    const width = this.element.clientWidth;
    if (this.#spec === undefined || width === 0) return;
    const { x, y, layers } = this.#spec;
    const [right, bottom] = [width - MARGIN.right, MARGIN.top + this.#height];
    const below = roomBelow(x.names ?? [], right - MARGIN.left);
    const scale =
      ([low, high], from, to) =>
      (value) =>
        from + ((value - low) / (high - low)) * (to - from);
    const across = scale(x.range, MARGIN.left, right);
    const up = scale(y.range, bottom, MARGIN.top);
    this.#scales = {
      inverse: (at) => x.range[0] + ((at - MARGIN.left) / (right - MARGIN.left)) * (x.range[1] - x.range[0]),
    };
    this.canvas.setAttribute("viewBox", `0 0 ${width} ${bottom + below}`);
    this.canvas.setAttribute("height", bottom + below);
    const id = (this.clip ??= `llb-clip-${(Plot.count = (Plot.count ?? 0) + 1)}`);
    const frame = { x: MARGIN.left, y: MARGIN.top, width: right - MARGIN.left, height: bottom - MARGIN.top };
    const clip = svg("clipPath", { id }, svg("rect", frame));
    const place = { across, up, left: MARGIN.left, right, top: MARGIN.top, bottom };
    const drawn = layers.flatMap((layer) => LAYERS[layer.kind](layer, place));
    this.canvas.replaceChildren(
      svg("defs", {}, clip),
      svg("g", { class: "grid" }, ...axes(x, y, place)),
      svg("g", { "clip-path": `url(#${id})` }, ...drawn.filter((item) => !item.classList.contains("over"))),
      svg("rect", { ...frame, class: "frame" }),
      ...drawn.filter((item) => item.classList.contains("over")),
    );
  }
}

function axes(x, y, { across, up, left, right, top, bottom }) {
  const text = (value) => String(value).replace("-", "−");
  const columns = (x.ticks ?? ticks(x.range, 6)).flatMap((value) => [
    svg("line", { x1: across(value), x2: across(value), y1: top, y2: bottom }),
    svg("text", { x: across(value), y: bottom + 16, "text-anchor": "middle" }, text(value)),
  ]);
  const isUpright = (x.names ?? []).some((name) => isLong(name, (right - left) / x.names.length));
  const names = (x.names ?? []).map((name, at) => label(name, across(at), bottom, isUpright));
  const rows = (y.ticks ?? ticks(y.range, 5).map((value) => ({ value, name: text(value) }))).flatMap(
    ({ value, name }) => [
      svg("line", { x1: left, x2: right, y1: up(value), y2: up(value) }),
      svg("text", { x: left - 7, y: up(value) + 4, "text-anchor": "end" }, name),
    ],
  );
  const middle = (top + bottom) / 2;
  return [
    ...columns,
    ...names,
    ...rows,
    svg("text", { x: right, y: bottom + 33, "text-anchor": "end", class: "axis" }, x.label ?? ""),
    svg("text", { transform: `translate(13 ${middle}) rotate(-90)`, "text-anchor": "middle", class: "axis" }, y.label),
  ];
}

function isLong(name, room) {
  return name.length * LETTER > room - 4;
}

/** What is needed below the axis: names that find no room beside each other stand upright. */
function roomBelow(names, width) {
  if (!names.some((name) => isLong(name, width / names.length))) return names.length > 0 ? BELOW / 2 + 4 : BELOW;
  return Math.min(Math.max(...names.map(({ length }) => length)), LETTERS) * LETTER + 14;
}

function label(name, x, bottom, isUpright) {
  if (!isUpright) return svg("text", { x, y: bottom + 16, "text-anchor": "middle" }, name);
  const short = name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name;
  return svg("text", { transform: `translate(${x + 4} ${bottom + 8}) rotate(-90)`, "text-anchor": "end" }, short);
}
