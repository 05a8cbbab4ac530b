/* SPDX-License-Identifier: MIT */
/*
 * A cursor in the drawings of values over time: it follows the pointer and the arrow keys, stands at the
 * same time in all drawings of the same time, and shows and announces the values there. They are read
 * out of the drawings (pages/chart_lines.h, chart_course.h, chart_band.h): a curve with a title has a
 * value wherever it is drawn.
 */
(() => {
"use strict";
const DRAWINGS = "svg.lines", STEPS = 96;
const NUMBERS = {M: "xy", L: "xy", H: "x", V: "y"}; /* that follow a letter of a path; small ones are relative */
const curves = new Map(); /* of a path's text */
let pointed = null; /* where the cursor stands: {box, x} */

const plotOf = drawing => drawing.querySelector("svg");
const boxOf = drawing => plotOf(drawing).getAttribute("viewBox");
const titleOf = node => node.querySelector("title").textContent;

/* ---- reading a drawing ---- */

/* The points of each curve of a path. */
function parse(text) {
	const found = [];
	let x = 0, y = 0;

	for (const [, letter, rest] of text.matchAll(/([a-z])([^a-z]*)/gi)) {
		const kind = letter.toUpperCase(), relative = letter !== kind, axes = NUMBERS[kind] ?? "";
		const numbers = (rest.match(/-?[\d.]+/g) ?? []).map(Number);

		for (let i = 0; axes && i < numbers.length; i += axes.length) {
			const [dx, dy] = axes === "y" ? [undefined, numbers[i]] : [numbers[i], axes === "xy" ? numbers[i + 1] : undefined];

			x = dx === undefined ? x : relative ? x + dx : dx;
			y = dy === undefined ? y : relative ? y + dy : dy;
			if (kind === "M" && !i)
				found.push([]);
			found[found.length - 1].push([x, y]);
		}
	}
	return found;
}

function curvesOf(path) {
	const text = path.getAttribute("d");

	if (!curves.has(text))
		curves.set(text, parse(text));
	return curves.get(text);
}

/* The heights at which a path passes x. */
function heightsAt(path, x) {
	const found = [];

	for (const points of curvesOf(path))
		for (let i = 1; i < points.length; i++) {
			const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]];

			if (x0 !== x1 && (x - x0) * (x - x1) <= 0)
				found.push(y0 + (y1 - y0) * (x - x0) / (x1 - x0));
		}
	return found;
}

/* In a drawing without from and to, x is in minutes from the time of the data. */
function timeAt(drawing, x) {
	const [left, , width] = boxOf(drawing).split(" ").map(Number), {from, to} = drawing.dataset;
	const at = from ? +from + (x - left) / width * (to - from)
		: +document.querySelector("main").dataset.genMs + x * 60000;
	const day = to - from >= 86400000 && {day: "numeric", month: "short"};

	return new Intl.DateTimeFormat("en-GB", {...day, hour: "2-digit", minute: "2-digit"}).format(at);
}

/* "12:31: median 50.2%, p10 to p90 40.0% to 60.4%": what is drawn last comes first. Areas stand on each other, the last one at the bottom. */
function wordsAt(drawing, x) {
	const {unit, top, base = 0} = drawing.dataset, height = boxOf(drawing).split(" ")[3];
	const words = new Map();
	let below = 0;

	for (const title of [...drawing.querySelectorAll("path > title")].reverse()) {
		const path = title.parentNode, kind = path.getAttribute("class");
		const values = /^(dot|incident|envelope .)/.test(kind) ? [] : heightsAt(path, x)
			.map(y => +base + (top - base) * (1 - y / height)).sort((a, b) => a - b);
		const most = values[values.length - 1];

		if (!values.length)
			continue;
		if (/^sev/.test(kind))
			words.set(title.textContent, Math.round(most) - below);
		else
			words.set(title.textContent, (/^(envelope|vague)/.test(kind) ? [values[0], most] : [most])
				.map(value => value.toFixed(1) + unit).join(" to "));
		below = Math.round(most);
	}
	return `${timeAt(drawing, x)}: ${[...words].map(pair => pair.join(" ")).join(", ") || "no value"}`;
}

/* ---- showing it ---- */

function pointAt(drawing, x) {
	const plot = plotOf(drawing), [left, , width, height] = boxOf(drawing).split(" ").map(Number);
	const line = plot.querySelector(".cursor") ?? plot.appendChild(document.createElementNS(plot.namespaceURI, "line"));
	const shown = drawing.nextElementSibling?.matches(".readout") ? drawing.nextElementSibling
		: Object.assign(document.createElement("div"), {className: "readout"});

	for (const [name, value] of Object.entries({class: "cursor", x1: x, x2: x, y2: height}))
		line.setAttribute(name, value);
	shown.textContent = wordsAt(drawing, x);
	if (!shown.isConnected)
		drawing.after(shown);
	slide(drawing, titleOf(drawing), left, left + width, x, shown.textContent);
}

/* The same time in all of them. */
function point(box, x) {
	pointed = {box, x};
	for (const drawing of document.querySelectorAll(DRAWINGS))
		if (boxOf(drawing) === box)
			pointAt(drawing, x);
}

function onPointer(event) {
	const drawing = event.target.closest?.(DRAWINGS);

	if (!drawing)
		return;
	const {left, width} = drawing.getBoundingClientRect();
	const [from, , range] = boxOf(drawing).split(" ").map(Number);
	point(boxOf(drawing), Math.round(from + (event.clientX - left) / width * range));
}

/* ---- keys ---- */

/* What the arrow keys move: role, range, value, and the words that are announced. */
function slide(node, name, min, max, now, words) {
	const attributes = {tabindex: 0, role: "slider", "aria-label": name, "aria-valuemin": min, "aria-valuemax": max,
		"aria-valuenow": now, "aria-valuetext": words};

	for (const [key, value] of Object.entries(attributes))
		node.setAttribute(key, value);
}

/* The place after a key; undefined: it is another key. */
function step(event, now, by, min, max) {
	const to = {ArrowLeft: now - by, ArrowRight: now + by, Home: min, End: max}[event.key];

	if (to === undefined || event.ctrlKey || event.metaKey || event.altKey)
		return undefined;
	event.preventDefault();
	return Math.min(max, Math.max(min, to));
}

/* At first now, or what is the nearest to it. */
function placeOf(drawing) {
	const [left, , width] = boxOf(drawing).split(" ").map(Number);

	if (pointed?.box === boxOf(drawing))
		return pointed.x;
	return drawing.dataset.from ? left + width : 0;
}

function onKey(event) {
	const drawing = event.target.closest?.(DRAWINGS);

	if (!drawing)
		return;
	const [left, , width] = boxOf(drawing).split(" ").map(Number);
	const to = step(event, placeOf(drawing), width / STEPS, left, left + width);
	if (to !== undefined)
		point(boxOf(drawing), to);
}

/* app.js prepares every page before it is shown. */
function prepare(root) {
	for (const drawing of root.querySelectorAll(DRAWINGS)) {
		const [left, , width] = boxOf(drawing).split(" ").map(Number);

		slide(drawing, titleOf(drawing), left, left + width, placeOf(drawing), drawing.querySelector("desc").textContent);
	}
}

tft.prepare = prepare;
prepare(document);
document.addEventListener("pointermove", onPointer);
document.addEventListener("keydown", onKey);
document.addEventListener("tft:polled", ({detail}) => {
	if (!detail.changed)
		return;
	curves.clear();
	if (pointed)
		point(pointed.box, pointed.x);
});
})();
