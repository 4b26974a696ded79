// What a figure is made of, from back to front: every layer becomes elements at the place of the axes.

import { svg } from "./dom.mjs";

function path(points, { across, up }) {
  let isOpen = false;
  const parts = points.map(([x, y]) => {
    if (!Number.isFinite(y)) {
      isOpen = false;
      return "";
    }
    const part = `${isOpen ? "L" : "M"}${across(x).toFixed(2)} ${Math.min(Math.max(up(y), -1e4), 1e4).toFixed(2)}`;
    isOpen = true;
    return part;
  });
  return parts.join("");
}

/** By kind: elements of a layer; those of the class `over` are not cut off at the frame. */
export const LAYERS = {
  line: ({ points, style }, place) => [svg("path", { d: path(points, place), class: `line ${style}` })],
  band: ({ points, style }, place) => {
    const upper = points.map(([x, , high]) => [x, high]);
    const lower = points.map(([x, low]) => [x, low]).reverse();
    const d = path(
      [...upper, ...lower].filter(([, y]) => Number.isFinite(y)),
      place,
    );
    return d === "" ? [] : [svg("path", { d: `${d}Z`, class: style })];
  },
  zone: ({ from, to, style, name }, { across, top, bottom, left, right }) => {
    const [start, end] = [Math.max(across(from), left), Math.min(across(to), right)];
    if (!(end > start)) return [];
    const area = svg("rect", { x: start, y: top, width: end - start, height: bottom - top, class: style });
    const text = svg("text", { x: end - 6, y: top + 14, "text-anchor": "end", class: `${style} over` }, name);
    return end - start > 110 ? [area, text] : [area];
  },
  across: ({ y, style, name }, { up, left, right }) => [
    svg("line", { x1: left, x2: right, y1: up(y), y2: up(y), class: style }),
    svg("text", { x: right - 6, y: up(y) - 6, "text-anchor": "end", class: style }, name),
  ],
  upright: ({ x, style }, { across, top, bottom }) => [
    svg("line", { x1: across(x), x2: across(x), y1: top, y2: bottom, class: style }),
  ],
  handle: ({ x }, { across, top, bottom, left, right }) => {
    const at = across(x);
    if (at < left - 1 || at > right + 1) return [];
    return [
      svg("line", { x1: at, x2: at, y1: top, y2: bottom, class: "handle over" }),
      svg("circle", { cx: at, cy: bottom, r: 6, class: "handle over" }),
    ];
  },
  dot: ({ x, y, style }, { across, up }) =>
    Number.isFinite(x) && Number.isFinite(y) ? [svg("circle", { cx: across(x), cy: up(y), r: 4.5, class: style })] : [],
  bar: ({ x, low, high, width, style }, { across, up }) => {
    const [top, bottom] = [up(Math.max(low, high)), up(Math.min(low, high))];
    const [start, end] = [across(x - width / 2), across(x + width / 2)];
    return [
      svg("rect", {
        x: start,
        y: top,
        width: Math.max(end - start, 0.5),
        height: Math.max(bottom - top, 0),
        class: style,
      }),
    ];
  },
  whisker: ({ x, low, high, style }, { across, up }) => [
    svg("line", { x1: across(x), x2: across(x), y1: up(low), y2: up(high), class: style }),
  ],
};
