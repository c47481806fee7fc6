// A line per department: whether its adapter runs, its last record, its pace, what waits, what it refused.
import { clock, el, moment, number } from "./dom.js";
import { count, findingName, lang, shortName, t } from "./texts.js";

const SHOWN = 3; // reasons; the others as one sum
const HEADS = ["th_opd", "th_state", "th_last", "th_rate", "th_waiting", "th_spool", "th_refused"];
const NUMERIC = 3;
const MARK = { running: "ok", silent: "bad", stopped: "late", unheard: "none" };
let drawn = ""; // the language the frame is in
let last = "";

function ago(seconds) {
	if (seconds < 100) return t("ago_s", { n: number(seconds) });
	if (seconds < 6000) return t("ago_m", { n: number(Math.round(seconds / 60)) });
	if (seconds < 172800) return t("ago_h", { n: number(Math.round(seconds / 3600)) });
	return t("ago_d", { n: number(Math.round(seconds / 86400)) });
}

function size(bytes) {
	let unit = 0;
	while (bytes >= 1000 && unit < 4) {
		bytes /= 1000;
		unit++;
	}
	return number(Number(bytes.toFixed(bytes < 10 && unit > 0 ? 1 : 0))) + " " + ["B", "kB", "MB", "GB", "TB"][unit];
}

// Of today the time alone; else the day too.
function when(text) {
	const then = new Date(text);
	return Math.abs(Date.now() - then) < 43200000 ? clock(then) : moment(text);
}

function state(a) {
	const words = t("adapter_" + a.state, { time: a.heard ? when(a.heard) : "", ago: a.heard ? ago(a.heard_seconds_ago) : "" });
	return [
		el("span", { class: "mark " + MARK[a.state], "aria-hidden": "true" }),
		words,
		a.fetches_failed > 0 ? el("span", { class: "tag late" }, count("fetches_failed", a.fetches_failed, number(a.fetches_failed))) : null,
	];
}

function waiting(a) {
	return a.waiting_files > 0
		? count("waiting_files", a.waiting_files, number(a.waiting_files), { size: size(a.waiting_bytes) })
		: t("nothing");
}

function spool(a) {
	if (a.spool_limit === 0) return el("span", { class: "none" }, t("no_spool"));
	const share = Math.min(1, a.spool_bytes / a.spool_limit);
	const full = el("span", { class: share > 0.8 ? "bad" : "ok" }),
		rest = el("span", { class: "rest" });
	full.style.flexGrow = String(100 * share);
	rest.style.flexGrow = String(100 * (1 - share));
	return [
		el("div", { class: "bar small", "aria-hidden": "true" }, share > 0 ? full : null, rest),
		t("spool_of", { used: size(a.spool_bytes), limit: size(a.spool_limit) }),
	];
}

function refused(a) {
	if (a.refused === 0) return t("nothing");
	const reasons = Object.entries(a.refused_by).sort((x, y) => y[1] - x[1]);
	const rest = reasons.slice(SHOWN).reduce((n, [, of]) => n + of, 0);
	const words = reasons.slice(0, SHOWN).map(([name, n]) => findingName(name) + " " + number(n));
	if (rest > 0) words.push(t("other_reasons", { n: number(rest) }));
	return [el("b", {}, number(a.refused)), words.length ? ": " + words.join(", ") : ""];
}

function row(a) {
	const quiet = a.state === "unheard";
	const cells = quiet
		? [state(a), "–", "–", "–", "–", "–"]
		: [
				state(a),
				a.last_record ? ago(a.last_record_seconds_ago) : t("none_since", { time: when(a.began) }),
				a.state === "running" ? number(a.rows_per_second) : "–",
				waiting(a),
				spool(a),
				refused(a),
			];
	return el(
		"tr",
		{ "data-opd": a.opd, "data-state": a.state },
		el("th", { scope: "row" }, shortName(a.opd)),
		cells.map((cell, i) =>
			el("td", { class: i + 1 === NUMERIC ? "n" : i + 1 === HEADS.length - 1 ? "long" : "" }, [cell].flat()),
		),
	);
}

// The frame stays: who has scrolled it sideways, or is in it with the keyboard, remains there.
function frame(node) {
	node.replaceChildren(
		el(
			"div",
			{ class: "scroll", tabindex: 0, role: "region", "aria-label": t("adapters") },
			el(
				"table",
				{},
				el("caption", {}, t("adapters_caption")),
				el(
					"thead",
					{},
					el(
						"tr",
						{},
						HEADS.map((h, i) => el("th", { scope: "col", class: i === NUMERIC ? "n" : "" }, t(h))),
					),
				),
				el("tbody", {}),
			),
		),
	);
}

export function drawAdapters(node, model) {
	const now = JSON.stringify([lang(), model.adapters]);
	if (now === last) return;
	last = now;
	if (drawn !== lang()) frame(node);
	drawn = lang();
	node.querySelector("tbody").replaceChildren(...model.adapters.map(row));
}
