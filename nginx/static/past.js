/* SPDX-License-Identifier: MIT */
/*
 * Moving in time without leaving the page: arrow keys, dragging on the strip, play. The pages are those
 * that the links lead to; app.js swaps what differs (`tft.show`). A step beyond the present leads to
 * the live page.
 */
(() => {
"use strict";
const $ = (css, from = document) => from.querySelector(css);
const S = 1000;
const live = () => $("#live").href;
const bucket = () => parseFloat($("#view").dataset.intervalMs);
let going = null, timer = null;

function make(tag, attributes, ...children) {
	const node = Object.assign(document.createElement(tag), attributes);

	node.append(...children);
	return node;
}

/* The present bucket counts as future, because its data may not have arrived yet. */
function isInFuture(url) {
	return Date.parse(new URL(url).searchParams.get("at")) > tft.now() - bucket();
}

/* ---- swapping ---- */

async function load(url) {
	const answer = await fetch(url, {signal: going.signal});
	const text = await answer.text();

	if (!answer.ok || !tft.isOurs(text))
		throw new Error(`status ${answer.status}`);
	tft.show(new DOMParser().parseFromString(text, "text/html"));
	addControls();
	return answer.url;
}

/* Cancels the request before. False: there is no such page, and the browser shows why. */
async function go(url, remember = "pushState") {
	if (isInFuture(url)) {
		location.assign(live());
		return false;
	}
	going?.abort();
	going = new AbortController();
	try {
		const shown = await load(url);

		if (remember)
			history[remember](null, "", shown);
		return true;
	} catch (error) {
		if (error.name !== "AbortError")
			location.assign(url);
		return false;
	}
}

const step = ms => $(`[data-step="${ms}"]`)?.href;

/* ---- play ---- */

const playButton = make("button", {id: "play", type: "button", onclick: toggle}, "Play");

function stop() {
	clearTimeout(timer);
	timer = null;
	playButton.textContent = "Play";
}

async function play() {
	const began = performance.now(), next = step(bucket());

	if (isInFuture(next))
		return stop();
	if (await go(next, "replaceState") && timer)
		timer = setTimeout(play, Math.max(0, S - (performance.now() - began)));
	else
		stop();
}

function toggle() {
	if (timer)
		return stop();
	playButton.textContent = "Stop";
	timer = setTimeout(play, S);
}

/* ---- the strip ---- */

const aim = make("p", {id: "aim"});
let held = null; /* the column under the pressed pointer */

/* The column at x, even if the pointer has moved above or below the strip. */
function columnAt(x) {
	const columns = [...document.querySelectorAll("#strip a")];

	return columns.find(column => x < column.getBoundingClientRect().right) ?? columns[columns.length - 1];
}

function point(column) {
	held?.classList.remove("aim");
	held = column;
	held?.classList.add("aim");
	aim.textContent = held ? $("title", held).textContent : "";
}

function press(event) {
	if (event.button !== 0 || !event.target.closest("#strip"))
		return;
	event.preventDefault();
	point(columnAt(event.clientX));
	document.addEventListener("pointermove", drag);
}

function drag(event) {
	point(columnAt(event.clientX));
}

function release() {
	const url = held?.href.baseVal;

	document.removeEventListener("pointermove", drag);
	point(null);
	if (url !== undefined)
		go(new URL(url, location.href).href);
}

/* ---- links and keys ---- */

function onKey(event) {
	const direction = {ArrowLeft: -1, ArrowRight: 1}[event.key];

	if (!direction || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || $("#help")?.open ||
	    event.target.matches?.("input, select, textarea") || getScrollable(event.target))
		return;
	event.preventDefault();
	stop();
	go(step(direction * (event.shiftKey ? 300 * S : bucket())));
}

/* The same keys scroll a wide table that has the focus. */
function getScrollable(node) {
	const box = node.closest?.(".scroll");

	return box && box.scrollWidth > box.clientWidth;
}

function onClick(event) {
	const link = event.target.closest?.("#moments [data-step]");

	/* pointerup has already handled a press on the strip. */
	if (event.target.closest?.("#strip") && event.detail > 0)
		return event.preventDefault();
	if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0)
		return;
	event.preventDefault();
	stop();
	go(link.href);
}

/* Adds what the server's page lacks. */
function addControls() {
	if (!playButton.isConnected)
		$(".steps").append(" ", playButton);
	if (!aim.isConnected)
		$("#moments").append(aim);
}

playButton.dataset.keep = aim.dataset.keep = "";
addControls();
document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
document.addEventListener("pointerdown", press);
document.addEventListener("pointerup", () => held && release());
document.addEventListener("pointercancel", () => point(null));
addEventListener("popstate", () => go(location.href, null));
})();
