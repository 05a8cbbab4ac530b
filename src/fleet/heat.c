/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/heat.h"

double heat_value(const struct server *server, enum heat_metric metric)
{
	switch (metric) {
	case HEAT_CPU:
		return server->cpu.worst;
	case HEAT_MEMORY:
		return server->memory.worst;
	case HEAT_LOAD:
		return server->load.worst;
	case HEAT_RISK:
	case HEAT_METRICS:
		break;
	}
	return server->risk / 10.0;
}
