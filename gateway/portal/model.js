// What the page shows, from what the API answered: nodes and links of the picture, sums, order.
const SIDE = ["karantina", "berkas", "adapter"]; // topics about records, not of them

const sum = (list, f) => list.reduce((n, x) => n + f(x), 0);

export function modelOf(reader, views, state, quality, readers, adapters) {
	const all = state ? state.topics : [];
	const data = all.filter((t) => !SIDE.includes(t.entity));
	const names = [...new Set(all.map((t) => t.opd))];
	const opds = names.map((opd, color) => ({
		opd,
		color: color % 7,
		topics: data.filter((t) => t.opd === opd),
		feeds: (quality || []).filter((f) => f.opd === opd),
		behind: sum(
			all.filter((t) => t.opd === opd),
			(t) => t.behind,
		),
		refused: sum(
			(quality || []).filter((f) => f.opd === opd),
			(f) => f.ditolak,
		),
		damaged: all.some((t) => t.opd === opd && (t.gaps > 0 || t.undecodable > 0)),
	}));
	const color = Object.fromEntries(opds.map((o) => [o.opd, o.color]));
	const place = new Map(data.map((t, i) => [t.table, i]));
	const enriched = views.map((v) => {
		const from = (v.tables || []).map((table) => place.get(table)).filter((i) => i !== undefined);
		return {
			...v,
			from: from.map((i) => data[i]),
			opds: [...new Set(from.map((i) => data[i].opd))],
			readers: (readers || []).filter((r) => r.views.some((x) => x.name === v.name)),
			weight: from.length ? sum(from, (i) => i) / from.length : data.length,
		};
	});
	// Near to what they are made of: fewer crossings in the picture.
	enriched.sort((a, b) => a.weight - b.weight || a.name.localeCompare(b.name));
	return {
		reader,
		idle: state ? state.idle : true,
		caughtUp: state ? state.caught_up : true,
		topics: all,
		data,
		opds,
		color,
		views: enriched,
		readers: readers || [],
		adapters: adapters || [],
		records: sum(data, (t) => t.applied),
		behind: sum(all, (t) => t.behind),
		offered: sum(quality || [], (f) => f.baris_data),
		accepted: sum(quality || [], (f) => f.diterima),
		following: sum(readers || [], (r) => sum(r.views, (v) => v.following)),
	};
}
