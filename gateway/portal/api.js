// Talking to the gateway with the reader's key. The key lives in this tab only and is never part of a URL.
import { lang } from "./texts.js";

const STORE = "titian.key";
const PATIENCE = 15000; // ms
export const FILE_PATIENCE = 600000; // for a whole view

export const key = () => sessionStorage.getItem(STORE);
export const setKey = (value) =>
	value ? sessionStorage.setItem(STORE, value) : sessionStorage.removeItem(STORE);

// A key given as #key=... goes into the tab's store and out of the address, before anything is asked.
export function takeKeyFromAddress() {
	const given = new URLSearchParams(location.hash.slice(1)).get("key");
	if (given === null) return;
	setKey(given);
	history.replaceState(null, "", location.pathname + location.search);
}

export class Refusal extends Error {
	constructor(status, problem) {
		super(
			problem.detail
				? problem.title + " (" + problem.detail + ")"
				: problem.title || "HTTP " + status,
		);
		this.status = status;
	}
}

export async function ask(path, accept = "application/json", patience = PATIENCE) {
	const answer = await fetch(path, {
		headers: { Authorization: "Bearer " + key(), Accept: accept, "Accept-Language": lang() },
		cache: "no-store",
		signal: AbortSignal.timeout(patience),
	});
	if (!answer.ok) throw new Refusal(answer.status, await answer.json().catch(() => ({})));
	return answer;
}

export const get = async (path) => (await ask(path)).json();

// The target of Link: <...>; rel="next", or null.
export function nextOf(answer) {
	const found = /<([^>]*)>;\s*rel="next"/.exec(answer.headers.get("Link") || "");
	return found ? found[1] : null;
}
