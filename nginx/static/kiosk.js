/* SPDX-License-Identifier: MIT */
/*
 * For a page that stays on a wall screen for weeks: shows the time, goes to the next tab, moves a
 * little every hour, and reloads every six hours.
 */
(() => {
"use strict";
const HOUR = 3600 * 1000;
const clock = Object.assign(document.createElement("p"), {id: "clock"});
const turn = document.querySelector("script[data-next]");
const words = new Intl.DateTimeFormat("en-GB",
	{hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short"});

function show(now) {
	const hour = Math.floor(now / HOUR);

	clock.textContent = words.format(now);
	/* Against burn-in. */
	document.body.style.left = `${hour % 3}px`;
	document.body.style.top = `${Math.floor(hour / 3) % 3}px`;
}

show(Date.now()); /* until the server's time is known */
document.addEventListener("tft:ticked", event => show(event.detail));
document.addEventListener("tft:polled", ({detail}) => {
	if (detail.changed && performance.now() > 6 * HOUR)
		location.reload();
});
document.querySelector("header").append(clock);
if (turn)
	setTimeout(tft.go, turn.dataset.reload * 1000, turn.dataset.next);
})();
