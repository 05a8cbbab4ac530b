/* SPDX-License-Identifier: MIT */
/* The functions that write the contents of pages and routes, listed in the catalogue. Each one only
 * appends to `out`. */
#ifndef TFT_CONTENTS_H
#define TFT_CONTENTS_H

#include "pages/view.h"

void page_overview(const struct view *view, struct buf *out);
void page_heatmap(const struct view *view, struct buf *out);
void page_top(const struct view *view, struct buf *out);
void page_server(const struct view *view, struct buf *out);
void api_fleet(const struct view *view, struct buf *out);
void api_alerts(const struct view *view, struct buf *out);
void page_cost(const struct view *view, struct buf *out);
void page_cost_form(const struct bad_value *bad, struct buf *out);
void page_remediation(const struct view *view, struct buf *out);
void page_alerting(const struct view *view, struct buf *out);
void page_docs(const struct view *view, struct buf *out);
void page_roadmap(const struct view *view, struct buf *out);
void page_advanced(const struct view *view, struct buf *out);
void api_heatmap(const struct view *view, struct buf *out);
void api_top(const struct view *view, struct buf *out);
void api_server(const struct view *view, struct buf *out);
void api_cost(const struct view *view, struct buf *out);
void api_remediation(const struct view *view, struct buf *out);
void api_alerting(const struct view *view, struct buf *out);
void csv_overview(const struct view *view, struct buf *out);
void csv_heatmap(const struct view *view, struct buf *out);
void csv_top(const struct view *view, struct buf *out);
void csv_server(const struct view *view, struct buf *out);
void csv_cost(const struct view *view, struct buf *out);
void csv_remediation(const struct view *view, struct buf *out);
void csv_alerting(const struct view *view, struct buf *out);
/* The badge of view->server; of the fleet when that is NULL. */
void page_badge(const struct view *view, struct buf *out);
void page_history(const struct view *view, struct buf *out);
void api_history(const struct view *view, struct buf *out);
void csv_history(const struct view *view, struct buf *out);
void page_incidents(const struct view *view, struct buf *out);
void api_incidents(const struct view *view, struct buf *out);
void csv_incidents(const struct view *view, struct buf *out);
void page_accuracy(const struct view *view, struct buf *out);
void api_accuracy(const struct view *view, struct buf *out);
void csv_accuracy(const struct view *view, struct buf *out);
void page_changes(const struct view *view, struct buf *out);
void api_changes(const struct view *view, struct buf *out);
void csv_changes(const struct view *view, struct buf *out);

#endif
