/* SPDX-License-Identifier: MIT */
/*
 * Tells by a notification, and a short sound, that the worst level of the fleet has risen or that a
 * server has reached Danger: at most once per bucket, whatever pages and tabs are open. A module that
 * app.js loads only for viewers who have switched it on.
 */
const S = 1000, AWAY = 900 * S, DANGER = 4;
const LEVELS = ["Healthy", "Watch", "Degrading", "Warning", "Danger", "Critical", "Imminent Failure"];
/* Several fleets may share an origin. */
const root = new URL("..", import.meta.url), KEY = `tft-told ${root.pathname}`;
let kept = null, audio = null;

function recall(key) {
	try {
		return localStorage.getItem(key);
	} catch {
		return null;
	}
}

/* ---- what the browser allows ---- */

/* Why there will be no notification; empty: there will be. */
export function explain(mode) {
	if (mode === "off")
		return "";
	if (!isSecureContext)
		return "Browsers show notifications of pages that come by https only; this one came by http.";
	if (!window.Notification)
		return "This browser has no notifications.";
	if (Notification.permission === "denied")
		return "The browser forbids notifications of this site; its settings can allow them.";
	return Notification.permission === "granted" ? "" : "The browser has not been allowed to notify.";
}

/* ---- telling ---- */

const isLinked = name => !name.includes("/") && name !== "." && name !== "..";
const pageOf = name => new URL(isLinked(name) ? `server/${encodeURIComponent(name)}` : ".", root).href;

function notify(alerts, bucket) {
	const [{server, level, risk}] = alerts, names = alerts.map(alert => alert.server);
	const title = alerts.length > 1 ? `${alerts.length} servers at Danger or worse` : `${server} at ${level}`;
	const body = alerts.length > 1 ? names.slice(0, 5).join(", ") + (names[5] ? " ..." : "")
		: `Risk ${risk.toFixed(1)}`;

	try {
		const shown = new Notification(title, {body, tag: `tft-${bucket}`,
			icon: document.querySelector("link[rel=icon]").href});

		shown.onclick = () => {
			shown.close();
			window.focus();
			location.assign(pageOf(server));
		};
	} catch {
		/* help.js says so beside the choice, if it is open */
		for (const why of document.querySelectorAll("#why"))
			why.textContent = "This browser shows no notifications of pages.";
	}
}

/* A browser gives no sound to a page that nobody has touched yet, and complains about the attempt. */
function beep() {
	const Context = window.AudioContext || window.webkitAudioContext;

	if (!Context || navigator.userActivation?.hasBeenActive === false)
		return;
	audio = audio || new Context();
	audio.resume();
	const tone = audio.createOscillator(), gain = audio.createGain(), at = audio.currentTime;
	tone.frequency.value = 660;
	gain.gain.setValueAtTime(.1, at);
	gain.gain.exponentialRampToValueAtTime(.001, at + .4);
	tone.connect(gain).connect(audio.destination);
	tone.start(at);
	tone.stop(at + .4);
}

/* ---- comparing ---- */

const levelOf = alert => LEVELS.indexOf(alert.level);

function readTold() {
	try {
		return JSON.parse(recall(KEY)) || kept;
	} catch {
		return kept;
	}
}

function keepTold(told) {
	kept = told;
	try {
		localStorage.setItem(KEY, JSON.stringify(told));
	} catch {
		/* then each tab tells on its own */
	}
}

/* What is new since `before`: servers that have reached Danger, else those at a worst level that has risen. */
function risen(alerts, before, worst) {
	const reached = alerts.filter(alert => levelOf(alert) >= DANGER && !before.danger.includes(alert.server));

	if (reached.length || worst <= before.worst)
		return reached;
	return alerts.filter(alert => levelOf(alert) === worst).slice(0, 1);
}

function take(fleet, mode) {
	const before = readTold(), at = fleet.bucket * fleet.interval_s * S;
	const alerts = fleet.alerts.filter(alert => !alert.silenced_until);
	const worst = Math.max(-1, ...alerts.map(levelOf));
	const danger = alerts.filter(alert => levelOf(alert) >= DANGER).map(alert => alert.server);

	if (before && before.at >= at)
		return;
	keepTold({at, worst, danger});
	/* After a long absence there is nothing to compare with. */
	const fresh = before && at - before.at <= AWAY ? risen(alerts, before, worst) : [];
	if (!fresh.length)
		return;
	if (!explain(mode))
		notify(fresh, fleet.bucket);
	if (mode === "sound")
		beep();
}

/* The choice may have been changed in another tab. */
async function check() {
	const mode = recall("tft-notify");

	if (mode !== "on" && mode !== "sound")
		return;
	try {
		const answer = await fetch(new URL("api/v1/alerts", root), {cache: "no-cache"});
		const fleet = answer.ok ? await answer.json() : {};

		if (fleet.alerts)
			take(fleet, mode);
	} catch {
		/* the page says that it is offline; the next bucket tells */
	}
}

document.addEventListener("tft:polled", check);
check();
