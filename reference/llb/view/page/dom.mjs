// Elements of the page. Text of a bundle only ever becomes text.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with attributes (functions are listeners) and children. */
export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** A number for people: four digits, with a proper minus sign. */
export function shown(value, digits = 4) {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const isPlain = size < 1e5 && size >= 1e-3;
  const text = !isPlain
    ? value.toExponential(digits - 2)
    : size >= 10 ** digits
      ? value.toFixed(0)
      : value.toPrecision(digits);
  return text.replaceAll("-", "−");
}

/** A number in an element: rounded for people, whole in `data-value` (strict JSON: what is not finite is null). */
export function setNumber(element, value, text = shown(value)) {
  element.textContent = text;
  element.dataset.value = JSON.stringify(value);
}

/** A number, or what belongs to it, that people look at first. */
export function card(title, ...content) {
  return html("div", { class: "card" }, html("h3", {}, ...[title].flat()), ...content);
}
