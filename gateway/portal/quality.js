// Data quality, a card a department: what it offered, what was accepted, refused, and why.
import { el, number, percent, replace } from "./dom.js";
import { count, feedName, findingName, longName, lang, shortName, t } from "./texts.js";

const SHOWN = 3; // findings; the others on demand
let last = "";

function bar(feed) {
	const share = (n) =>
		feed.baris_data > 0 ? Math.max(n > 0 ? 0.6 : 0, (100 * n) / feed.baris_data) : 0;
	const node = el("div", { class: "bar", "aria-hidden": "true" });
	const joined = feed.diterima - feed.tak_tergabung;
	for (const [name, n] of [
		["ok", joined],
		["loose", feed.tak_tergabung],
		["bad", feed.ditolak],
	]) {
		const part = el("span", { class: name });
		part.style.flexGrow = String(share(n));
		if (n > 0) node.append(part);
	}
	return node;
}

function finding([name, n], feed) {
	return el(
		"li",
		{},
		el("span", {}, findingName(name)),
		el("b", {}, number(n)),
		el("span", { class: "soft share" }, percent(n, feed.baris_data)),
	);
}

function findings(feed) {
	const all = Object.entries(feed.kelas)
		.filter(([, n]) => n > 0)
		.sort((a, b) => b[1] - a[1]);
	const list = (some) =>
		el(
			"ul",
			{ class: "findings" },
			some.map((f) => finding(f, feed)),
		);
	if (all.length === 0) return el("p", { class: "soft" }, t("no_findings"));
	const rest = all.slice(SHOWN);
	return [
		list(all.slice(0, SHOWN)),
		rest.length === 0
			? null
			: el(
					"details",
					{ "data-id": feed.umpan },
					el("summary", {}, count("more", rest.length, number(rest.length))),
					list(rest),
				),
	];
}

function feedPart(feed) {
	const note =
		feed.status === "DIPROSES"
			? t("in_progress")
			: feed.status === "DITOLAK"
				? t("file_refused")
				: "";
	return el(
		"div",
		{ class: "feed" },
		el("h4", {}, feedName(feed.umpan), note ? el("span", { class: "tag late" }, note) : null),
		bar(feed),
		el(
			"p",
			{ class: "counts" },
			el("span", { class: "ok" }, el("b", {}, number(feed.diterima)), " " + t("accepted")),
			el("span", { class: "bad" }, el("b", {}, number(feed.ditolak)), " " + t("rejected")),
			feed.tak_tergabung > 0
				? el(
						"span",
						{ class: "loose" },
						el("b", {}, number(feed.tak_tergabung)),
						" " + t("loose"),
					)
				: null,
			el("span", { class: "soft" }, t("of_rows", { n: number(feed.baris_data) })),
		),
		findings(feed),
	);
}

export function drawQuality(node, model) {
	const now = JSON.stringify([lang(), model.opds.map((o) => [o.opd, o.feeds])]);
	if (now === last && node.firstChild) return;
	last = now;
	replace(
		node,
		model.opds.map((o) =>
			el(
				"article",
				{ class: "card", id: "q-" + o.opd },
				el(
					"h3",
					{ tabindex: -1 },
					el("span", { class: "edge c" + o.color, "aria-hidden": "true" }),
					shortName(o.opd),
				),
				el("p", { class: "soft under" }, longName(o.opd)),
				o.feeds.length
					? o.feeds.map(feedPart)
					: el("p", { class: "soft" }, t("no_findings")),
			),
		),
	);
}
