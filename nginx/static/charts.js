/* SPDX-License-Identifier: MIT */
/*
 * When a viewer points at a chart of the past, those of the page become interactive: values under
 * the cursor, the same time marked in all charts, zoom by dragging, reset by a double click. Their
 * data are the page's JSON, fetched when the pointer first touches a chart. The drawings and the data
 * tables remain as the server sent them.
 *
 * uPlot precedes this text in the same file.
 */
(() => {
"use strict";
const DRAWINGS = "#history > svg.lines, #risk-history > svg.lines";
/* Possible intervals of the axis labels, in seconds. */
const PAST = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400];
const RANGES = {"30m": 1800, "1h": 3600, "8h": 8 * 3600, "1d": 86400, "7d": 7 * 86400};
const charts = new Map(); /* drawing: uPlot */
let data = null;          /* a promise, for the page that is shown */

const lastOf = list => list[list.length - 1];

/* A canvas cannot use the variables of the style sheet, so this element has them as properties. */
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

/* Rows of a time and values. Covers the whole range, even where there are no points; points more
 * than `pause` seconds apart are not joined. */
function past(points, start, end, pause) {
	const rows = [[start]];

	for (const point of points) {
		const last = lastOf(rows)[0];

		if (point[0] - last > pause)
			rows.push([(point[0] + last) / 2]);
		rows.push(point);
	}
	rows.push([Math.max(end, lastOf(rows)[0] + 1)]);
	return {
		column: i => rows.map(row => row[i] ?? null),
		x: {label: "Time", value: at => timeOf("second").format(at * 1000)},
		axis: (at, step) => timeOf(step < 60 ? "second" : step < 86400 ? "minute" : "day").format(at * 1000),
		incrs: PAST,
	};
}

function history(drawing, page) {
	const end = Date.parse(page.generated_at) / 1000, start = end - RANGES[page.range];
	const shown = past(page.points, start, end, 2.5 * page.interval_s);

	if (page.metric === "levels")
		return levels(page.points, shown);
	const highest = {...line("highest"), stroke: LIMIT, width: 2, dash: [5, 3]};
	const series = page.metric === "risk" ? [thick("mean"), highest] : [thick(titleOf(drawing))];

	return {...shown, series, columns: ["time", ...series].map((_, i) => shown.column(i)), top: 100,
		unit: page.metric === "risk" ? "" : "%",
		figures: page.metric === "risk" ? [["Mean of the fleet", 1], ["Highest server", 2]] : [["", 1]]};
}

const ALERTING = 5; /* the number of levels, from the worst, that are alerts */

/* Stacked, the worst level at the bottom; names and colours come from the page's legend. A point has
 * its time, the number of alerts, and a number for each level. */
function levels(points, shown) {
	const chips = [...document.querySelectorAll("#levels .chip")];
	const fills = chips.map(chip => getComputedStyle(chip).backgroundColor);
	const sum = (below, column) => column.map((n, i) => n === null ? null : n + (below[i] ?? 0));
	const columns = [shown.column(0)];

	for (const i of chips.keys())
		columns.push(sum(i ? columns[i] : [], shown.column(i + 2)));
	return {...shown, columns, unit: "", figures: [["Servers with risk 50 or more", ALERTING]], legend: {markers: {fill: (_, i) => fills[i - 1]}},
		bands: chips.slice(1).map((_, i) => ({series: [i + 2, i + 1], fill: fills[i + 1]})),
		series: chips.map((chip, i) => ({
			...line(chip.textContent), stroke: GRID, fill: i ? undefined : fills[0],
			paths: uPlot.paths.stepped({align: -1}),
			value: (chart, top, series, at) => top === null ? "–" :
				top - (series > 1 ? chart.data[series - 1][at] : 0),
		}))};
}

/* The risk of a server is only in the drawing, exact to a tenth: 1000 units are a day in width and a
 * risk of 100 in height. */
function risk(drawing) {
	const [start, end] = drawing.querySelector("desc").textContent.match(/[\d-]+T[\d:]+Z/g)
		.map(text => Date.parse(text) / 1000);
	const path = drawing.querySelector("path[class=value]").getAttribute("d"), points = [];

	for (const [, letter, x, y] of path.matchAll(/([ML])(\d+) (\d+)/g)) {
		const at = start + x * (end - start) / 1000;

		if (letter === "M" && points.length)
			points.push([at - 1]);
		points.push([at, 100 - y / 10]);
	}
	const shown = past(points, start, end, Infinity);

	return {...shown, columns: [shown.column(0), shown.column(1)],
		series: [thick("risk")], top: 100, unit: "", figures: [["", 1]]};
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

const thick = label => ({...line(label), width: 2});
const titleOf = drawing => drawing.querySelector("title").textContent;

/* A drawing marks times (changes of the scenario) by a line element followed by a text element. */
function marksOf(drawing, chart) {
	const times = chart.data[0], range = lastOf(times) - times[0];

	return [...drawing.querySelectorAll(":scope > line")].map(mark =>
		[times[0] + parseFloat(mark.getAttribute("x1")) / 100 * range,
			mark.nextElementSibling.textContent]);
}

async function content(drawing) {
	if (drawing.closest("#risk-history"))
		return risk(drawing);
	return history(drawing, await (data ??= fetchData()));
}

/* ---- zoom: the section's own title and statistics are those of the whole range ---- */

function isZoomed(chart) {
	const {min, max} = chart.scales.x, times = chart.data[0];

	return min > times[0] || max < lastOf(times);
}

/* Statistics of a series in the zoomed range, as text. */
function statistics(chart, [name, series], unit) {
	const {min, max} = chart.scales.x;
	const values = chart.data[series].filter((value, i) => value !== null && value !== undefined &&
		chart.data[0][i] >= min && chart.data[0][i] <= max);
	const sum = values.reduce((a, b) => a + b, 0);
	const figures = values.length ? {Last: lastOf(values), Average: sum / values.length,
		Minimum: Math.min(...values), Maximum: Math.max(...values)} : {};

	return [name && `${name}: `, ...Object.entries(figures).map(([word, value]) =>
		`${word} ${format(value)}${unit}, `), `Points ${values.length}`].join("");
}

/* The style sheet hides the title and statistics after it. */
function describeZoom(chart, drawing, shown) {
	const section = drawing.closest("section"), time = timeOf("second");
	const from = time.format(chart.scales.x.min * 1000), to = time.format(chart.scales.x.max * 1000);
	const note = document.createElement("div");

	section.querySelector(".zoomed")?.remove();
	if (!isZoomed(chart))
		return;
	note.className = "zoomed";
	note.dataset.keep = "";
	for (const text of [`${titleOf(drawing).replace(/ over the last day$/, "")}, ${from} to ${to}`,
		...shown.figures.map(figure => statistics(chart, figure, shown.unit))])
		note.append(Object.assign(document.createElement(note.firstChild ? "p" : "h2"), {textContent: text}));
	section.prepend(note);
}

/* ---- interactive charts ---- */

/* Dashed, with a text. */
function drawMarks(chart, marks) {
	const {ctx, bbox: {left, top, width, height}} = chart;

	ctx.save();
	ctx.setLineDash([6, 4]);
	ctx.strokeStyle = ctx.fillStyle = TEXT();
	for (const [at, text] of marks) {
		const x = chart.valToPos(at, "x", true);

		if (x < left || x > left + width)
			continue;
		ctx.beginPath();
		ctx.moveTo(x, top);
		ctx.lineTo(x, top + height);
		ctx.stroke();
		const fits = x + 4 + ctx.measureText(text).width <= left + width;
		ctx.textAlign = fits ? "left" : "right";
		ctx.fillText(text, fits ? x + 4 : x - 4, top + 10);
	}
	ctx.restore();
}

function options(drawing, shown) {
	const axis = {stroke: TEXT, grid: {stroke: GRID, width: 1},
		ticks: {stroke: GRID, width: 1}};
	const {width, height} = drawing.getBoundingClientRect();

	return {
		width, height,
		cursor: {sync: {key: "past", setSeries: false}, drag: {x: true, y: false}},
		scales: {x: {time: true},
			y: {range: (_, low, high) => [0, shown.top || high * 1.05 || 1]}},
		axes: [{...axis, incrs: shown.incrs, size: 32,
			values: (_, ticks, index, space, step) => ticks.map(tick => shown.axis(tick, step))},
			{...axis, size: 44}],
		series: [{label: shown.x.label, value: (_, x) => x === null ? "–" : shown.x.value(x)},
			...shown.series],
		bands: shown.bands ?? [],
		legend: shown.legend,
		hooks: {
			draw: [chart => drawMarks(chart, marksOf(drawing, chart))],
			setScale: [(chart, scale) => scale === "x" && shown.figures && describeZoom(chart, drawing, shown)],
		},
	};
}

const DOUBLE_MS = 350; /* the second click of a double one, which ends a zoom, comes within it */

/* A click, but not the end of a drag, leads to the page of that moment. */
function linkToMoments(chart) {
	let pressed, timer;

	chart.over.addEventListener("pointerdown", event => pressed = event.clientX);
	chart.over.addEventListener("click", event => {
		const url = new URL(location.href);
		const ms = chart.posToVal(event.offsetX, "x") * 1000;

		clearTimeout(timer);
		if (event.detail !== 1 || Math.abs(event.clientX - pressed) > 3)
			return;
		url.searchParams.set("at", Math.floor(ms / 1000));
		timer = setTimeout(() => location.assign(url), DOUBLE_MS);
	});
}

/* Where cursor.js has moved that of the drawing. */
function followKeys({target}) {
	const chart = charts.get(target);

	if (!chart)
		return;
	const [now, min, max] = ["now", "min", "max"].map(of => +target.getAttribute(`aria-value${of}`));
	const times = chart.data[0], at = times[0] + (now - min) / (max - min) * (lastOf(times) - times[0]);

	chart.setCursor({left: chart.valToPos(at, "x"), top: 0}, true, true);
}

function build(drawing, shown) {
	const box = document.createElement("div"), wanted = options(drawing, shown);

	box.className = "live";
	box.dataset.keep = "";
	box.setAttribute("aria-hidden", "true"); /* the drawing keeps the focus, the keys and the words */
	const chart = new uPlot(wanted, shown.columns, box);

	linkToMoments(chart);
	drawing.before(box); /* the style sheet lays the drawing on it */
	/* In place of the drawing, and not higher. */
	const fit = width => chart.setSize({width,
		height: Math.max(120, wanted.height - box.querySelector(".u-legend").offsetHeight)});
	fit(wanted.width);
	new ResizeObserver(([entry]) => entry.contentRect.width && fit(entry.contentRect.width)).observe(box);
	charts.set(drawing, chart);
}

/* In browsers without checkVisibility, a drawing in closed details may count as visible, too. */
const isVisible = drawing => drawing.checkVisibility?.() ?? drawing.getClientRects().length > 0;

/* All visible charts, because the cursor of one shows in the others. */
async function makeInteractive() {
	for (const drawing of document.querySelectorAll(DRAWINGS)) {
		if (charts.has(drawing) || !isVisible(drawing))
			continue;
		charts.set(drawing, null);
		try {
			build(drawing, await content(drawing));
		} catch {
			/* the drawing stays; the next touch tries again */
			data = null;
			charts.delete(drawing);
		}
	}
}

function setData(chart, columns) {
	const {min, max} = chart.scales.x, zoomed = isZoomed(chart);

	chart.setData(columns, !zoomed);
	if (zoomed)
		chart.setScale("x", {min, max});
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
			setData(chart, (await content(drawing)).columns);
		} catch {
			data = null; /* keeps the older values until the next change */
		}
	}
}

function repaint(event) {
	if (event.target.id === "theme")
		for (const chart of charts.values())
			chart?.redraw();
}

document.body.append(palette);
document.addEventListener("pointerover", event => event.target.closest?.(DRAWINGS) && makeInteractive());
document.addEventListener("keydown", followKeys);
document.addEventListener("toggle", () => charts.size && makeInteractive(), true);
document.addEventListener("tft:polled", renew);
document.addEventListener("change", repaint);
})();
