// What an operation of the OpenAPI document looks like in curl, Python, PHP and JavaScript: complete programs that
// need nothing installed beside the language. Pure functions: no page, no network. The key comes from TITIAN_KEY.

const deref = (doc, node) => {
	while (node && node.$ref) node = node.$ref.slice(2).split("/").reduce((at, part) => at[part], doc);
	return node;
};

// Every operation, in the document's order: what it is for, and an example of asking.
export function operationsOf(doc) {
	const found = [];
	for (const [path, methods] of Object.entries(doc.paths))
		for (const [method, operation] of Object.entries(methods)) {
			const parameters = (operation.parameters || []).map((p) => deref(doc, p));
			const answers = Object.entries(operation.responses).map(([status, a]) => [status, deref(doc, a)]);
			const good = answers.find(([status]) => status[0] === "2");
			const types = Object.keys((good && good[1].content) || {});
			found.push({
				id: operation.operationId,
				tag: operation.tags[0],
				method: method.toUpperCase(),
				path,
				summary: operation.summary,
				description: operation.description,
				open: Boolean(operation.security && !operation.security.length),
				parameters,
				answers,
				types,
				body: bodyOf(doc, operation.requestBody),
			});
		}
	return found;
}

function bodyOf(doc, request) {
	if (!request) return null;
	const [type, content] = Object.entries(request.content)[0];
	const schema = deref(doc, content.schema) || {};
	return { type, example: schema.example === undefined ? "" : schema.example };
}

// What is known of this reader's own views: the first that needs no day, and the day where one is needed.
export function givenOf(doc, operation, day) {
	const dated = (m) => m.get.parameters.map((p) => deref(doc, p)).some((p) => p.name === "per_tanggal" && p.required);
	const own = Object.entries(doc.paths).filter(([path, m]) => m.get && m.get.operationId === "rows_" + path.split("/")[3]);
	const found = own.find(([, m]) => !dated(m)) || own[0];
	const view = found && found[0].split("/")[3];
	const needsDay = operation.parameters.some((p) => p.name === "per_tanggal" && p.required);
	return { view, views: view, per_tanggal: needsDay ? day : undefined };
}

// The address: required parameters only, from their example. given: values by name that are better known.
export function addressOf(operation, origin, given = {}) {
	const query = new URLSearchParams();
	let path = operation.path;
	for (const p of operation.parameters) {
		const value = given[p.name] ?? p.example ?? p.schema?.example ?? p.schema?.default;
		if (p.in === "path") path = path.replace("{" + p.name + "}", encodeURIComponent(value ?? p.name.toUpperCase()));
		else if (p.in === "query" && (p.required || given[p.name] !== undefined)) query.set(p.name, value ?? "");
	}
	if (operation.types.includes("text/event-stream")) query.set("until", "now");
	return origin + path + (query.size ? "?" + query : "");
}

const acceptOf = (operation) =>
	operation.types.includes("text/event-stream") && operation.types.includes("application/x-ndjson")
		? "application/x-ndjson"
		: operation.types[0] || "*/*";

const bodyText = (body) => (typeof body.example === "string" ? body.example : JSON.stringify(body.example));
// Examples name a view that everybody's document may lack: the reader's own stands in its place.
const withView = (body, view) =>
	body && view && typeof body.example === "object" && "view" in body.example
		? { ...body, example: { ...body.example, view } }
		: body;

const shell = (text) => "'" + text.replaceAll("'", "'\\''") + "'";
const quoted = (text) => JSON.stringify(text);
const php = (text) => "'" + text.replaceAll("\\", "\\\\").replaceAll("'", "\\'") + "'";

function curl(o, url) {
	const lines = ["curl --fail-with-body " + (o.method === "GET" ? "" : "-X " + o.method + " ") + shell(url)];
	if (!o.open) lines.push('-H "Authorization: Bearer $TITIAN_KEY"');
	lines.push("-H " + shell("Accept: " + acceptOf(o)));
	if (o.body) lines.push("-H " + shell("Content-Type: " + o.body.type), "--data-binary " + shell(bodyText(o.body)));
	return lines.join(" \\\n  ");
}

function headersOf(o, key, text, arrow) {
	const list = [[text("Accept"), text(acceptOf(o))]];
	if (!o.open) list.unshift([text("Authorization"), key]);
	if (o.body) list.push([text("Content-Type"), text(o.body.type)]);
	return list.map(([name, value]) => name + arrow + value);
}

function python(o, url) {
	const headers = headersOf(o, '"Bearer " + os.environ["TITIAN_KEY"]', quoted, ": ");
	return [
		"import os",
		"import urllib.request",
		"",
		"request = urllib.request.Request(",
		"    " + quoted(url) + ",",
		"    method=" + quoted(o.method) + ",",
		...(o.body ? ["    data=" + quoted(bodyText(o.body)) + '.encode("utf-8"),'] : []),
		"    headers={" + headers.join(",\n             ") + "},",
		")",
		"with urllib.request.urlopen(request) as answer:",
		"    for line in answer:",
		'        print(line.decode("utf-8", "replace"), end="")',
	].join("\n");
}

function phpCode(o, url) {
	const headers = headersOf(o, "'Bearer ' . getenv('TITIAN_KEY')", php, ": ").map((h) => {
		const [name, ...rest] = h.split(": ");
		return name.slice(0, -1) + ": ' . " + rest.join(": ");
	});
	return [
		"<?php",
		"$context = stream_context_create(['http' => [",
		"    'method' => " + php(o.method) + ",",
		"    'header' => [" + headers.join(",\n                 ") + "],",
		...(o.body ? ["    'content' => " + php(bodyText(o.body)) + ","] : []),
		"]]);",
		"$answer = fopen(" + php(url) + ", 'r', false, $context);",
		"if (!$answer) exit(1);",
		"while (($line = fgets($answer)) !== false) {",
		"    echo $line;",
		"}",
	].join("\n");
}

function javascript(o, url) {
	const headers = headersOf(o, "`Bearer ${process.env.TITIAN_KEY}`", quoted, ": ");
	return [
		"const answer = await fetch(" + quoted(url) + ", {",
		"  method: " + quoted(o.method) + ",",
		"  headers: { " + headers.join(",\n             ") + " },",
		...(o.body ? ["  body: " + quoted(bodyText(o.body)) + ","] : []),
		"});",
		"if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);",
		"console.log(await answer.text());",
	].join("\n");
}

// given: as addressOf.
export function samplesOf(asked, origin, given = {}) {
	const operation = { ...asked, body: withView(asked.body, given.view) };
	const url = addressOf(operation, origin, given);
	return {
		curl: curl(operation, url),
		Python: python(operation, url),
		PHP: phpCode(operation, url),
		JavaScript: javascript(operation, url),
	};
}
