/* SPDX-License-Identifier: MIT */
/*
 * Keeps a page current without flicker (doc/pages.md#refresh): shortly after the start of every
 * bucket, by the server's clock, it sends a conditional request and morphs the changes into the
 * page. The age of the data ticks without the network. The controls below exist only where this
 * script runs; without it the pages are complete and reload by links.
 *
 * Idiomorph precedes this text in the same file; `tft` is set by start.js. The document gets the
 * events `tft:polled` after every request (detail.changed: the page has changed) and `tft:ticked`
 * every second (detail: the server's time).
 */
(() => {
"use strict";
const $ = (css, from = document) => from.querySelector(css);
const $$ = (css, from = document) => [...from.querySelectorAll(css)];
if (!$("#state"))
	return; /* an error page has nothing to keep current */

const S = 1000;
/* The states that follow from the age alone, from good to bad, and their names in the badge. */
const WORDS = {live: "Live", updating: "Updating", stale: "Stale", "very-stale": "Very stale",
	"no-data": "No data"};
const AGES = Object.keys(WORDS);
const ALERT = 2; /* the level from which a server is in the alert table */
const ROWS = "#view [id^=srv-]"; /* and tiles, of servers */
const LEVELS = ["Healthy", "Watch", "Degrading", "Warning", "Danger", "Critical", "Imminent Failure"];

/* A moment of the past: nothing of it is asked for again. */
const past = $("#state").dataset.state === "past";

/* Attributes of main#view as numbers; NaN without data. */
const given = name => parseFloat($("#view").dataset[name]);
const interval = () => given("intervalMs");

function make(tag, attributes, ...children) {
	const node = Object.assign(document.createElement(tag), attributes);

	node.append(...children);
	return node;
}

/* An event for the other scripts of the page. */
function emit(what, detail) {
	document.dispatchEvent(new CustomEvent(`tft:${what}`, {detail}));
}

/* ---- what the browser remembers ---- */

/* Where storage is switched off: only for this page. */
const kept = {};

function recall(key) {
	try {
		return localStorage.getItem(key);
	} catch {
		return kept[key];
	}
}

function remember(key, value) {
	try {
		localStorage.setItem(key, value);
	} catch {
		kept[key] = value;
	}
}

/* ---- the server's clock ---- */

let clock;

/* One of the two local clocks may stop while the machine sleeps, the other may be set. */
const steadyPassed = () => performance.now() - clock.steady;
const wallPassed = () => Date.now() - clock.wall;
const now = () => clock.server + Math.max(steadyPassed(), wallPassed());

function setClock(server, known) {
	clock = {server, known, steady: performance.now(), wall: Date.now(), skew: Date.now() - server};
}

/* The Date header has only whole seconds. */
function readClock(headers) {
	const exact = /\bnow;desc="?([\d.]+)/.exec(headers.get("Server-Timing"));
	const server = exact ? exact[1] * S : Date.parse(headers.get("Date")) + S / 2;

	if (server)
		setClock(server, true);
}

/* From the answer that this document came with. A copy in the browser's cache has an old time, so it does not
 * count. */
function readDocumentClock() {
	const [entry] = performance.getEntriesByType("navigation");
	const timing = entry?.transferSize && entry.serverTiming?.find(t => t.name === "now");

	if (timing)
		setClock(timing.description * S + performance.now() - entry.responseStart, true);
}

/* ---- words ---- */

function duration(ms) {
	const s = Math.max(0, Math.floor(ms / S)), min = Math.floor(s / 60);

	const h = Math.floor(min / 60);

	if (s < 60)
		return `${s} s`;
	if (min < 60)
		return `${min} min`;
	return h < 24 ? `${h} h ${min % 60} min` : `${Math.floor(h / 24)} d ${h % 24} h`;
}

const localTime = new Intl.DateTimeFormat("en-GB",
	{hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short"});

const clockTime = ms => localTime.format(ms).slice(0, "12:31:05".length);

/* The server writes UTC. */
function localizeTimes(root) {
	for (const time of $$("time", root)) {
		if (!/^\d\d:\d\d:\d\d UTC$/.test(time.textContent))
			continue;
		time.title = time.textContent;
		time.textContent = localTime.format(new Date(time.dateTime));
	}
}

/* ---- state: badge, band, remarks ---- */

const notes = make("div", {id: "notes"});
const lateBand = make("p", {className: "band", hidden: true});
const skewNote = make("p", {className: "note", hidden: true});
let serverState, shownState, contact, offline = false;
let paused = recall("tft-paused") === "yes";

const isGood = state => state === "live" || state === "updating";

/* Writes only what differs, to avoid needless repaints and observer calls. */
function set(object, name, value) {
	if (object[name] !== value)
		object[name] = value;
}

function stateOfAge(age) {
	const live = Math.max(1.2 * interval(), interval() + given("fillMs") + 2 * S);
	const limits = [live, Math.max(live, 2 * interval()), given("actMs"), given("maxMs")];

	return limits.filter(limit => age > limit).length;
}

/* The worse of the server's state and the state that follows from the present age. */
function currentState() {
	const sent = AGES.indexOf(serverState);

	return sent < 0 || !given("genMs") || !clock.known ? serverState
		: AGES[Math.max(sent, stateOfAge(now() - given("genMs")))];
}

function badgeText(state) {
	const data = given("genMs");

	if (past)
		return null;
	if (offline)
		return `Offline - last contact ${clockTime(contact)}`;
	if (paused && data)
		return `Paused - ${clockTime(data)}`;
	return data && clock.known ? `${WORDS[state]} - ${duration(now() - data)}` : null;
}

/* The text that the server's band would have by now. */
function bandText(state) {
	const at = localTime.format(given("genMs"));

	if (state === "stale")
		return `Showing stale data from ${at}.`;
	if (state === "very-stale")
		return `Data is older than ${duration(given("actMs"))} (${at}). ` +
			"Do not act on these numbers.";
	return `No data since ${at}.`;
}

/* Worse than the server's state, and at least stale. */
const isLate = state => state !== serverState && AGES.indexOf(state) >= AGES.indexOf("stale");

function showBand(state) {
	const late = isLate(state);

	set(lateBand, "hidden", !late);
	set(lateBand, "textContent", late ? bandText(state) : "");
	for (const time of $$("#state .band time")) {
		const passed = now() - Date.parse(time.dateTime);

		/* The style sheet shows it after the time. */
		set(time.dataset, "passed",
			passed < 0 ? `in ${duration(-passed)}` : `${duration(passed)} ago`);
	}
}

function showSkew() {
	const off = Math.abs(clock.skew) > 5 * S;

	set(skewNote, "hidden", !off);
	set(skewNote, "textContent", off ? `Your clock is ${duration(Math.abs(clock.skew))} ` +
		`${clock.skew > 0 ? "ahead of" : "behind"} the server.` : "");
}

function setMode(badge, mode) {
	if (mode)
		set(badge.dataset, "mode", mode);
	else if ("mode" in badge.dataset)
		delete badge.dataset.mode;
}

/* Title, icon and chip as the server sent them. */
let environment;

function readEnvironment(page) {
	const icon = $("link[rel=icon]", page), chip = $(".environment .chip", page);

	environment = {title: page.title, icon: icon.href, word: chip.textContent, css: chip.className};
}

/* They depend on the age, as in the server's layout.c: a stale status keeps its word but loses its
 * colour; one that is too old to act on is unknown. */
function showEnvironment(state) {
	const {title, icon, word, css} = environment, link = $("link[rel=icon]");
	const chip = $(".environment .chip"), late = isLate(state), stale = state === "stale";

	set(document, "title", !late ? title : stale ? `Stale: ${title}` :
		`Unknown${title.slice(title.indexOf(" - "))}`);
	set(link, "href", late ? new URL(link.dataset.old, location.href).href : icon);
	set(chip, "textContent", !late ? word : stale ? `${word}, stale` : "Unknown");
	set(chip, "className", late ? "chip sev-unknown" : css);
}

function showState() {
	const state = currentState(), text = badgeText(state), badge = $("#badge");

	if (text)
		set(badge, "textContent", text);
	setMode(badge, past ? null : offline ? "offline" : paused ? "paused" : null);
	set($("#state").dataset, "state", state);
	set(notes.dataset, "state", state);
	showEnvironment(state);
	showBand(state);
	showSkew();
	if (isGood(state) !== isGood(shownState) || !isGood(state) && state !== shownState)
		speak(`${badge.textContent}. ${$("#state .band")?.textContent ?? lateBand.textContent}`);
	shownState = state;
}

/* ---- announcements of screen readers ---- */

const region = make("p", {id: "said", role: "status"});
let spokenAt = -Infinity, speech;

/* At once: what answers the viewer's own act. */
function say(text) {
	region.textContent = text;
	spokenAt = performance.now();
}

/* At most once in 5 s; only the latest text is kept. */
function speak(text) {
	clearTimeout(speech);
	speech = setTimeout(say, Math.max(0, spokenAt + 5 * S - performance.now()), text);
}

/* The servers on this page with their levels, and the number of alerts from the title. */
function readFleet() {
	const levels = new Map();

	for (const row of $$(ROWS)) {
		const chip = row.matches("[class*=sev-]") ? row : $("[class*=sev-]", row);
		const level = /sev-(\w+)/.exec(chip?.className)?.[1];

		levels.set(row.id.slice("srv-".length),
			LEVELS.findIndex(word => word.toLowerCase().startsWith(level)));
	}
	return {levels, alerts: parseInt(document.title.slice(1), 10) || 0};
}

function announce(before, after) {
	/* Those at risk 50 or above, which is Degrading, whose level is new: the worst first. */
	const risen = [...after.levels].filter(([name, level]) => level >= ALERT &&
		level > (before.levels.get(name) ?? -1))
		.sort((a, b) => b[1] - a[1]);
	const calmed = [...before.levels].filter(([name, level]) => level >= ALERT &&
		(after.levels.get(name) ?? -1) < ALERT).map(([name]) => name);

	if (risen.length)
		speak(risen.slice(0, 5).map(([name, level]) => `${name} is ${LEVELS[level]}`).join(", ") +
			(risen.length > 5 ? ` and ${risen.length - 5} more` : ""));
	else if (before.alerts !== after.alerts)
		speak(`${after.alerts} server${after.alerts === 1 ? "" : "s"} at risk 50 or above` +
			(before.alerts > after.alerts && calmed.length ?
				`, no longer ${calmed.slice(0, 5).join(", ")}` : ""));
}

/* ---- applying a new page ---- */

const MORPHED = ["#state", "#view", ".environment", "nav", "footer"];
let pending = null; /* a page that waits until the viewer has finished an input */

const keepOwn = {
	/* Keeps what a viewer has opened, closed or filled in. */
	beforeAttributeUpdated: (name, node) => !(name === "open" && node.matches("details") ||
		(name === "value" || name === "checked") && node.matches("input") && isChanged(node)),
	beforeNodeRemoved: node => !(node instanceof Element && "keep" in node.dataset),
};

/* Prepares every page before it is shown, including the first one. */
function prepare(root) {
	localizeTimes(root);
	/* The ticking age must not be read out; #said announces what matters. */
	$("#state", root).setAttribute("aria-live", "off");
	tft.prepare(root); /* cursor.js */
}

/* What scrolls sideways can be scrolled with the keyboard, and has a name. */
function nameScrollers() {
	for (const box of $$(".scroll")) {
		const wide = box.scrollWidth > box.clientWidth;
		const named = {tabindex: 0, role: "region", "aria-label": $("caption", box)?.textContent};

		for (const [name, value] of Object.entries(named))
			if (wide)
				box.setAttribute(name, value);
			else
				box.removeAttribute(name);
	}
}

function isChanged(field) {
	if (field.options)
		return field.selectedIndex !== Math.max(0, [...field.options].findIndex(option => option.defaultSelected));
	return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
}

/* The viewer is choosing, selecting text or filling in a field: nothing may move meanwhile. */
function isInUse() {
	const selection = getSelection();

	return document.activeElement?.matches("#view select") ||
		!selection.isCollapsed && MORPHED.some(css => $(css).contains(selection.anchorNode)) ||
		$$("#view input, #view select, #view textarea").some(isChanged);
}

function assetsOf(root) {
	return $$("link[rel=stylesheet], script[src]", root)
		.map(node => node.href ?? node.src).join();
}

function apply(fresh) {
	const before = readFleet();

	/* A new version has been installed: its pages need its own scripts and style sheets. */
	if (assetsOf(fresh) !== assetsOf(document))
		return location.reload();
	pending = null;
	set(offer, "hidden", true);
	prepare(fresh);
	serverState = $("#state", fresh).dataset.state;
	for (const css of MORPHED)
		Idiomorph.morph($(css), $(css, fresh),
			{morphStyle: "outerHTML", ignoreActiveValue: true, callbacks: keepOwn});
	nameScrollers();
	readEnvironment(fresh);
	showState();
	announce(before, readFleet());
}

const offer = make("button", {id: "offer", hidden: true, onclick: () => apply(pending)},
	"New data - apply");

/* ---- asking ---- */

let timer, request = null, failures = 0, tries = 0, triedBucket = 0;
let shown = null;      /* ETag of the newest answer */
let chosen = readChoice();

/* From the URL, else the stored choice, else the interval of the data; 0: off. */
function readChoice() {
	const choice = new URLSearchParams(location.search).get("refresh") ?? recall("tft-refresh");
	const ms = parseInt(choice, 10) * S;

	return ms === 0 ? 0 : Math.min(300 * S, Math.max(5 * S, ms || interval()));
}

/* A multiple of the interval, in which the data change once. */
const period = () => past ? 0 : Math.ceil(chosen / interval()) * interval();

function untilNextEdge() {
	const margin = Math.max(200, Math.min(given("fillMs") || 0, interval() / 2));
	const jitter = Math.random() * S / 2;

	return period() - now() % period() + margin + jitter;
}

/* How long to wait each time while the page is of the previous bucket, as the new one is still being made. */
const RETRIES = [0.25, 0.5, 0.5, 0.5, 1, 1, 1, 1];

function isBehind() {
	const bucket = Math.floor(now() / interval());

	if (triedBucket !== bucket) {
		triedBucket = bucket;
		tries = 0;
	}
	return tries < RETRIES.length && (serverState === "updating" || serverState === "warming" ||
		(serverState === "live" && given("bucket") < bucket));
}

/* A hidden tab shows only its title and icon, so once a minute is enough. */
function plan(wait) {
	const soon = wait ?? (isBehind() ? RETRIES[tries++] * S : untilNextEdge());

	clearTimeout(timer);
	if (!paused && navigator.onLine && period())
		timer = setTimeout(poll, document.hidden ? Math.max(60 * S, soon) : soon);
}

function retryAfter(answer) {
	const s = parseInt(answer.headers.get("Retry-After"), 10);

	return s ? s * S * (1 + Math.random() / 10) : undefined;
}

function backOff() {
	return Math.random() * Math.min(60 * S, S * 2 ** failures);
}

/* Whether the first answer is the same as the document, whose ETag a script cannot read. */
function isSame(fresh) {
	return !shown && $("#view", fresh).dataset.genMs === $("#view").dataset.genMs &&
		$("#state", fresh).dataset.state === serverState;
}

/* Returns a page of ours or throws: anything else counts as no answer. */
async function read(answer) {
	const text = await answer.text();

	if (!tft.isOurs(text))
		throw new Error("not a page of the dashboard");
	return new DOMParser().parseFromString(text, "text/html");
}

/* Whether the page has changed. */
async function take(answer) {
	const tag = answer.headers.get("ETag");

	if (!tag || tag !== shown) {
		const fresh = await read(answer);

		/* The server of this page has left the fleet: the reloaded page will say so. */
		if (!$("#state", fresh))
			return location.reload();
		/* Without an ETag it is a page without data, whose reason may have changed. */
		pending = tag && isSame(fresh) ? null : fresh;
		shown = tag;
	}
	set(offer, "hidden", !pending || !isInUse());
	if (!pending || !offer.hidden)
		return false;
	apply(pending);
	return true;
}

function showServed(answer, ms) {
	const node = answer.headers.get("X-TFT-Node"), cache = answer.headers.get("Cache-Status");

	set(served, "textContent", `Served${node ? ` by ${node}` : ""} in ${Math.round(ms)} ms` +
		(cache ? ` (${cache.replace(/; key="[^"]*"/, "")})` : ""));
}

/* One request at a time; the next one is scheduled when it has ended. */
async function poll() {
	if (request || past)
		return;
	clearTimeout(timer);
	request = new AbortController();
	const limit = setTimeout(() => request.abort(), 0.8 * (period() || interval()));
	let answer, changed = false, wait;
	try {
		const start = performance.now();
		answer = await fetch(location.href, {cache: "no-cache", signal: request.signal});
		readClock(answer.headers);
		const ms = performance.now() - start;
		changed = await take(answer);
		showServed(answer, ms);
		contact = now();
		noteVisit();
		offline = false;
		failures = 0;
		/* Pages without data have status 503 and a Retry-After. */
		wait = answer.ok ? undefined : retryAfter(answer);
	} catch {
		offline = true;
		wait = (answer && retryAfter(answer)) ?? backOff();
		failures++;
	}
	clearTimeout(limit);
	request = null;
	showState();
	plan(wait);
	emit("polled", {changed});
}

/* At once if the data shown are older than the current bucket, else when it ends. */
function resume() {
	showState();
	if (!paused && !document.hidden && period() &&
	    !(given("bucket") >= Math.floor(now() / interval())))
		poll();
	else
		plan();
}

/* ---- menu ---- */

const PERIODS = [0, 5, 10, 15, 30, 60, 120, 300];
const served = make("p", {id: "served"});
served.dataset.keep = "";
const pauseButton = make("button", {id: "pause", type: "button", onclick: togglePause});
const picker = make("select", {id: "every", onchange: choose});
picker.setAttribute("aria-label", "Refresh");

function togglePause() {
	if (past)
		return;
	paused = !paused;
	remember("tft-paused", paused ? "yes" : "no");
	showMenu();
	resume();
}

/* A choice made here overrides the one in the URL. */
function choose() {
	const url = new URL(location.href);

	chosen = picker.value * S;
	remember("tft-refresh", picker.value);
	url.searchParams.delete("refresh");
	history.replaceState(null, "", url);
	showMenu();
	resume();
}

function showMenu() {
	const every = `data changes every ${interval() / S} s`;

	picker.value = chosen / S;
	set(pauseButton, "textContent", paused ? "Resume" : "Pause");
	set($(".refresh small"), "textContent", chosen === period() ? every : `${period() / S} s; ${every}`);
}

function buildMenu() {
	for (const value of [...new Set([...PERIODS, chosen / S])].sort((a, b) => a - b))
		picker.append(make("option", {value}, value ? `${value} s` : "Off"));
	$(".controls")?.append(make("label", {}, "every ", picker), " ", pauseButton, " ");
	/* Only if the browser has dialogs: Firefox 98, Safari 15.4 and later. */
	if (window.HTMLDialogElement)
		($(".controls") ?? $("header")).append(make("button", {type: "button", onclick: showHelp}, "Help"));
	if (/on|sound/.test(recall("tft-notify")) && !past)
		load("told");
	$(".refresh a")?.addEventListener("click", event => {
		event.preventDefault();
		refresh();
	});
	if (!past)
		showMenu();
}

/* A module that few viewers need. */
const load = name => import(new URL($("script[data-told]").dataset[name], document.baseURI).href);

function showHelp() {
	load("help").then(help => help.open(), () => {});
}

/* Without a clipboard the link is followed. */
function copyMoment(event) {
	const link = event.target.closest?.("#moment");

	if (!link || !navigator.clipboard || event.ctrlKey || event.metaKey || event.shiftKey)
		return;
	event.preventDefault();
	navigator.clipboard.writeText(link.href).then(() => {
		link.dataset.done = "copied";
		setTimeout(() => delete link.dataset.done, 3 * S);
		say("Link copied");
	}, () => location.assign(link.href));
}

function refresh() {
	if (pending)
		apply(pending);
	else
		poll();
}

/* ---- the visit before ---- */

const AWAY = 900 * S, FORGOTTEN = 7 * 86400 * S;
const visit = make("a", {id: "visit"}, "Since you were here");

/* A viewer who was away for a while finds what has changed since. */
function noteVisit() {
	const seen = recall("tft-seen"), changes = $("nav a[href$=changes]");

	if (document.hidden)
		return;
	if (now() - seen > AWAY)
		remember("tft-left", seen);
	remember("tft-seen", now());
	const left = recall("tft-left"), away = now() - left;
	if (changes && away > AWAY && away < FORGOTTEN) {
		visit.href = `${changes.href}?since=${Math.floor(left / S)}`;
		$(".refresh")?.append(visit);
	}
}

/* ---- keys ---- */

const visitPage = css => () => $(`nav ${css}`).click();
/* Their words are in help.js. */
const KEYS = {
	"?": showHelp,
	"g o": visitPage("li a"),
	"g h": visitPage("a[href$=heatmap]"),
	"g t": visitPage("a[href$=top]"),
	"/": () => $("#find").focus(),
	p: togglePause,
	r: refresh,
	w: toggleKiosk,
	j: () => moveRow(1),
	k: () => moveRow(-1),
	o: () => openRow(rowOf(document.activeElement)),
};
let prefix = "";

/* ---- rows and tiles of servers ---- */

const rowOf = node => node.closest(ROWS);
const whyOf = row => $("td > a[href*='row='], td > a[aria-expanded]", row);

function moveRow(step) {
	const rows = $$(ROWS), at = rows.indexOf(rowOf(document.activeElement));

	$("th a, a, summary", rows[Math.max(0, at + step)] ?? document)?.focus();
}

/* The address says which row is open, so a refresh, a link and the past keep it. */
function openRow(row) {
	const link = row && whyOf(row);

	if (!link)
		return;
	if (past || request)
		return location.assign(link.href);
	history.replaceState(null, "", link.href.split("#")[0]);
	shown = "another address";
	poll();
}

function onRisk(event) {
	const row = rowOf(event.target);

	if (!row || event.target !== whyOf(row) || event.ctrlKey || event.metaKey || event.shiftKey)
		return;
	event.preventDefault();
	openRow(row);
}

function toggleKiosk() {
	const url = new URL(location.href);

	if (document.body.matches(".kiosk"))
		for (const key of ["view", "tabs", "every"])
			url.searchParams.delete(key);
	else
		url.searchParams.set("view", "kiosk");
	location.assign(url);
}

function onKey(event) {
	if (event.ctrlKey || event.metaKey || event.altKey || $("#help")?.open || recall("tft-keys") === "no" ||
	    event.target.matches?.("input, select, textarea"))
		return;
	const found = KEYS[prefix + event.key];
	prefix = event.key === "g" ? "g " : "";
	if (!found)
		return;
	event.preventDefault();
	found();
}

/* ---- start, and what happens from then on ---- */

function tick() {
	showState();
	emit("ticked", now());
	/* The machine was asleep, or its clock was set. */
	if (Math.abs(steadyPassed() - wallPassed()) > 5 * S && !request && !offline)
		resume();
}

function setOffline() {
	offline = true;
	request?.abort();
	clearTimeout(timer);
	showState();
}

setClock(Date.now(), false);
readDocumentClock();
contact = now();
serverState = shownState = $("#state").dataset.state;
readEnvironment(document);
prepare(document);
nameScrollers();
$("#state").after(notes);
notes.append(lateBand, skewNote);
document.body.append(region, offer);
$("footer").append(served);
buildMenu();
noteVisit();
tick();
setInterval(tick, S);
Object.assign(tft, {show: apply, now, make, recall, remember, load, past});
document.addEventListener("click", copyMoment);
document.addEventListener("click", onRisk);
document.addEventListener("keydown", onKey);
document.addEventListener("visibilitychange", resume);
addEventListener("resize", nameScrollers);
addEventListener("pageshow", event => event.persisted && resume());
addEventListener("offline", setOffline);
addEventListener("online", poll);
plan(serverState === "cold" ? S : clock.known ? undefined : 0);
document.documentElement.dataset.runs = ""; /* stops the watch of start.js */
})();
