/* SPDX-License-Identifier: MIT */
/*
 * Blocking, so that the first paint has its colours and leaves room for the controls of the other
 * scripts. Whether those run is not known here, on an old screen least of all: this file is written
 * in the language of 2009 (ES5). A page that comes back by itself says so in a <meta>, which
 * counts until this script takes it out; from then on it watches. Scripts that run say so by
 * data-runs of the root, and the watch does nothing.
 */
(function () {
"use strict";
var root = document.documentElement, script = document.currentScript;
var next = script.getAttribute("data-next"), seconds = script.getAttribute("data-reload");

/* Whole, and with the sheet of a build of ours. Anything else at one of our addresses is from a
 * gateway or another program: who goes there stays there. */
function isOurs(text) {
	return /"[^"]*static\/style\.\w+\.css"/.test(text) && /<\/html>\s*$/.test(text);
}

/* To a page with data of ours, null: to this one anew; as soon as it answers. */
function go(address) {
	var ask = new XMLHttpRequest();

	ask.open("GET", address || location.href);
	ask.timeout = 10000;
	ask.onloadend = function () {
		if (!isOurs(ask.responseText) || ask.responseText.indexOf("id=\"state\"") < 0)
			setTimeout(go, 5000, address);
		else if (address)
			location.assign(address);
		else
			location.reload();
	};
	ask.send();
}

function runs() {
	return root.hasAttribute("data-runs");
}

window.tft = {isOurs: isOurs, go: go};
root.classList.add("script");
try {
	root.setAttribute("data-theme", localStorage.getItem("tft-theme") || "auto");
} catch (e) {
	/* storage is switched off */
}
addEventListener("load", function () {
	if (!runs())
		root.classList.remove("script");
});
if (seconds) {
	/* A <meta> that has been read cannot be taken back: it becomes part of a comment, which ends
	 * behind it. */
	document.write("<!--");
	setTimeout(function () {
		if (!runs())
			go(next);
	}, seconds * 1000);
}
})();
