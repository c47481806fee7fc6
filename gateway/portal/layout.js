// Where everything stands in the picture. Pure: a model and a width in, nodes and links out.
import { number } from "./dom.js";
import { both, count as counted, entityName, longName, shortName, t } from "./texts.js";

const NARROW = 900; // px
const canvas = document.createElement("canvas").getContext("2d");

// Words on at most `most` lines of a width; what does not fit ends in an ellipsis.
function wrap(text, font, width, most) {
	canvas.font = font;
	const fits = (s) => canvas.measureText(s).width <= width;
	const lines = [""];
	for (const word of text.split(/\s+/)) {
		const longer = (lines.at(-1) + " " + word).trim();
		if (fits(longer) || lines.at(-1) === "") lines[lines.length - 1] = longer;
		else lines.push(word);
	}
	const cut = lines.length > most;
	lines.length = Math.min(lines.length, most);
	return lines.map((line, i) => {
		let s = line,
			more = cut && i === most - 1;
		while (s.length > 1 && !fits(s + (more ? "…" : ""))) {
			s = s.slice(0, -1).trimEnd();
			more = true;
		}
		return more ? s + "…" : s;
	});
}

const stateOf = (x) => (x.gaps > 0 || x.undecodable > 0 || x.damaged ? "bad" : x.behind > 0 ? "late" : "ok");

function words(values) {
	return values.filter(Boolean).join(", ");
}

function opdNode(o, x, y, w, h, family) {
	const sub =
		o.behind > 0
			? t("behind", { n: number(o.behind) })
			: o.refused > 0
				? t("refused", { n: number(o.refused) })
				: t("refused_none");
	const text = [{ class: "name", x: x + 16, y: y + 23, value: shortName(o.opd) }];
	wrap(longName(o.opd), "12px " + family, w - 28, 1).forEach((value) =>
		text.push({ class: "sub", x: x + 16, y: y + 40, value }),
	);
	text.push({ class: "sub", x: x + 16, y: y + 57, value: sub });
	return {
		id: "o:" + o.opd,
		kind: "opd",
		x,
		y,
		w,
		h,
		color: o.color,
		text,
		goes: "q-" + o.opd,
		state: stateOf(o),
		dot: { x: x + w - 14, y: y + 18 },
		label: words([shortName(o.opd), longName(o.opd), sub]),
	};
}

function topicNode(topic, color, x, y, w, h, owner) {
	const count = number(topic.rows),
		waits = topic.behind > 0 ? t("behind", { n: number(topic.behind) }) : "";
	const name = entityName(topic.entity);
	const text = owner
		? [
				{ class: "name small", x: x + 13, y: y + 20, value: owner },
				{ class: "sub", x: x + 13, y: y + 35, value: name },
				{ class: "count small", x: x + 13, y: y + 51, value: waits || count },
			]
		: [
				{ class: "name small", x: x + 14, y: y + 20, value: name },
				{ class: "count", x: x + 14, y: y + 39, value: count },
				{ class: "sub late", x: x + w - 10, y: y + 39, end: true, value: waits },
			];
	return {
		id: "t:" + topic.table,
		kind: "topic",
		x,
		y,
		w,
		h,
		color,
		text,
		state: stateOf(topic),
		dot: { x: x + w - 12, y: y + 15 },
		label: words([owner, topic.topic, count, waits]),
	};
}

function viewNode(v, x, y, w, h, family, narrow) {
	const count = v.rows === null ? t("dated") : number(v.rows);
	const title = both(v.title, v.name);
	const lines = narrow
		? wrap(title, "600 12px " + family, w - 22, 2)
		: wrap(title, "600 13px " + family, w - 92, 2);
	const step = narrow ? 15 : 17;
	const top = narrow ? y + (lines.length === 1 ? 26 : 18) : y + h / 2 + (lines.length === 1 ? 5 : -4);
	const text = lines.map((value, i) => ({
		class: narrow ? "name tiny" : "name small",
		x: x + 12,
		y: top + i * step,
		value,
	}));
	text.push(
		narrow
			? {
					class: v.rows === null ? "sub" : "count small",
					x: x + 12,
					y: top + lines.length * step + 2,
					value: count,
				}
			: {
					class: v.rows === null ? "sub" : "count",
					x: x + w - 12,
					y: y + h / 2 + 5,
					end: true,
					value: count,
				},
	);
	return {
		id: "v:" + v.name,
		kind: "view",
		x,
		y,
		w,
		h,
		text,
		goes: "v-" + v.name,
		label: words([title, count]),
	};
}

function readerNode(r, self, x, y, w, h, family) {
	const following = r.views.reduce((n, v) => n + v.following, 0);
	const sees = counted("sees", r.views.length, number(r.views.length));
	const sub = following > 0 ? t("follows", { n: number(following) }) : sees;
	const name = r.reader + (r.reader === self ? " (" + t("you") + ")" : "");
	return {
		id: "r:" + r.reader,
		kind: "reader",
		x,
		y,
		w,
		h,
		text: [
			{
				class: "name small",
				x: x + 14,
				y: y + h / 2 - 4,
				value: wrap(name, "600 13px " + family, w - 24, 1)[0],
			},
			{
				class: following > 0 ? "sub good" : "sub",
				x: x + 14,
				y: y + h / 2 + 14,
				value: sub,
			},
		],
		label: words([name, sees, following > 0 ? sub : ""]),
	};
}

// Heights one below the other, filling the whole: the y of each.
function spread(heights, whole, top, widest = Infinity) {
	const used = heights.reduce((a, b) => a + b, 0);
	const gap = heights.length > 1 ? Math.min((whole - used) / (heights.length - 1), widest) : 0;
	let y = top + (whole - used - gap * (heights.length - 1)) / 2;
	return heights.map((h) => {
		const at = y;
		y += h + gap;
		return at;
	});
}

// Links get their places on the sides of their nodes in the order of what is at the other end.
function connect(nodes, wanted, down) {
	const node = new Map(nodes.map((n) => [n.id, n]));
	const links = wanted
		.filter((l) => node.has(l.from) && node.has(l.to))
		.map((l) => ({ ...l, key: l.from + ">" + l.to }));
	const place = (side, other, end) => {
		for (const n of nodes) {
			const mine = links
				.filter((l) => l[side] === n.id)
				.sort((a, b) => node.get(a[other]).y - node.get(b[other]).y);
			const span = Math.min(
				n.h - 16,
				mine.reduce((s, l) => s + l.width + 2, 0),
			);
			mine.forEach((l, i) => {
				l[end] =
					n.y +
					n.h / 2 +
					(mine.length > 1 ? (i / (mine.length - 1) - 0.5) * span : 0);
			});
		}
	};
	place("from", "to", "y1");
	place("to", "from", "y2");
	for (const l of links) {
		const a = node.get(l.from),
			b = node.get(l.to);
		if (down && b.kind === "reader") {
			const x1 = a.x + a.w / 2,
				y1 = a.y + a.h,
				x2 = b.x + b.w / 2,
				y2 = b.y,
				m = (y1 + y2) / 2;
			l.d = `M${x1} ${y1}C${x1} ${m} ${x2} ${m} ${x2} ${y2}`;
		} else {
			const x1 = a.x + a.w,
				x2 = b.x,
				m = (x1 + x2) / 2;
			l.d = `M${x1} ${l.y1}C${m} ${l.y1} ${m} ${l.y2} ${x2} ${l.y2}`;
		}
	}
	return links;
}

const thickness = (n, most) => 2.5 + 11 * Math.sqrt(n / Math.max(most, 1));

function topicLinks(model, width) {
	return model.views.flatMap((v) =>
		v.from.map((topic) => ({
			from: "t:" + topic.table,
			to: "v:" + v.name,
			color: model.color[topic.opd],
			width,
			topic: topic.table,
		})),
	);
}

function wide(model, width, family) {
	const w = [0.195, 0.14, 0.31, 0.135].map((share) => Math.round(width * share));
	const gap = (width - w.reduce((a, b) => a + b, 0) - 2) / 3;
	const x = w.map((_, i) => 1 + w.slice(0, i).reduce((a, b) => a + b, 0) + i * gap);
	const top = 36,
		hOpd = 68,
		hTopic = 48,
		hView = 50,
		hReader = 54,
		between = 8;
	const groups = model.opds.map((o) => Math.max(hOpd, o.topics.length * (hTopic + between) - between));
	const whole = Math.max(
		groups.reduce((a, b) => a + b + 12, -12),
		model.views.length * (hView + 12) - 12,
		model.readers.length * (hReader + 12) - 12,
	);
	const nodes = [];
	const yGroup = spread(groups, whole, top);
	model.opds.forEach((o, i) => {
		nodes.push(opdNode(o, x[0], yGroup[i] + (groups[i] - hOpd) / 2, w[0], hOpd, family));
		const block = o.topics.length * (hTopic + between) - between;
		o.topics.forEach((topic, k) =>
			nodes.push(
				topicNode(
					topic,
					o.color,
					x[1],
					yGroup[i] + (groups[i] - block) / 2 + k * (hTopic + between),
					w[1],
					hTopic,
				),
			),
		);
	});
	const yView = spread(
		model.views.map(() => hView),
		whole,
		top,
	);
	model.views.forEach((v, i) => nodes.push(viewNode(v, x[2], yView[i], w[2], hView, family)));
	const yReader = spread(
		model.readers.map(() => hReader),
		whole,
		top,
		60,
	);
	model.readers.forEach((r, i) =>
		nodes.push(readerNode(r, model.reader, x[3], yReader[i], w[3], hReader, family)),
	);
	const most = Math.max(...model.data.map((topic) => topic.rows), 1);
	const links = connect(nodes, [
		...model.views.flatMap((v) =>
			v.readers.map((r) => ({ from: "v:" + v.name, to: "r:" + r.reader, width: 1.6 })),
		),
		...topicLinks(model, 2.4),
		...model.data.map((topic) => ({
			from: "o:" + topic.opd,
			to: "t:" + topic.table,
			color: model.color[topic.opd],
			width: thickness(topic.rows, most),
			topic: topic.table,
		})),
	]);
	const heads = ["col_opd", "col_topic", "col_view", "col_reader"].map((key, i) => ({
		x: x[i] + 2,
		y: 16,
		value: t(key),
	}));
	return { width, height: top + whole + 4, nodes, links, heads };
}

function narrow(model, width, family) {
	const wTopic = Math.round(width * 0.34),
		wView = Math.round(width * 0.5),
		xView = width - wView - 1;
	const top = 30,
		hTopic = 60,
		hView = 60,
		hReader = 52,
		across = Math.max(1, Math.min(3, model.readers.length));
	const whole = Math.max(model.data.length * (hTopic + 8) - 8, model.views.length * (hView + 8) - 8);
	const nodes = [];
	const yTopic = spread(
		model.data.map(() => hTopic),
		whole,
		top,
	);
	model.data.forEach((topic, i) =>
		nodes.push(
			topicNode(
				topic,
				model.color[topic.opd],
				1,
				yTopic[i],
				wTopic,
				hTopic,
				shortName(topic.opd),
			),
		),
	);
	const yView = spread(
		model.views.map(() => hView),
		whole,
		top,
	);
	model.views.forEach((v, i) => nodes.push(viewNode(v, xView, yView[i], wView, hView, family, true)));
	const under = top + whole + 64,
		wReader = (width - 2 - 8 * (across - 1)) / across;
	model.readers.forEach((r, i) =>
		nodes.push(
			readerNode(
				r,
				model.reader,
				1 + (i % across) * (wReader + 8),
				under + Math.floor(i / across) * (hReader + 8),
				wReader,
				hReader,
				family,
			),
		),
	);
	const last = model.views.at(-1);
	const links = connect(
		nodes,
		[
			...topicLinks(model, 2.2),
			...(last
				? model.readers
						.slice(0, across)
						.map((r) => ({
							from: "v:" + last.name,
							to: "r:" + r.reader,
							width:
								thickness(
									r.views.length,
									model.views.length,
								) / 2,
						}))
				: []),
		],
		true,
	);
	const heads = [
		{ x: 2, y: 14, value: t("col_topic") },
		{ x: xView + 2, y: 14, value: t("col_view") },
		{ x: 2, y: under - 10, value: t("col_reader") },
	];
	const rows = Math.ceil(model.readers.length / across);
	return { width, height: under + rows * (hReader + 8) + 2, nodes, links, heads };
}

export const layout = (model, width, family) => (width < NARROW ? narrow : wide)(model, width, family);
