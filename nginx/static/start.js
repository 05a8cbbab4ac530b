/* SPDX-License-Identifier: MIT */
/*
 * Blocks rendering, so that the first paint has the right colours and leaves room for the controls
 * of the other scripts. An old browser may not run those, so this file is written in ES5. A page
 * that reloads itself has a <meta> for that, which this script disables; from then on this script
 * watches instead. Scripts that run set data-runs on the root, and then the watch does nothing.
 */
(function () {
"use strict";
var root = document.documentElement, script = document.currentScript;
var next = script.getAttribute("data-next"), seconds = script.getAttribute("data-reload");

/* Whether a page is complete and has the style sheet of one of our builds. Anything else at our
 * addresses comes from a gateway or another program, and a browser that loaded it would stay there. */
function isOurs(text) {
	return /"[^"]*static\/style\.\w+\.css"/.test(text) && /<\/html>\s*$/.test(text);
}

/* Loads the page at the address, or reloads this one (null), as soon as it answers with a state. */
function go(address) {
	var request = new XMLHttpRequest();

	request.open("GET", address || location.href);
	request.timeout = 10000;
	request.onloadend = function () {
		if (!isOurs(request.responseText) || request.responseText.indexOf("id=\"state\"") < 0)
			setTimeout(go, 5000, address);
		else if (address)
			location.assign(address);
		else
			location.reload();
	};
	request.send();
}

function runs() {
	return root.hasAttribute("data-runs");
}

window.tft = {isOurs: isOurs, go: go, prepare: function () {}};
root.classList.add("script");
try {
	root.setAttribute("data-theme", localStorage.getItem("tft-theme") || "auto");
	root.setAttribute("data-rows", localStorage.getItem("tft-compact") === "yes" ? "compact" : "");
} catch (e) {
	/* storage is switched off */
}
addEventListener("load", function () {
	if (!runs())
		root.classList.remove("script");
});
if (seconds) {
	/* A <meta> that has been parsed cannot be undone, so it becomes part of a comment, which ends
	 * after it. */
	document.write("<!--");
	setTimeout(function () {
		if (!runs())
			go(next);
	}, seconds * 1000);
}
})();
