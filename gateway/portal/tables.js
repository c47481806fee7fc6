// The same as the picture, in tables: for screen readers, for print, for whoever likes tables.
import { el, moment, number } from "./dom.js";
import { both, entityName, shortName, t } from "./texts.js";

function table(caption, heads, rows) {
	const numeric = (i) => rows.length > 0 && typeof rows[0][i] === "number";
	return el(
		"div",
		{ class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
		el(
			"table",
			{},
			el("caption", {}, caption),
			el(
				"thead",
				{},
				el(
					"tr",
					{},
					heads.map((h, i) =>
						el(
							"th",
							{ scope: "col", class: numeric(i) ? "n" : "" },
							t(h),
						),
					),
				),
			),
			el(
				"tbody",
				{},
				rows.map((row) =>
					el(
						"tr",
						{},
						row.map((cell, i) => {
							const text =
								typeof cell === "number"
									? number(cell)
									: cell;
							return i === 0
								? el("th", { scope: "row" }, text)
								: el(
										"td",
										{
											class: numeric(i)
												? "n"
												: "",
										},
										text,
									);
						}),
					),
				),
			),
		),
	);
}

// Not made while nobody looks; print opens it.
export function drawTables(node, model, open) {
	if (!open) {
		node.replaceChildren();
		return;
	}
	const at = node.querySelector(".scroll:focus")
		? document.activeElement.getAttribute("aria-label")
		: null;
	node.replaceChildren(
		table(
			t("topics"),
			[
				"th_opd",
				"th_topic",
				"th_applied",
				"th_behind",
				"th_rows",
				"th_gaps",
				"th_undecodable",
				"th_newest",
			],
			model.topics.map((x) => [
				shortName(x.opd),
				entityName(x.entity),
				x.applied,
				x.behind,
				x.rows,
				x.gaps,
				x.undecodable,
				moment(x.newest),
			]),
		),
		table(
			t("views"),
			["th_view", "th_from", "th_rows", "th_readers"],
			model.views.map((v) => [
				both(v.title, v.name),
				v.opds.map(shortName).join(", "),
				v.rows === null ? t("dated") : number(v.rows),
				v.readers.map((r) => r.reader).join(", "),
			]),
		),
	);
	if (at) [...node.children].find((c) => c.getAttribute("aria-label") === at)?.focus();
}
