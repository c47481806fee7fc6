// The views, each with a look inside: rows as granted, the day for dated ones, CSV, a curl line.
import { FILE_PATIENCE, ask, nextOf } from "./api.js";
import { el, number, today } from "./dom.js";
import { both, count, lang, shortName, t } from "./texts.js";

const ROWS = 20;
const PSEUDONYM = /^[0-9a-f]{32}$/; // long and telling nobody anything: its start is enough to see
const cards = new Map(); // name -> card
let drawnFor = "";

const personal = (column) => "USA".includes(column.pdp);

function query(card, more) {
	const q = new URLSearchParams(more);
	if (card.view.dated) q.set("per_tanggal", card.date.value);
	return "/v1/views/" + card.view.name + (q.size ? "?" + q : "");
}

function cell(value, column) {
	if (column.masked && value !== null)
		return el("td", { class: "masked", title: t("masked_long") }, String(value));
	if (value === null)
		return el(
			"td",
			{
				class: column.masked ? "masked" : "none",
				title: column.masked ? t("masked_long") : null,
			},
			column.masked ? "•••" : "–",
		);
	if (typeof value === "number") return el("td", { class: "n" }, number(value));
	if (typeof value === "boolean") return el("td", {}, t(value ? "yes" : "no"));
	if (typeof value === "object") return el("td", {}, JSON.stringify(value));
	if (PSEUDONYM.test(value)) return el("td", { class: "code", title: value }, value.slice(0, 8) + "…");
	return el("td", {}, value);
}

function table(view, rows) {
	const shown = rows.length ? view.columns.filter((c) => c.name in rows[0]) : view.columns;
	return el(
		"table",
		{},
		el(
			"caption",
			{},
			both(view.title, view.name) +
				": " +
				count("caption", rows.length, number(rows.length)),
		),
		el(
			"thead",
			{},
			el(
				"tr",
				{},
				shown.map((c) =>
					el(
						"th",
						{
							scope: "col",
							class: ["integer", "number"].includes(c.type)
								? "n"
								: "",
						},
						both(c.title, c.name),
						c.masked ? el("span", { class: "tag" }, t("masked")) : null,
					),
				),
			),
		),
		el(
			"tbody",
			{},
			rows.length
				? rows.map((row) =>
						el(
							"tr",
							{},
							shown.map((c) => cell(row[c.name], c)),
						),
					)
				: el(
						"tr",
						{},
						el(
							"td",
							{ colspan: shown.length, class: "none" },
							t("empty"),
						),
					),
		),
	);
}

async function load(card, path) {
	const turn = ++card.turn;
	card.path = path;
	try {
		const answer = await ask(path);
		const rows = await answer.json();
		if (turn !== card.turn) return; // a newer question has been asked
		const next = nextOf(answer);
		card.more.hidden = !next;
		card.more.onclick = () => load(card, next);
		card.back.hidden = !new URLSearchParams(path.split("?")[1]).has("after");
		card.inside.replaceChildren(table(card.view, rows));
	} catch (e) {
		if (turn === card.turn)
			card.inside.replaceChildren(
				el("p", { class: "bad", role: "alert" }, t("failed", { why: e.message })),
			);
	}
}

const loadFirst = (card) => load(card, query(card, { limit: ROWS }));

// A whole view as a file. Spreadsheets get XLSX: opening CSV they would eat the digits of long numbers.
const TYPES = {
	csv: "text/csv",
	xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	parquet: "application/vnd.apache.parquet",
};

async function download(card, kind) {
	try {
		const blob = await (await ask(query(card, {}), TYPES[kind], FILE_PATIENCE)).blob();
		const link = el("a", {
			href: URL.createObjectURL(blob),
			download: card.view.name + "." + kind,
		});
		link.click();
		setTimeout(() => URL.revokeObjectURL(link.href), 10000);
	} catch (e) {
		card.inside.prepend(
			el("p", { class: "bad", role: "alert" }, t("failed", { why: e.message })),
		);
	}
}

const curl = (card) => `curl -H "Authorization: Bearer $TITIAN_KEY" "${location.origin}${query(card, {})}"`;

async function copy(card, button) {
	await navigator.clipboard.writeText(curl(card));
	button.textContent = t("copied");
	setTimeout(() => (button.textContent = t("copy")), 2000);
}

function panel(card) {
	const id = "in-" + card.view.name,
		dateId = "d-" + card.view.name;
	card.inside = el("div", {
		class: "scroll",
		tabindex: 0,
		role: "region",
		"aria-label": both(card.view.title, card.view.name),
	});
	card.more = el("button", { type: "button", hidden: true }, t("next"));
	card.back = el(
		"button",
		{ type: "button", hidden: true, onclick: () => loadFirst(card) },
		t("first"),
	);
	card.curl = el("code", { tabindex: 0 });
	card.date = el("input", {
		type: "date",
		id: dateId,
		value: card.day,
		min: "1945-01-01",
		onchange: (event) => {
			if (!event.target.value) return;
			card.day = event.target.value;
			card.curl.textContent = curl(card);
			loadFirst(card);
		},
	});
	card.curl.textContent = curl(card);
	const copyButton = el(
		"button",
		{ type: "button", class: "quiet", onclick: () => copy(card, copyButton) },
		t("copy"),
	);
	return el(
		"div",
		{ class: "panel", id },
		el(
			"div",
			{ class: "row" },
			card.view.dated ? el("label", { for: dateId }, t("per_date")) : null,
			card.view.dated ? card.date : null,
			Object.keys(TYPES).map((kind) =>
				el("button", { type: "button", onclick: () => download(card, kind) }, t(kind)),
			),
		),
		card.inside,
		el("div", { class: "row" }, card.back, card.more),
		el("p", { class: "soft label" }, t("curl_label")),
		el("div", { class: "curl" }, card.curl, copyButton),
	);
}

function setOpen(card, open) {
	card.open = open;
	card.button.setAttribute("aria-expanded", String(open));
	card.button.textContent = t(open ? "close" : "open");
	card.button.setAttribute(
		"aria-label",
		t(open ? "close" : "open") + ": " + both(card.view.title, card.view.name),
	);
	card.node.querySelector(".panel")?.remove();
	card.node.classList.toggle("open", open);
	if (!open) return;
	card.node.append(panel(card));
	loadFirst(card);
}

function makeCard(view, model, old) {
	const card = { view, turn: 0, day: old ? old.day : today(), open: false };
	card.rows = el("span", { class: "rows" });
	card.button = el("button", {
		type: "button",
		"aria-expanded": "false",
		onclick: () => setOpen(card, !card.open),
	});
	card.node = el(
		"article",
		{ class: "view", id: "v-" + view.name, onshown: () => card.open || setOpen(card, true) },
		el(
			"div",
			{ class: "title" },
			el("h3", {}, both(view.title, view.name)),
			el("p", { class: "soft" }, both(view.about, "")),
			el(
				"p",
				{ class: "chips" },
				view.opds.map((opd) =>
					el(
						"span",
						{ class: "chip" },
						el("span", {
							class: "edge c" + model.color[opd],
							"aria-hidden": "true",
						}),
						shortName(opd),
					),
				),
				view.columns.some(personal)
					? el("span", { class: "tag" }, t("personal"))
					: null,
			),
		),
		el("div", { class: "side" }, card.rows, card.button),
	);
	setOpen(card, Boolean(old && old.open));
	return card;
}

export function drawViews(node, model) {
	const now = JSON.stringify([
		lang(),
		model.reader,
		model.views.map((v) => [v.name, v.columns, v.opds]),
	]);
	if (now !== drawnFor) {
		const fresh = model.views.map((v) => makeCard(v, model, cards.get(v.name)));
		cards.clear();
		fresh.forEach((card) => cards.set(card.view.name, card));
		node.replaceChildren(...fresh.map((card) => card.node));
		drawnFor = now;
	}
	for (const view of model.views) {
		const card = cards.get(view.name),
			changed = card.view.newest !== view.newest;
		card.view = view;
		card.rows.textContent =
			view.rows === null ? t("dated") : count("rows", view.rows, number(view.rows));
		// What is looked at stays current.
		if (changed && card.open && !document.hidden) load(card, card.path);
	}
}
