// The city as a picture: departments -> topics -> views -> readers. Wide: four columns. Narrow: topics and
// views side by side, readers below. Where things stand is layout.js's; here they are drawn, kept up to date
// in place (so that focus and tracing survive a look), and traced.
import { svg } from "./dom.js";
import { layout } from "./layout.js";
import { lang, t } from "./texts.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let drawn = null; // {signature, root, nodes: Map, links: [], applied: Map}

const ROLE = { opd: "button", view: "button" };

function drawNode(n) {
	const acts = n.kind in ROLE;
	const g = svg("g", {
		class: "node " + n.kind,
		"data-id": n.id,
		role: acts ? "button" : "img",
		tabindex: acts ? 0 : null,
	});
	g.append(
		svg("rect", {
			class: "box",
			x: n.x,
			y: n.y,
			width: n.w,
			height: n.h,
			rx: n.kind === "reader" ? 14 : 8,
		}),
	);
	if (n.color !== undefined)
		g.append(
			svg("rect", {
				class: "edge c" + n.color,
				x: n.x,
				y: n.y + 8,
				width: 4,
				height: n.h - 16,
				rx: 2,
			}),
		);
	const lines = n.text.map((line) =>
		svg("text", {
			class: line.class,
			x: line.x,
			y: line.y,
			"text-anchor": line.end ? "end" : "start",
		}),
	);
	g.append(...lines);
	const dot = n.dot ? svg("circle", { cx: n.dot.x, cy: n.dot.y, r: 4 }) : null;
	if (dot) g.append(dot);
	return { g, lines, dot };
}

function updateNode(parts, n) {
	n.text.forEach((line, i) => {
		if (parts.lines[i].textContent !== line.value) parts.lines[i].textContent = line.value;
	});
	parts.g.setAttribute("aria-label", n.label);
	if (parts.dot) parts.dot.setAttribute("class", "dot " + n.state);
}

// Everything up and down the stream of one node.
function connected(id, links) {
	const found = new Set([id]);
	const walk = (at, from, to) =>
		links.forEach((l) => {
			if (l[from] === at) {
				found.add(l.key);
				if (!found.has(l[to])) {
					found.add(l[to]);
					walk(l[to], from, to);
				}
			}
		});
	walk(id, "from", "to");
	walk(id, "to", "from");
	return found;
}

function trace(id) {
	const { root, nodes, links } = drawn;
	const on = id ? connected(id, links) : null;
	root.classList.toggle("tracing", Boolean(id));
	for (const [key, parts] of nodes) parts.g.classList.toggle("on", Boolean(on && on.has(key)));
	for (const l of links) l.path.classList.toggle("on", Boolean(on && on.has(l.key)));
}

function go(n) {
	const target = document.getElementById(n.goes);
	if (!target) return;
	target.dispatchEvent(new CustomEvent("shown"));
	target.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "start" });
	target.querySelector("button, summary, h3")?.focus({ preventScroll: true });
}

function listen(g, n) {
	g.addEventListener("pointerenter", () => trace(n.id));
	g.addEventListener("pointerleave", () => trace(null));
	g.addEventListener("focus", () => trace(n.id));
	g.addEventListener("blur", () => trace(null));
	if (!n.goes) return;
	g.addEventListener("click", () => go(n));
	g.addEventListener("keydown", (event) => {
		if (event.key === "Enter" || event.key === " ") {
			event.preventDefault();
			go(n);
		} else if (event.key === "Escape") {
			trace(null);
		}
	});
}

// A drop of light down the stream when records came.
function pulse(link) {
	if (calm.matches) return;
	const spark = svg("path", { class: "spark", d: link.path.getAttribute("d"), pathLength: 100 });
	spark.addEventListener("animationend", () => spark.remove());
	link.path.after(spark);
}

function build(container, plan) {
	const root = svg("svg", {
		viewBox: "0 0 " + plan.width + " " + plan.height,
		width: plan.width,
		height: plan.height,
		role: "group",
		"aria-label": t("picture_label"),
	});
	const nodes = new Map(),
		links = [];
	const streams = svg("g", { class: "links", "aria-hidden": "true" });
	for (const l of plan.links) {
		const path = svg("path", {
			class: "link" + (l.color === undefined ? "" : " c" + l.color),
			d: l.d,
			"stroke-width": l.width,
		});
		streams.append(path);
		links.push({ ...l, path });
	}
	root.append(streams);
	for (const h of plan.heads) root.append(svg("text", { class: "head", x: h.x, y: h.y }, h.value));
	for (const n of plan.nodes) {
		const parts = drawNode(n);
		listen(parts.g, n);
		nodes.set(n.id, parts);
		root.append(parts.g);
	}
	container.replaceChildren(root);
	return { root, nodes, links, applied: new Map() };
}

export function drawPicture(container, model) {
	const width = Math.floor(container.clientWidth);
	if (width < 200) return;
	const plan = layout(model, width, getComputedStyle(document.body).fontFamily);
	const signature = JSON.stringify([
		width,
		lang(),
		plan.nodes.map((n) => [n.id, n.text.length, n.y]),
		plan.links.map((l) => l.key),
	]);
	if (!drawn || drawn.signature !== signature || !container.contains(drawn.root)) {
		drawn = build(container, plan);
		drawn.signature = signature;
	}
	for (const n of plan.nodes) updateNode(drawn.nodes.get(n.id), n);
	for (const topic of model.data) {
		const before = drawn.applied.get(topic.table);
		if (before !== undefined && topic.applied > before)
			drawn.links.filter((l) => l.topic === topic.table).forEach(pulse);
		drawn.applied.set(topic.table, topic.applied);
	}
}
