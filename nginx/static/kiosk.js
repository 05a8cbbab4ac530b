/* SPDX-License-Identifier: MIT */
/*
 * A page on a wall, for weeks: it shows the time, goes to the next tab, moves a little every hour, and
 * starts anew every six.
 */
(() => {
"use strict";
const HOUR = 3600 * 1000;
const clock = Object.assign(document.createElement("p"), {id: "clock"});
const words = new Intl.DateTimeFormat("en-GB",
	{hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short"});

/* Not before the next page is there: a browser's error page would stay for good. */
async function rotate() {
	try {
		await fetch(document.body.dataset.next);
		location.assign(document.body.dataset.next);
	} catch {
		setTimeout(rotate, 5000);
	}
}

function show(now) {
	const hour = Math.floor(now / HOUR);

	clock.textContent = words.format(now);
	/* Against burn-in. */
	document.body.style.translate = `${hour % 3}px ${Math.floor(hour / 3) % 3}px`;
}

show(Date.now()); /* until the server's time is known */
document.addEventListener("tft:ticked", event => show(event.detail));
document.addEventListener("tft:polled", ({detail}) => {
	if (detail.changed && performance.now() > 6 * HOUR)
		location.reload();
});
document.querySelector("header").append(clock);
if (document.body.dataset.next)
	setTimeout(rotate, document.body.dataset.every * 1000);
})();
