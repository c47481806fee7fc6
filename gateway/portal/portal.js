// The page's life: the key, the language, and a look at the city every two seconds.
import { drawAdapters } from "./adapters.js";
import { get, key, Refusal, setKey, takeKeyFromAddress } from "./api.js";
import { byId, clock, el, number, percent } from "./dom.js";
import { modelOf } from "./model.js";
import { drawPicture } from "./picture.js";
import { drawQuality } from "./quality.js";
import { drawTables } from "./tables.js";
import { lang, setLang, t } from "./texts.js";
import { drawViews } from "./views.js";

const PACE = 2000; // ms between looks
const PACE_HIDDEN = 30000;
const PACE_MAX = 30000; // after failures

let who = null; // {reader, status}
let seen = null; // the last model
let failures = 0;
let timer = 0;
let looks = 0; // the newest one counts; an older one that comes back late is dropped

function translate() {
	document.documentElement.lang = lang();
	document.title = t("title");
	for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
	byId("language").textContent = t("other_language");
	byId("language").lang = lang() === "en" ? "id" : "en";
	byId("leave").textContent = who ? t("leave", { reader: who.reader }) : "";
}

function figure(name, value, className) {
	return el("div", { class: className }, el("dt", {}, t(name)), el("dd", {}, value));
}

function drawSummary(m) {
	byId("summary").textContent = who.status
		? t("summary", {
				opds: number(m.opds.length),
				records: number(m.records),
				views: number(m.views.length),
				readers: number(m.readers.length),
			})
		: t("summary_reader", { views: number(m.views.length) });
	const figures = byId("figures");
	figures.hidden = !who.status;
	if (!who.status) return;
	const state = !m.caughtUp ? "state_loading" : m.behind > 0 || !m.idle ? "state_late" : "state_ok";
	figures.replaceChildren(
		figure("fig_state", t(state), state === "state_ok" ? "good" : "late"),
		figure("fig_records", number(m.records)),
		figure("fig_behind", number(m.behind), m.behind > 0 ? "late" : ""),
		figure("fig_accepted", percent(m.accepted, m.offered)),
		figure("fig_following", number(m.following)),
	);
}

function draw() {
	byId("glance").hidden = byId("adapters").hidden = byId("quality").hidden = !who.status;
	drawSummary(seen);
	if (who.status) {
		drawPicture(byId("picture"), seen);
		drawTables(byId("table-body"), seen, byId("tables").open);
		drawAdapters(byId("adapters-body"), seen);
		drawQuality(byId("quality-body"), seen);
	}
	drawViews(byId("views-body"), seen);
}

function live(ok) {
	const node = byId("live"),
		text = ok ? t("live_ok", { time: clock(new Date()) }) : t("live_lost");
	node.hidden = false;
	node.classList.toggle("lost", !ok);
	/* A clock that is read out every two seconds would be noise: only a change of state is announced. */
	node.setAttribute("aria-live", ok && failures === 0 ? "off" : "polite");
	node.textContent = text;
}

function showDoor(error) {
	clearTimeout(timer);
	looks++;
	setKey(null);
	who = seen = null;
	byId("city").hidden = byId("live").hidden = byId("leave").hidden = true;
	byId("door").hidden = false;
	byId("door-error").textContent = error || "";
	byId("key").value = "";
	byId("key").focus();
}

async function look() {
	clearTimeout(timer);
	if (!key()) return;
	const turn = ++looks;
	try {
		const self = who || (await get("/v1/whoami"));
		if (turn !== looks) return; // left meanwhile: there is no key to ask with
		const [views, topics, quality, readers, adapters] = await Promise.all([
			get("/v1/views"),
			...(self.status
				? ["/v1/topics", "/v1/quality", "/v1/readers", "/v1/adapters"].map((path) => get(path))
				: []),
		]);
		if (turn !== looks) return;
		who = self;
		seen = modelOf(who.reader, views, topics, quality, readers, adapters);
		const first = byId("city").hidden;
		byId("door").hidden = true;
		byId("city").hidden = byId("leave").hidden = false;
		live(true);
		failures = 0;
		if (first) translate();
		draw();
	} catch (e) {
		if (turn !== looks) return;
		if (e instanceof Refusal && e.status === 401) {
			showDoor(t("key_wrong"));
			return;
		}
		if (!(e instanceof Refusal) && !(e instanceof TypeError) && !(e instanceof DOMException))
			throw e; // a mistake of ours belongs in the console
		failures++;
		live(false);
	}
	const pace = document.hidden ? PACE_HIDDEN : Math.min(PACE * 2 ** failures, PACE_MAX);
	timer = setTimeout(look, pace);
}

function start() {
	takeKeyFromAddress();
	translate();
	byId("language").addEventListener("click", () => {
		setLang(lang() === "en" ? "id" : "en");
		history.replaceState(null, "", location.pathname);
		translate();
		if (seen) draw();
	});
	byId("leave").addEventListener("click", () => showDoor());
	byId("door-form").addEventListener("submit", (event) => {
		event.preventDefault();
		const given = byId("key").value.trim();
		byId("door-error").textContent = given ? "" : t("key_empty");
		if (given) {
			setKey(given);
			look();
		}
	});
	byId("tables").addEventListener(
		"toggle",
		() => seen && drawTables(byId("table-body"), seen, byId("tables").open),
	);
	document.addEventListener("visibilitychange", () => document.hidden || look());
	window.addEventListener("hashchange", () => {
		takeKeyFromAddress();
		who = seen = null;
		look();
	});
	new ResizeObserver(() =>
		requestAnimationFrame(() => seen && who.status && drawPicture(byId("picture"), seen)),
	).observe(byId("picture"));
	if (key()) look();
	else showDoor();
}

start();
