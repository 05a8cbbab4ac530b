# SPDX-License-Identifier: MIT
"""The footer of a page shows how all nodes were served before its snapshot, how long its call took and how much budget is
left."""
import re

from stack import Stack, long_interval

FRESH = 'tft_dashboard_cache_requests_total{result="fresh"}'
NODES = ("web1", "web2")
PAGES = 5
HITS = re.compile(r"(\d+) calls to the prediction daemon have served (\d+) requests from viewers, (\d+\.\d)% of them with current data, "
                  r"(\d+) with older data, (\d+) with none")
CALL = re.compile(r"Bucket (\d+) was fetched in (\d+) ms, calls left in that minute: (\d+); the next begins at")


class Nodes(Stack):
    def worker_env(self, host):
        return {**super().worker_env(host), "TFT_NODE": NODES[self.hosts.index(host)]}


def footer(stack, host=0):
    return re.search(r'<p class="served">(.*?)</p>', stack.get("/", host=host).text, re.S)[1]


def numbers(pattern, text):
    return [float(number) for number in pattern.search(text).groups()]


def test_the_footer_tells_how_all_nodes_were_served_before_its_snapshot():
    with Nodes(workers=1, hosts=2, l1=False) as stack:
        stack.wait_fleet()
        bucket, _, left = numbers(CALL, footer(stack))
        assert bucket == int(stack.redis.hget("tft:cur:fleet", "bucket"))
        for host in range(2):
            for _ in range(PAGES):
                stack.get("/", host=host)

        def counted():
            # A worker sends its counts after a response, at most once a second.
            for host in range(2):
                stack.get("/", host=host)
            return all(int(stack.redis.hget(f"tft:node:{node}", FRESH) or 0) >= PAGES for node in NODES)

        stack.wait(counted, 10, "the counts of both nodes")
        before = int(stack.redis.hget("tft:nodes", FRESH))
        assert before >= 2 * PAGES
        now = stack.redis.hget("tft:cur:fleet", "bucket")
        stack.redis.hset("tft:cur:fleet", "bucket", int(now) - 1)  # as if the next bucket had begun

        def refreshed():
            stack.get("/")
            return stack.redis.hget("tft:cur:fleet", "bucket") == now

        stack.wait(refreshed, 10, "a refresh")
        text = footer(stack)
        calls, requests, share, older, none = numbers(HITS, text)
        fresh = requests - older - none
        assert before <= fresh <= int(stack.redis.hget("tft:nodes", FRESH))
        assert abs(share - 100 * fresh / requests) <= 0.05 and calls >= 1
        assert numbers(CALL, text)[2] == left - 1
        assert footer(stack, host=1) == text


def test_how_long_a_refresh_takes_is_what_nine_of_ten_keep():
    with Stack(workers=1, interval=long_interval(), l1=False) as stack:
        stack.wait_fleet()
        stack.redis.delete("tft:calls:fleet")
        stack.redis.rpush("tft:calls:fleet", *(f"{stack.redis.time()[0]}000 200 {ms - 7} {ms} 900 ok" for ms in range(10000, 0, -1000)))
        snap = stack.redis.hget("tft:cur:fleet", "snap")
        stack.redis.set("tft:epoch:fleet", "flushed")

        def refreshed():
            stack.get("/")
            return stack.redis.hget("tft:cur:fleet", "snap") != snap

        stack.wait(refreshed, 10, "a refresh")
        assert 'data-fill-ms="9000"' in stack.get("/").text
