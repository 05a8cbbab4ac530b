/* SPDX-License-Identifier: MIT */
/*
 * The keys, and what a viewer can choose: theme, density, keys, notifications. The browser remembers it.
 * A module that app.js loads when it is asked for.
 */
const {make, recall, remember} = tft;
const root = document.documentElement;
const KEYS = {
	"?": "this help",
	"g o": "overview",
	"g h": "heatmap",
	"g t": "highest risks",
	"/": "find a server",
	p: "pause, resume",
	r: "refresh, apply new data",
	w: "wall screen, and back",
	j: "next server",
	k: "previous server",
	o: "why: open or close its row; Enter opens its page",
};
const PAST = {
	"← →": "a bucket back, forward",
	"Shift ← →": "5 minutes back, forward",
};

function makeSwitch(key, standard, words, onchange) {
	const box = make("input", {type: "checkbox", checked: (recall(key) ?? standard) === "yes", onchange() {
		remember(key, box.checked ? "yes" : "no");
		onchange?.(box.checked);
	}});

	return make("p", {}, make("label", {}, box, ` ${words}`));
}

function makeChoice(id, words, values, onchange) {
	const choice = make("select", {id, onchange() {
		remember(`tft-${id}`, choice.value);
		onchange(choice.value);
	}}, ...Object.entries(values).map(([value, name]) => make("option", {value}, name)));

	choice.value = recall(`tft-${id}`) || Object.keys(values)[0];
	return make("p", {}, make("label", {}, `${words} `, choice));
}

/* Why nothing is shown is said beside the choice. A browser asks for permission only upon what the viewer does. */
const why = make("p", {id: "why", role: "status"});

async function notify(mode) {
	if (mode !== "off")
		await window.Notification?.requestPermission?.();
	explain(mode);
}

function explain(mode) {
	tft.load("told").then(told => why.textContent = told.explain(mode), () => {});
}

function build() {
	const mode = recall("tft-notify") || "off";
	const dialog = make("dialog", {id: "help", className: "panel"}, make("h2", {}, "Keys and settings"),
		make("dl", {}, ...Object.entries({...KEYS, ...tft.past && PAST}).flatMap(([key, words]) =>
			[make("dt", {}, make("kbd", {}, key)), make("dd", {}, words)])),
		makeSwitch("tft-keys", "yes", "Keys without Ctrl or Alt"),
		makeSwitch("tft-compact", "no", "Compact rows of tables", on => root.dataset.rows = on ? "compact" : ""),
		makeChoice("theme", "Theme", {auto: "as the system", light: "light", dark: "dark"},
			theme => root.dataset.theme = theme),
		makeChoice("notify", "Notifications of a worse level and of servers at Danger",
			{off: "off", on: "on", sound: "on, sound"}, notify),
		why, make("button", {type: "button", onclick: () => dialog.close()}, "Close"));

	if (mode !== "off")
		explain(mode);
	document.body.append(dialog);
	return dialog;
}

let dialog;

export function open() {
	dialog ??= build();
	if (!dialog.open)
		dialog.showModal();
}
