/* SPDX-License-Identifier: MIT */
/*
 * A drawn chart that somebody points at becomes one that answers: values under the cursor, the same
 * moment in all charts, zoom by dragging, back by a double click. Its data are those of the page's
 * own JSON, fetched at the first touch; the drawing and the data table stay what the server sent.
 *
 * uPlot stands before this text in the same file.
 */
(() => {
"use strict";
const STEP_HOURS = 5 / 60;
const charts = new Map(); /* drawing: uPlot */
let data = null;          /* of the shown page, a promise */

const RANGES = {"30m": 1800, "1h": 3600, "8h": 8 * 3600, "1d": 86400, "7d": 7 * 86400};

/* A canvas cannot read the variables of the style sheet, which gives them to this as properties. */
const palette = Object.assign(document.createElement("i"), {id: "palette", hidden: true});
const colour = property => () => getComputedStyle(palette)[property];
const LINE = colour("caretColor"), TEXT = colour("color"), GRID = colour("outlineColor"),
	LIMIT = colour("textDecorationColor");

function fetchData() {
	const url = new URL(location.href);

	for (const key of ["view", "tabs", "every", "refresh"])
		url.searchParams.delete(key);
	url.searchParams.set("format", "json");
	return fetch(url).then(answer => answer.ok ? answer.json() : Promise.reject(answer.status));
}

/* ---- what is shown: columns for uPlot, x first ---- */

/* CPU used = 100 - idle, the quantiles exchanged. */
function cpuUsed(idle) {
	const rest = list => list.map(value => value === null ? null : 100 - value);

	return {...idle, p10: rest(idle.p90), p50: rest(idle.p50), p90: rest(idle.p10)};
}

const faint = () => LINE().replace("rgb(", "rgba(").replace(")", ", 0.2)");

function forecast(drawing, page) {
	const name = drawing.closest("[id^=chart-]")?.id.slice("chart-".length);
	const metric = name ? page.metrics[name] : cpuUsed(page.metrics.cpu_idle_pct);
	const hours = metric.p50.map((_, i) => (i + 1) * STEP_HOURS);

	return {
		columns: [hours, metric.p10, metric.p50, metric.p90],
		series: [line("p10"), {...line("median"), width: 2}, line("p90")],
		bands: [{series: [3, 1], fill: faint}],
		x: {label: "In", value: hour => `${Math.round(hour * 60)} min`},
		axis: hour => `${+hour.toFixed(1)} h`,
		percent: metric.unit === "%",
	};
}

/* The whole range, also where there is nothing. A pause of more than two and a half intervals is not
 * bridged. Of the risk a point also tells the highest one. */
function history(page) {
	const end = Date.parse(page.generated_at) / 1000, start = end - RANGES[page.range];
	const names = page.metric === "risk" ? ["mean", "highest"] : [page.metric];
	const rows = [[start]];

	for (const point of page.points) {
		const last = rows.at(-1)[0];

		if (point[0] - last > 2.5 * page.interval_s)
			rows.push([(point[0] + last) / 2]);
		rows.push(point);
	}
	rows.push([Math.max(end, rows.at(-1)[0] + 1)]);
	return {
		columns: ["", ...names].map((_, i) => rows.map(row => row[i] ?? null)),
		series: names.map(name => ({...line(name), width: 2})),
		x: {label: "Time", value: at => timeOf("second").format(at * 1000)},
		axis: at => timeOf(RANGES[page.range] > 86400 ? "day" : "minute").format(at * 1000),
		time: true,
		percent: page.metric !== "risk",
	};
}

function timeOf(unit) {
	return new Intl.DateTimeFormat("en-GB", unit === "day" ? {day: "numeric", month: "short"} :
		{hour: "2-digit", minute: "2-digit", ...unit === "second" && {second: "2-digit"}});
}

const format = value => value === null ? "–" : value.toFixed(1);

function line(label) {
	return {label, stroke: LINE, width: 1, points: {show: false},
		value: (_, value) => format(value ?? null)};
}

/* ---- taking over ---- */

function drawLimits(chart, limits) {
	const {ctx, bbox} = chart;

	ctx.save();
	ctx.strokeStyle = ctx.fillStyle = LIMIT();
	ctx.setLineDash([6, 4]);
	ctx.textAlign = "right";
	for (const limit of limits) {
		const y = chart.valToPos(limit, "y", true);

		ctx.beginPath();
		ctx.moveTo(bbox.left, y);
		ctx.lineTo(bbox.left + bbox.width, y);
		ctx.stroke();
		ctx.fillText(limit, bbox.left + bbox.width - 4, y - 4);
	}
	ctx.restore();
}

function options(drawing, shown) {
	const limits = [...drawing.querySelectorAll("text.over")].map(text => +text.textContent);
	const axis = {stroke: TEXT, grid: {stroke: GRID, width: 1},
		ticks: {stroke: GRID, width: 1}};
	const {width, height} = drawing.getBoundingClientRect();

	return {
		width, height: Math.max(120, height - 30),
		cursor: {sync: {key: "tft", setSeries: false}, drag: {x: true, y: false}},
		scales: {x: {time: !!shown.time},
			y: {range: (_, low, high) => shown.percent ? [0, 100] : [0, high * 1.05 || 1]}},
		axes: [{...axis, values: (_, ticks) => ticks.map(shown.axis)}, {...axis, size: 44}],
		series: [{label: shown.x.label, value: (_, x) => x === null ? "–" : shown.x.value(x)},
			...shown.series],
		bands: shown.bands ?? [],
		hooks: {draw: [chart => drawLimits(chart, limits)]},
	};
}

const content = (drawing, page) => page.points ? history(page) : forecast(drawing, page);

function build(drawing, page) {
	const shown = content(drawing, page), box = document.createElement("div");

	box.className = "live";
	box.dataset.keep = "";
	box.setAttribute("role", "img");
	box.setAttribute("aria-label", drawing.querySelector("title").textContent);
	const chart = new uPlot(options(drawing, shown), shown.columns, box);

	drawing.after(box); /* the style sheet hides the drawing before it */
	new ResizeObserver(([entry]) => entry.contentRect.width &&
		chart.setSize({width: entry.contentRect.width, height: chart.height})).observe(box);
	charts.set(drawing, chart);
}

async function takeOver(event) {
	const drawing = event.target.closest?.("svg.fan, #history > svg.lines");

	if (!drawing || charts.has(drawing) || /[?&]metric=levels/.test(location.search))
		return;
	charts.set(drawing, null);
	try {
		build(drawing, await (data ??= fetchData()));
	} catch {
		/* the drawing stays; the next touch asks again */
		data = null;
		charts.delete(drawing);
	}
}

async function renew(event) {
	if (!event.detail.changed)
		return;
	data = null;
	for (const [drawing, chart] of charts) {
		if (!drawing.isConnected) {
			chart?.destroy();
			charts.delete(drawing);
			continue;
		}
		try {
			chart?.setData(content(drawing, await (data ??= fetchData())).columns, false);
			chart?.redraw();
		} catch {
			data = null; /* older values, until the next change */
		}
	}
}

document.body.append(palette);
document.addEventListener("pointerover", takeOver);
document.addEventListener("tft:polled", renew);
})();
