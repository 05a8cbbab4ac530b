/* SPDX-License-Identifier: MIT */
/* One function per family of series. All families are gauges. */
#include "config.h"
#include "pages/fleet_metrics.h"

#include <inttypes.h>
#include <math.h>

#include "base/fmt.h"

static void put_head(struct buf *out, const char *name, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* --- lines --- */

static void put_escaped(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\\' || c == '"' || c == '\n')
			buf_char(out, '\\');
		buf_char(out, c == '\n' ? 'n' : c);
	}
}

/* The name and the first label of a line; the caller closes the braces. */
static void begin_line(struct buf *out, struct span name, const struct server *server)
{
	buf_span_add(out, name);
	buf_lit(out, "{server=\"");
	put_escaped(out, server->name);
	buf_char(out, '"');
}

static void put_label(struct buf *out, struct span name, const char *word)
{
	buf_char(out, ',');
	buf_span_add(out, name);
	buf_lit(out, "=\"");
	buf_span_add(out, span_str(word));
	buf_char(out, '"');
}

static void end_line(struct buf *out, int64_t value)
{
	buf_lit(out, "} ");
	buf_int(out, value);
	buf_char(out, '\n');
}

/* --- servers --- */

static void put_risk(struct span name, const struct server *server, struct buf *out)
{
	begin_line(out, name, server);
	put_label(out, SPAN("profile"), profile_table[server->profile].slug);
	buf_lit(out, "} ");
	fmt_tenths(out, server->risk);
	buf_char(out, '\n');
}

/* Upwards from Healthy, so that a rule can say "at this level or a worse one". */
static void put_level(struct span name, const struct server *server, struct buf *out)
{
	begin_line(out, name, server);
	put_label(out, SPAN("profile"), profile_table[server->profile].slug);
	end_line(out, LEVEL_HEALTHY - level_of(server->risk));
}

static void put_value(struct span name, const struct server *server, const char *metric,
		      const char *when, double value, struct buf *out)
{
	if (isnan(value))
		return;
	begin_line(out, name, server);
	put_label(out, SPAN("metric"), metric);
	put_label(out, SPAN("when"), when);
	buf_lit(out, "} ");
	fmt_number(out, value, 2);
	buf_char(out, '\n');
}

static void put_reading(struct span name, const struct server *server, const char *metric,
			const struct reading *reading, struct buf *out)
{
	put_value(name, server, metric, "now", reading->now, out);
	put_value(name, server, metric, "p50_30m", reading->predicted, out);
	put_value(name, server, metric, "worst_30m", reading->worst, out);
}

static void put_values(struct span name, const struct server *server, struct buf *out)
{
	put_reading(name, server, "cpu", &server->cpu, out);
	put_reading(name, server, "iowait", &server->iowait, out);
	put_reading(name, server, "memory", &server->memory, out);
	put_reading(name, server, "load", &server->load, out);
	put_value(name, server, "swap", "now", server->swap_now, out);
}

static void put_crossings(struct span name, const struct server *server, struct buf *out)
{
	for (int i = 0; i < CROSSINGS; i++) {
		const struct crossing *crossing = &server->crossings[i];

		if (!crossing->steps)
			continue;
		begin_line(out, name, server);
		put_label(out, SPAN("metric"), metric_table[crossing_table[i].metric].wire);
		put_label(out, SPAN("limit"), crossing->critical ? "critical" : "warning");
		end_line(out, INT64_C(60) * crossing_minutes(crossing));
	}
}

static const struct {
	const char *name, *help;
	void (*put)(struct span name, const struct server *server, struct buf *out);
} of_servers[] = {
	{"tft_server_risk", "Risk of the server, 0 to 100.", put_risk},
	{"tft_server_level",
	 "Level of the server: 0 healthy, 1 watch, 2 degrading, 3 warning, 4 danger, 5 critical, 6 "
	 "imminent.",
	 put_level},
	{"tft_server_value", "Value of the server: now, forecast for the next 30 min, worst case.",
	 put_values},
	{"tft_server_crossing_seconds",
	 "Time until the forecast reaches a limit, where it does so within the hour.",
	 put_crossings},
};

static void put_silences(const struct snapshot *snap, struct buf *out)
{
	static const char name[] = "tft_server_silent_seconds";

	put_head(out, name, "For how long a silent server has sent nothing new; 0 for the others.");
	for (size_t i = 0; i < snap->count; i++) {
		const struct server *server = &snap->servers[i];
		bool silent = server_is_silent(server, snap->gen_ms);

		begin_line(out, span_str(name), server);
		end_line(out, silent ? (snap->gen_ms - server->same_since_ms) / 1000 : 0);
	}
}

/* --- the fleet --- */

static void put_index(const char *horizon, double value, struct buf *out)
{
	if (isnan(value))
		return;
	buf_addf(out, "tft_incident_index{horizon=\"%s\"} ", horizon);
	fmt_number(out, value, 4);
	buf_char(out, '\n');
}

static void put_fleet(const struct snapshot *snap, struct buf *out)
{
	struct fleet_counts counts;

	snapshot_count(snap, &counts);
	put_head(out, "tft_servers", "Servers at each level.");
	for (int level = 0; level < LEVEL_COUNT; level++)
		buf_addf(out, "tft_servers{level=\"%s\"} %u\n", level_table[level].slug,
			 counts.level[level]);
	put_head(out, "tft_environment_status",
		 "Status of the environment: 0 unknown, 1 healthy, 2 caution, 3 warning, 4 "
		 "critical.");
	buf_addf(out, "tft_environment_status %d\n",
		 (int)status_of_fleet(counts.total, counts.or_worse));
	put_head(out, "tft_incident_index", "Incident index of the daemon, 0 to 1.");
	put_index("30m", snap->prob_30m, out);
	put_index("8h", snap->prob_8h, out);
}

void fleet_metrics_values(const struct snapshot *snap, struct buf *out)
{
	for (size_t f = 0; f < sizeof(of_servers) / sizeof(of_servers[0]); f++) {
		put_head(out, of_servers[f].name, of_servers[f].help);
		for (size_t i = 0; i < snap->count; i++)
			of_servers[f].put(span_str(of_servers[f].name), &snap->servers[i], out);
	}
	put_silences(snap, out);
	put_fleet(snap, out);
}

void fleet_metrics_time(int64_t gen_ms, struct buf *out)
{
	put_head(out, "tft_snapshot_timestamp_seconds", "When the data were requested.");
	buf_addf(out, "tft_snapshot_timestamp_seconds %" PRId64 ".%03d\n", gen_ms / 1000,
		 (int)(gen_ms % 1000));
}
