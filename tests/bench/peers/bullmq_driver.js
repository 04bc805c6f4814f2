// BullMQ as tests/bench/peers.py measures it, one process a call:
//   node bullmq_driver.js push JOBS CLIENTS    one job a call, from each of CLIENTS connections
//   node bullmq_driver.js bulk JOBS            1,000 jobs a call, one connection
//   node bullmq_driver.js drain JOBS SLOTS     one Worker, from the first start to the last end
// REDIS_SOCKET names the Redis. Prints one line of JSON and counts what it did: a job that is missing
// is an error or a wait without end, never a better figure.
const { Queue, Worker } = require("bullmq");

const connection = { path: process.env.REDIS_SOCKET, maxRetriesPerRequest: null };
const payload = "x".repeat(96);
const [mode, jobsWord, widthWord] = process.argv.slice(2);
const jobs = Number(jobsWord);
const width = Number(widthWord || 1);
const seconds = () => Number(process.hrtime.bigint()) / 1e9;

function report(took) {
  const version = require("bullmq/package.json").version;
  console.log(JSON.stringify({ jobs_per_s: jobs / took, version }));
}

async function enqueue() {
  const queues = Array.from({ length: width }, () => new Queue("bench", { connection }));
  await Promise.all(queues.map((queue) => queue.waitUntilReady()));
  const begin = seconds();
  if (mode === "push") {
    await Promise.all(
      queues.map(async (queue) => {
        for (let i = 0; i < jobs / width; ++i) await queue.add("noop", payload);
      }),
    );
  } else {
    const thousand = Array.from({ length: 1000 }, () => ({ name: "noop", data: payload }));
    for (let i = 0; i < jobs / 1000; ++i) await queues[0].addBulk(thousand);
  }
  const took = seconds() - begin;
  const waiting = await queues[0].getWaitingCount();
  if (waiting !== jobs) throw new Error(`${waiting} jobs wait in Redis, not ${jobs}`);
  report(took);
}

function drain() {
  let begin = 0;
  let ended = 0;
  return new Promise((resolve, reject) => {
    const worker = new Worker(
      "bench",
      async () => {
        if (begin === 0) begin = seconds();
      },
      { connection, concurrency: width },
    );
    worker.on("failed", (_, error) => reject(error));
    worker.on("error", reject);
    worker.on("completed", () => {
      if (++ended < jobs) return;
      report(seconds() - begin);
      resolve();
    });
  });
}

(mode === "drain" ? drain() : enqueue()).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
