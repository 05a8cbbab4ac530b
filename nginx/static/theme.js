/* SPDX-License-Identifier: MIT */
/* Blocking, so that the first paint has its colours and leaves room for the script's controls. */
document.documentElement.classList.add("script");
try {
	document.documentElement.dataset.theme = localStorage.getItem("tft-theme") || "auto";
} catch {}
