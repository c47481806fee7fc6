// Making elements, and writing numbers and times as the reader's language does.
import { lang } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes || {})) {
		if (value === undefined || value === null || value === false) continue;
		if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
		else node.setAttribute(name, value === true ? "" : value);
	}
	node.append(...children.flat().filter((c) => c !== null && c !== undefined));
	return node;
}

export const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) =>
	fill(document.createElementNS(SVG, tag), attributes, children);
export const byId = (id) => document.getElementById(id);

const locale = () => (lang() === "en" ? "en-GB" : "id-ID");
const ZONE = "Asia/Jakarta";

export const number = (n) => new Intl.NumberFormat(locale()).format(n);
export const percent = (part, whole) =>
	new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 1 }).format(
		whole ? part / whole : 0,
	);
export const clock = (when) =>
	new Intl.DateTimeFormat(locale(), {
		timeZone: ZONE,
		hour: "2-digit",
		minute: "2-digit",
		second: "2-digit",
	}).format(when);
export const moment = (text) =>
	text
		? new Intl.DateTimeFormat(locale(), {
				timeZone: ZONE,
				day: "numeric",
				month: "short",
				year: "numeric",
				hour: "2-digit",
				minute: "2-digit",
			}).format(new Date(text))
		: "–";
// Today in the city, as an <input type=date> wants it.
export const today = () => new Intl.DateTimeFormat("en-CA", { timeZone: ZONE }).format(new Date());

// Replaces what is in a node and keeps open what was open: <details> are known by their data-id.
export function replace(node, ...children) {
	const open = new Set([...node.querySelectorAll("details[open]")].map((d) => d.dataset.id));
	node.replaceChildren(...children.flat());
	for (const d of node.querySelectorAll("details")) d.open = open.has(d.dataset.id);
}
