// The reference page: the OpenAPI document of whoever looks (with a key in this tab: with their views), each
// operation with its parameters, answers, and a program in four languages.
import { ask, key } from "./api.js";
import { byId, el, today } from "./dom.js";
import { givenOf, operationsOf, samplesOf } from "./samples.js";
import { lang, setLang, t } from "./texts.js";

let doc = null;
let language = "curl";

// What stands between backticks is code: that is all the Markdown of the document's texts.
function prose(text) {
	return text.split("`").map((part, i) => (i % 2 ? el("code", {}, part) : part));
}

function parameters(operation) {
	if (!operation.parameters.length) return null;
	return el(
		"table",
		{},
		el("caption", { class: "soft" }, t("reference_parameters")),
		el(
			"tbody",
			{},
			operation.parameters.map((p) =>
				el(
					"tr",
					{},
					el("th", { scope: "row" }, p.name),
					el("td", { class: "soft" }, p.in + (p.required ? " · " + t("reference_required") : "")),
					el("td", {}, prose(p.description || "")),
				),
			),
		),
	);
}

function answers(operation) {
	return el(
		"table",
		{},
		el("caption", { class: "soft" }, t("reference_answers")),
		el(
			"tbody",
			{},
			operation.answers.map(([status, a]) =>
				el(
					"tr",
					{},
					el("th", { scope: "row" }, status),
					el("td", {}, prose(a.description || "")),
					el("td", { class: "soft" }, Object.keys(a.content || {}).join(", ")),
				),
			),
		),
	);
}

function samples(operation) {
	const code = samplesOf(operation, location.origin, givenOf(doc, operation, today()));
	const text = el("code", { tabindex: 0 });
	const show = () => {
		text.textContent = code[language];
		for (const b of buttons) b.setAttribute("aria-pressed", String(b.textContent === language));
	};
	const buttons = Object.keys(code).map((name) =>
		el(
			"button",
			{
				type: "button",
				onclick: () => {
					language = name;
					show();
				},
			},
			name,
		),
	);
	const copy = el(
		"button",
		{
			type: "button",
			class: "quiet",
			onclick: async () => {
				await navigator.clipboard.writeText(code[language]);
				copy.textContent = t("copied");
			},
		},
		t("copy"),
	);
	show();
	return [el("div", { class: "pick" }, buttons, copy), el("pre", {}, text)];
}

function card(operation) {
	const body = el("div");
	return el(
		"details",
		{
			class: "operation",
			id: operation.id,
			ontoggle: (event) => {
				if (event.target.open && !body.hasChildNodes())
					body.append(
						...[operation.description && el("p", {}, prose(operation.description)), parameters(operation), answers(operation)].filter(Boolean),
						...samples(operation),
					);
			},
		},
		el(
			"summary",
			{},
			el("span", { class: "method" }, operation.method),
			" ",
			el("span", { class: "path" }, operation.path),
			" ",
			el("span", {}, prose(operation.summary || "")),
		),
		body,
	);
}

function draw() {
	const wanted = byId("search").value.trim().toLowerCase();
	const groups = new Map();
	for (const o of operationsOf(doc)) {
		if (wanted && !(o.path + " " + o.summary + " " + o.tag).toLowerCase().includes(wanted)) continue;
		groups.set(o.tag, [...(groups.get(o.tag) || []), o]);
	}
	byId("operations").replaceChildren(
		...[...groups].map(([tag, list]) => el("section", { "aria-label": tag }, el("h2", {}, tag), list.map(card))),
	);
	if (location.hash) document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
}

async function load() {
	document.documentElement.lang = lang();
	document.title = "Titian · " + t("reference");
	for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
	byId("language").textContent = t("other_language");
	byId("whose").textContent = t(key() ? "reference_yours" : "reference_general");
	try {
		const answer = key()
			? await ask("/v1/openapi.json")
			: await fetch("/v1/openapi.json", { headers: { "Accept-Language": lang() } });
		doc = await answer.json();
		byId("about").replaceChildren(...prose(doc.info.description));
		draw();
	} catch (e) {
		byId("problem").textContent = t("failed", { why: e.message });
	}
}

byId("search").addEventListener("input", () => doc && draw());
byId("language").addEventListener("click", () => {
	setLang(lang() === "id" ? "en" : "id");
	load();
});
load();
