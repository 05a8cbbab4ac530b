/* SPDX-License-Identifier: MIT */
/* A refresh with Alertmanagers, whose answers are those of fake_fetch.h. */
#ifndef TFT_ALERTING_FIXTURE_H
#define TFT_ALERTING_FIXTURE_H

#include "fake_fetch.h"
#include "refresh/refresh.h"

/* So many, with these URLs. *upstream is replaced by one that knows them. */
static inline void alerting_begin(struct refresh *refresh, struct upstream **upstream,
				  const char *urls, size_t count)
{
	static struct upstream_config config;
	static struct alerting alerting;

	config = fake_upstream;
	config.alertmanagers = urls;
	config.alert_auth = config.alert_ca_file = "";
	for (int e = UPSTREAM_ALERTS; e < UPSTREAM_ENDPOINTS; e++) {
		config.timeout_ms[e] = 5000;
		config.max_body[e] = 70000;
	}
	upstream_free(upstream);
	*upstream = refresh->upstream = upstream_new(&config);
	alerting = (struct alerting){.cache = refresh->cache,
				     .upstream = *upstream,
				     .metrics = refresh->metrics,
				     .alertmanagers = count,
				     .rules = {LEVEL_DANGER, 1, 600000},
				     .interval_ms = 30000,
				     .fleet = "north",
				     .public_url = ""};
	refresh->alerting = &alerting;
}

/* Records of a real one. */
static inline void alerting_answers(void)
{
	fetch_records("told", "alertmanager-alerts.json");
	fetch_records("silences", "alertmanager-silences.json");
	fetch_records("about", "alertmanager-status.json");
}

#endif
