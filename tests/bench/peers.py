"""The peers that tests/bench/run --peers measures beside jobq: beanstalkd, Sidekiq and BullMQ.

A peer is installed here, when it is asked for, from Debian's packages or with npm; what can't be had
becomes a row that says why, and the run goes on. Each measurement has a server of its own on a
temporary directory, so nothing waits in it from before. Sidekiq and BullMQ run twice: on a Redis that
syncs each write, as jobq's own does ("fsync"), and on one with Redis's defaults ("RDB only").
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent / "peers"
LIMIT_S = 300  # for one driver process
DURABILITIES = {"fsync": ["--appendonly", "yes", "--appendfsync", "always", "--save", ""],
                "RDB only": []}


class Missing(Exception):
    """A peer that can't be had: what failed, and what to do."""


def run(words, **options):
    """What the command printed; Missing when it can't be started or fails."""
    try:
        return subprocess.run(words, check=True, text=True, capture_output=True, **options).stdout
    except FileNotFoundError:
        raise Missing(f"there is no {words[0]}: install it") from None
    except subprocess.CalledProcessError as failure:
        said = " ".join((failure.stderr.strip() or failure.stdout.strip() or "no message").split())
        raise Missing(f"`{' '.join(map(str, words))}` ended with {failure.returncode}: {said[:300]}"
                      ) from None
    except subprocess.TimeoutExpired:
        raise Missing(f"`{' '.join(map(str, words))}` took over {LIMIT_S} s") from None


def debian(package, program):
    """Installs a Debian package unless its program is there."""
    if not shutil.which(program):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        run([*sudo, "apt-get", "install", "-y", "--no-install-recommends", package])


class Redis:
    """A redis-server of its own on a Unix socket, gone with its directory."""

    def __init__(self, settings):
        self.settings = settings

    def __enter__(self):
        # Debian's redis-check-rdb, which redis-tools brings, is the server when it is called so.
        program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
        if not program:
            raise Missing("there is no redis-server: apt install redis-tools")
        self.dir = tempfile.mkdtemp(prefix="jobq-bench-")
        self.socket = f"{self.dir}/redis"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.dir,
             "--maxmemory-policy", "noeviction", *self.settings],
            executable=program, stdout=subprocess.DEVNULL)
        for _ in range(1000):
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(self.socket) == 0:
                    return self
            time.sleep(0.01)
        self.__exit__()
        raise Missing("its redis-server did not start within 10 s")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)

    def figure(self, words, **env):
        """Runs a driver on this Redis: the line of JSON it printed."""
        out = run(words, cwd=env.pop("cwd", HERE), timeout=LIMIT_S,
                  env=dict(os.environ, REDIS_SOCKET=self.socket, **env))
        for line in out.splitlines():
            if line.startswith("{"):
                return json.loads(line)
        raise Missing(f"`{' '.join(words)}` ended without a figure: {out[:300]!r}")


def redis_peer(results, size, name, enqueue, drain):
    """One peer's rows. enqueue(redis, mode, jobs, clients) and drain(redis, jobs, slots) are figures."""
    for durability, settings in DURABILITIES.items():
        def add(what, figure):
            results.add(f"{name} {figure['version']}, {durability}: {what}",
                        figure["jobs_per_s"], "jobs/s")
        one, many = max(10, size // 100 * 10), max(1000, size // 5000 * 1000)
        with Redis(settings) as redis:
            add("1 a call, 10 clients", enqueue(redis, "push", one, 10))
        for slots in (10, 50):
            with Redis(settings) as redis:
                bulk = enqueue(redis, "bulk", many, 1)
                if slots == 10:
                    add("bulk of 1,000", bulk)
                add(f"drain, {slots} slots", drain(redis, many, slots))


def sidekiq(results, size):
    debian("ruby-sidekiq", "sidekiq")
    driver = str(HERE / "sidekiq_driver.rb")
    redis_peer(results, size, "Sidekiq",
               lambda redis, mode, jobs, clients:
                   redis.figure(["ruby", driver, mode, str(jobs), str(clients)]),
               lambda redis, jobs, slots:
                   redis.figure(["sidekiq", "-c", str(slots), "-r", driver], JOBS=str(jobs)))


def npm_folder(build):
    """The folder with the pinned BullMQ and our driver; npm fills it when the pins have changed."""
    folder = build / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    lock, done = (HERE / "package-lock.json").read_text(), folder / "installed"
    if not done.exists() or done.read_text() != lock:
        done.unlink(missing_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(HERE / file, folder)
        # Not `npm ci`: it refuses a lock without the optional binaries of every other system.
        shutil.rmtree(folder / "node_modules", ignore_errors=True)
        run(["npm", "install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund"], cwd=folder,
            timeout=LIMIT_S)
        done.write_text(lock)
    shutil.copy(HERE / "bullmq_driver.js", folder)
    return folder


def bullmq(results, size, build):
    folder = npm_folder(build)

    def call(redis, *words):
        return redis.figure(["node", "bullmq_driver.js", *map(str, words)], cwd=folder)
    redis_peer(results, size, "BullMQ", call,
               lambda redis, jobs, slots: call(redis, "drain", jobs, slots))


def beanstalkd(results, size):
    """Bulk puts and a drain through one connection, its log with fsync for each write."""
    debian("beanstalkd", "beanstalkd")
    name = f"{run(['beanstalkd', '-v']).strip()}, fsync"
    directory = tempfile.mkdtemp(prefix="jobq-bench-")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    peer = subprocess.Popen(["beanstalkd", "-l", "127.0.0.1", "-p", str(port), "-b", directory,
                             "-f0"])
    try:
        for _ in range(200):
            try:
                link = socket.create_connection(("127.0.0.1", port))
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        replies, jobs = link.makefile("rb"), size // 50
        put = b"put 100 0 60 100\r\n" + b"x" * 100 + b"\r\n"
        begin = time.monotonic()
        for _ in range(jobs // 100):
            link.sendall(put * 100)
            for _ in range(100):
                assert replies.readline().startswith(b"INSERTED")
        results.add(f"{name}: bulk of puts", jobs / (time.monotonic() - begin), "jobs/s")
        begin = time.monotonic()
        for _ in range(jobs):
            link.sendall(b"reserve\r\n")
            _, number, size_ = replies.readline().split()
            replies.read(int(size_) + 2)
            link.sendall(b"delete " + number + b"\r\n")
            assert replies.readline() == b"DELETED\r\n"
        results.add(f"{name}: drain, 1 worker", jobs / (time.monotonic() - begin), "jobs/s")
    finally:
        peer.terminate()
        peer.wait()
        shutil.rmtree(directory)


def groups(build):
    """The groups of --peers for tests/bench/run: each adds its rows, or one that says why it can't."""
    def guarded(name, measure):
        def group(results, size):
            try:
                measure(results, size)
            except Missing as reason:
                results.note(name, f"not measured: {reason}")
        group.__name__ = name
        return group
    return [guarded("beanstalkd", beanstalkd), guarded("sidekiq", sidekiq),
            guarded("bullmq", lambda results, size: bullmq(results, size, build))]
