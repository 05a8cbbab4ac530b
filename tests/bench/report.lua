-- SPDX-License-Identifier: MIT
-- wrk's result as one line of JSON. Times are in milliseconds; an answer other than 2xx or 3xx is an error.
function done(summary, latency)
	local e = summary.errors
	io.write(string.format('{"requests":%d,"seconds":%.3f,"p50":%.3f,"p99":%.3f,"errors":%d}\n',
		summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
		e.connect + e.read + e.write + e.status + e.timeout))
end
