// What users do with the npm package faktory-worker, against the jobqd at FAKTORY_URL. Prints a line
// for each step; the first surprise ends it with status 1. Run by faktory_worker_test.cpp beside an
// installed package.
const assert = require("node:assert/strict");
const { setTimeout: pause } = require("node:timers/promises");
const { Client, Worker, Job } = require("faktory-worker");

const client = new Client();
const faktory = async () => (await client.info()).faktory;
const sizes = async () => (await faktory()).sets;

async function until(what, condition) {
    for (let tries = 0; tries < 500; ++tries) {
        if (await condition()) return;
        await pause(20);
    }
    assert.fail(`not in time: ${what}`);
}

// A job that is fetched and failed.
async function failed(type, args, retry = 25) {
    const job = client.job(type, ...args);
    job.queue = "failing";
    job.retry = retry;
    await job.push();
    const fetched = await client.fetch("failing");
    assert.equal(fetched.jid, job.jid);
    await client.fail(job.jid, Object.assign(new Error("it broke"), { code: "EBROKE" }));
    return job.jid;
}

const steps = {
    async "connect and info"() {
        await client.connect();
        const info = await client.info();
        assert.match(info.server.faktory_version, /^1\.\d+\.\d+$/);
        for (const set of ["Retries", "Dead", "Scheduled", "Busy", "Workers"])
            assert.equal(info.faktory.tasks[set].size, 0);
        assert.equal(await client.fetch("empty"), null);
    },

    async "push one, with everything"() {
        const job = client.job("Custom", { a: [1, "é"] }, 9007199254740991);
        job.queue = "single";
        job.custom = { trace: "abc", n: { deep: true } };
        job.retry = 3;
        job.reserveFor = 600;
        assert.equal(await job.push(), job.jid);
        const fetched = await client.fetch("nothing-here", "single");
        assert.equal(fetched.jid, job.jid);
        assert.equal(fetched.jobtype, "Custom");
        assert.deepEqual(fetched.args, [{ a: [1, "é"] }, 9007199254740991]);
        assert.deepEqual(fetched.custom, job.custom);
        assert.equal(fetched.retry, 3);
        assert.equal(fetched.reserve_for, 600);
        assert.equal((await sizes()).working, 1);
        assert.equal(await client.ack(job.jid), "OK");
        assert.equal((await sizes()).working, 0);
    },

    async "push what is refused"() {
        const job = client.job("Refused");
        job.reserveFor = 100000;
        await assert.rejects(job.push(), /jobs cannot be reserved for more than one day/);
        job.reserveFor = 60;
        job.queue = "no good";
        await assert.rejects(job.push(), /queue names must match/);
    },

    async "push many"() {
        const jobs = Array.from({ length: 500 }, (_, i) => {
            const job = client.job("Bulk", i);
            job.queue = "bulk";
            return job;
        });
        jobs[7].jid = "short";
        const rejected = await client.pushBulk(jobs);
        assert.deepEqual(Object.keys(rejected), ["short"]);
        assert.match(rejected.short.reason, /reasonable jid/);
        assert.equal((await faktory()).queues.bulk, 499);
        assert.deepEqual((await client.fetch("bulk")).args, [0]);
    },

    async "push for later"() {
        const soon = client.job("Later");
        soon.queue = "later";
        soon.at = new Date(Date.now() + 1000);
        const late = client.job("Later");
        late.at = "2999-01-01T00:00:00Z";
        await soon.push();
        await late.push();
        assert.equal((await sizes()).scheduled, 2);
        let fetched = null;
        await until("the scheduled job", async () => (fetched = await client.fetch("later")));
        assert.equal(fetched.jid, soon.jid);
        assert.ok(Date.now() >= Date.parse(soon.at));
        await client.ack(fetched.jid);
        await client.scheduled.clear();
        assert.equal((await sizes()).scheduled, 0);
    },

    async "mutate retries and dead, with filters"() {
        const a = await failed("A", ["uid:1"]);
        await failed("A", ["uid:2"]);
        await failed("B", ["uid:3"]);
        await failed("C", ["uid:4"], -1);
        assert.equal((await sizes()).retries, 3);
        assert.equal((await sizes()).dead, 1);
        await client.retries.withJids(a).requeue();
        const again = await client.fetch("failing");
        assert.equal(again.jid, a);
        assert.equal(again.failure.message, "it broke");
        assert.equal(again.failure.errtype, "EBROKE");
        assert.equal(again.failure.retry_count, 0);
        await client.ack(a);
        await client.retries.ofType("B").kill();
        assert.equal((await sizes()).dead, 2);
        await client.retries.matching("*uid:9*").discard();
        assert.equal((await sizes()).retries, 1);
        await client.retries.ofType("A").matching("*uid:2*").discard();
        assert.equal((await sizes()).retries, 0);
        await client.dead.ofType("C").discard();
        assert.equal((await sizes()).dead, 1);
        await client.dead.clear();
        assert.equal((await sizes()).dead, 0);
    },

    // The library has no call of its own for it.
    async "pause and resume a queue"() {
        const job = client.job("Paused");
        job.queue = "paused";
        await job.push();
        assert.equal(await client.send(["QUEUE", "PAUSE", "paused"]), "OK");
        assert.equal(await client.fetch("paused"), null);
        assert.equal(await client.send(["QUEUE", "RESUME", "paused"]), "OK");
        assert.equal((await client.fetch("paused")).jid, job.jid);
        await client.ack(job.jid);
    },

    async "1,000 jobs with 20 handlers"() {
        await client.flush();
        const runs = new Map();
        let now = 0, most = 0;
        const worker = new Worker({ queues: ["work", "default"], concurrency: 20 });
        worker.register("Work", async (n) => {
            runs.set(n, (runs.get(n) ?? 0) + 1);
            most = Math.max(most, ++now);
            // The first ones wait for each other.
            await until("20 jobs at once", () => most === 20);
            --now;
            if (n % 100 === 99) throw new Error(`no ${n}`);
        });
        await worker.work();
        const jobs = Array.from({ length: 1000 }, (_, n) => {
            const job = client.job("Work", n);
            job.queue = n % 2 ? "work" : "default";
            return job;
        });
        assert.deepEqual(await client.pushBulk(jobs.slice(0, 500)), {});
        await Promise.all(jobs.slice(500).map((job) => job.push()));
        await until("1,000 jobs", async () => (await faktory()).total_processed === 1000);
        assert.equal(runs.size, 1000);
        assert.ok([...runs.values()].every((times) => times === 1));
        assert.equal(most, 20);
        const info = await faktory();
        assert.equal(info.total_failures, 10);
        assert.equal(info.sets.retries, 10);
        assert.equal(info.sets.working, 0);
        assert.equal(info.tasks.Workers.size, 1);
        await worker.stop();
        await until("the worker to be gone", async () => (await faktory()).tasks.Workers.size === 0);
    },

    async "a stop in the middle of work leaves no job running"() {
        let done = 0;
        const worker = new Worker({ queues: ["slow"], concurrency: 5 });
        worker.register("Slow", async () => {
            await pause(300);
            ++done;
        });
        const jobs = Array.from({ length: 5 }, () => Object.assign(client.job("Slow"), { queue: "slow" }));
        await client.pushBulk(jobs);
        await worker.work();
        await until("all to run", async () => (await sizes()).working === 5);
        await worker.stop();
        assert.equal(done, 5);
        assert.equal((await sizes()).working, 0);
        assert.equal((await faktory()).queues.slow, 0);
    },

    async "the server's quiet ends the fetching"() {
        const worker = new Worker({ queues: ["quieted"], beatInterval: 0.2 });
        const ran = [];
        worker.register("Quiet", async (n) => void ran.push(n));
        await worker.work();
        await client.push(Object.assign(client.job("Quiet", 1), { queue: "quieted" }));
        await until("the first", () => ran.length === 1);
        const state = { wid: worker.wid, current_state: "quiet" };
        assert.equal(await client.send(["BEAT", JSON.stringify(state)]), '{"state":"quiet"}');
        await until("its next heartbeat", () => worker.quieted);
        await client.push(Object.assign(client.job("Quiet", 2), { queue: "quieted" }));
        await worker.stop();
        assert.deepEqual(ran, [1]);
        assert.equal((await faktory()).queues.quieted, 1);
        assert.equal((await sizes()).working, 0);
    },
};

(async () => {
    assert.equal(typeof Job.jid(), "string");
    for (const [name, step] of Object.entries(steps)) {
        try {
            await step();
        } catch (error) {
            console.error(`${name}: ${error.stack}`);
            process.exit(1);
        }
        console.log(`ok: ${name}`);
    }
    await client.close();
    console.log("all done");
})();
