"""Latency with 1,000 queues and 1,000,000 waiting jobs, for tests/bench/run --full.

Two jobqd side by side, one empty, one loaded; one connection to each; rounds in turn, so that what
else the machine does meets both. PUSH, FETCH and INFO are timed one call at a time.
"""
import json
import os
import socket
import time

QUEUES, PER_QUEUE, ROUNDS, CALLS = 1000, 1000, 10, 150
LOADED = "1,000 queues and 1M jobs"


class Link:
    """One Faktory connection."""

    def __init__(self, url):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(url.removeprefix("unix:"))
        self.replies = self.socket.makefile("rb")
        self.replies.readline()
        self.expect('HELLO {"v":2}', b"+OK")

    def ask(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        reply = self.replies.readline()
        if reply[:1] == b"$" and reply != b"$-1\r\n":
            reply = self.replies.read(int(reply[1:]) + 2)
        return reply

    def expect(self, line, part):
        reply = self.ask(line)
        if part not in reply:
            raise SystemExit(f"jobqd answered {reply[:200]!r} to {line[:80]!r}")

    def timed(self, line, part):
        begin = time.perf_counter()
        self.expect(line, part)
        return (time.perf_counter() - begin) * 1e3


def load(link):
    payload = ["x" * 96]  # 100 bytes of JSON
    for queue in range(QUEUES):
        jobs = [{"jid": f"load{queue:04d}-{job:04d}", "jobtype": "bench", "queue": f"q{queue:04d}",
                 "args": payload} for job in range(PER_QUEUE)]
        link.expect("PUSHB " + json.dumps(jobs, separators=(",", ":")), b"{}")


def one_round(link, took, number):
    for call in range(CALLS):
        jid = f"round{number:04d}-{call:04d}"
        push = f'PUSH {{"jid":"{jid}","jobtype":"bench","queue":"fresh","args":[1]}}'
        took["PUSH"].append(link.timed(push, b"+OK"))
        took["FETCH"].append(link.timed("FETCH fresh", jid.encode()))
        link.expect(f'ACK {{"jid":"{jid}"}}', b"+OK")
        if call % 3 == 0:
            took["INFO"].append(link.timed("INFO", b'"total_enqueued"'))


def measure(results, daemon, children):
    """daemon makes a jobqd of its own; children(pid) are the processes it started."""
    with daemon() as empty, daemon() as loaded:
        links = {"empty": Link(empty.url), LOADED: Link(loaded.url)}
        load(links[LOADED])
        redis = loaded.child("redis")
        while any("redis" in open(f"/proc/{pid}/cmdline").read() for pid in children(redis)):
            time.sleep(0.2)  # a rewrite of the log copies pages
        took = {name: {"PUSH": [], "FETCH": [], "INFO": []} for name in links}
        one_round(links["empty"], {verb: [] for verb in took["empty"]}, 0)
        one_round(links[LOADED], {verb: [] for verb in took[LOADED]}, 0)
        for number in range(1, ROUNDS + 1):
            for name, link in links.items():
                one_round(link, took[name], number)
        results.add("  load average meanwhile", os.getloadavg()[0], "")
    for verb in ("PUSH", "FETCH", "INFO"):
        for percent in (50, 99):
            at = {name: sorted(took[name][verb]) for name in links}
            at = {name: times[len(times) * percent // 100] for name, times in at.items()}
            for name in links:
                results.add(f"{verb}, {name}, p{percent}", at[name], "ms")
            results.add(f"{verb}, loaded/empty, p{percent}", at[LOADED] / at["empty"], "times")
