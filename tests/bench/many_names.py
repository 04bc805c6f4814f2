"""What a look costs with 60,000 names of queues: python3 tests/bench/many_names.py JOBQD JOBQ.

A jobqd and a Redis (everysec) of its own; a job in each queue. Then each look, its slowest script by
Redis's own clock, and how long others' PUSH takes meanwhile.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

NAMES, LOOKS, PUSHES = 60_000, 40, 4_000


class Link:
    def __init__(self, path, hello=None):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.replies = self.socket.makefile("rb")
        if hello:
            self.replies.readline()
            self.ask(hello)

    def ask(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        reply = self.replies.readline()
        if reply[:1] == b"$" and reply != b"$-1\r\n":
            reply = self.replies.read(int(reply[1:]) + 2)
        if reply[:1] == b"-":
            raise SystemExit(f"{reply!r} to {line[:80]!r}")
        return reply


def all_pages(link):
    """What `jobq queue list` asks for."""
    cursor = ""
    while True:
        page = json.loads(link.ask("JOBQ QUEUES " + json.dumps({"cursor": cursor})))
        cursor = page["next"]
        if not cursor:
            return


def scrape():
    urllib.request.urlopen("http://127.0.0.1:7499/metrics").read()


def start_redis(path, directory):
    """Debian's redis-check-rdb is the same program: it goes by its name."""
    program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    words = ["--port", "0", "--unixsocket", path, "--dir", directory, "--save", "", "--appendonly", "yes"]
    server = subprocess.Popen(["redis-server", *words], executable=program, stdout=subprocess.DEVNULL)
    while not os.path.exists(path):
        time.sleep(0.01)
    return server


def redis(path, *words):
    """An answer of Redis as text, by its own tool."""
    run = subprocess.run(["redis-cli", "-s", path, *words], capture_output=True, check=True)
    return run.stdout.decode(errors="replace")


def slowest_ms(path, look, looks=LOOKS):
    redis(path, "CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "1000000")
    redis(path, "SLOWLOG", "RESET")
    for _ in range(looks):
        look()
    rows = json.loads(redis(path, "--json", "SLOWLOG", "GET", "1000000"), strict=False)
    took = [row[2] for row in rows if row[3][0].upper() in ("EVALSHA", "EVAL")]
    return max(took) / 1000, len(took) / looks


def pushes(sock, stop, took):
    link = Link(sock, 'HELLO {"v":2}')
    number = 0
    while not stop.is_set() and number < PUSHES:
        number += 1
        begin = time.perf_counter()
        link.ask(f'PUSH {{"jid":"{os.getpid()}-{id(took)}-{number:06d}","jobtype":"x","queue":"fresh","args":[]}}')
        took.append((time.perf_counter() - begin) * 1e3)


def p99(sock, meanwhile=None):
    stop, took = threading.Event(), []
    pusher = threading.Thread(target=pushes, args=(sock, stop, took))
    pusher.start()
    end = time.monotonic() + 4
    while pusher.is_alive() and time.monotonic() < end:
        if meanwhile:
            meanwhile()
        else:
            time.sleep(0.01)
    stop.set()
    pusher.join()
    took.sort()
    return took[len(took) * 99 // 100]


def main():
    jobqd, directory = sys.argv[1], tempfile.mkdtemp()
    sock, store = directory + "/q", directory + "/redis.sock"
    with open(directory + "/c.toml", "w") as file:
        file.write(f'[listen]\nunix = "{sock}"\ntcp = ""\nhttp = "127.0.0.1:7499"\n')
        file.write(f'[redis]\nurl = "unix:{store}"\n')
    server = start_redis(store, directory)
    daemon = subprocess.Popen([jobqd, "--config", directory + "/c.toml", "--state-dir", directory + "/s"],
                              stderr=open(directory + "/log", "w"))
    try:
        for _ in range(200):
            try:
                link = Link(sock, 'HELLO {"v":2,"jobq":1}')
                break
            except (OSError, ConnectionError):
                time.sleep(0.1)
        quiet = p99(sock)
        for first in range(0, NAMES, 500):
            link.ask("PUSHB " + json.dumps([{"jid": f"named-{n:06d}", "jobtype": "x", "queue": f"tenant-{n:06d}",
                                             "args": []} for n in range(first, first + 500)]))
        looks = {
            "status": lambda: link.ask('JOBQ STATUS {"jids":["named-000777"]}'),
            "stats": lambda: link.ask("JOBQ STATS {}"),
            "a page of queues": lambda: link.ask('JOBQ QUEUES {"limit":100}'),
            "the longest page of queues": lambda: link.ask('JOBQ QUEUES {"cursor":"tenant-030000"}'),
            "all queues": lambda: all_pages(link),
            "/metrics": scrape,
            "a page of ready jobs": lambda: link.ask('JOBQ LIST {"state":"ready"}'),
            "INFO": lambda: link.ask("INFO"),
        }
        for name, look in looks.items():
            most, calls = slowest_ms(store, look, 3 if name in ("all queues", "INFO") else LOOKS)
            print(f"{name}: slowest script {most:.2f} ms, {calls:.2f} scripts a look")
        redis(store, "CONFIG", "SET", "slowlog-log-slower-than", "10000")
        print(f"PUSH p99: {quiet:.2f} ms with no names, {p99(sock):.2f} with {NAMES}")
        for name, look in looks.items():
            print(f"PUSH p99 while somebody asks for {name} all the time: {p99(sock, look):.2f} ms")
    finally:
        for process in (daemon, server):
            process.terminate()
            process.wait()


main()
