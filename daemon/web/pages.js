// The table of pages: address, title, key after "g", and the module that draws it. It drives the
// navigation, the keyboard, the help and the router. A page is a component that gets {path, query}:
// what stands behind its name in the address, and the filters.
import { Cron } from "./pages/cron.js";
import { Dead } from "./pages/dead.js";
import { Health } from "./pages/health.js";
import { Job } from "./pages/job.js";
import { Jobs } from "./pages/jobs.js";
import { Operations } from "./pages/operations.js";
import { Overview } from "./pages/overview.js";
import { Queues } from "./pages/queues.js";
import { Submit } from "./pages/submit.js";
import { Workers } from "./pages/workers.js";

export const PAGES = [
    { name: "", title: "Overview", key: "o", draw: Overview },
    { name: "jobs", title: "Jobs", key: "j", draw: Jobs },
    { name: "dead", title: "Dead", key: "d", draw: Dead },
    { name: "queues", title: "Queues", key: "q", draw: Queues },
    { name: "workers", title: "Workers", key: "w", draw: Workers },
    { name: "cron", title: "Cron", key: "c", draw: Cron },
    { name: "operations", title: "Operations", key: "p", draw: Operations },
    { name: "submit", title: "Submit", key: "s", draw: Submit },
    { name: "health", title: "Health", key: "h", draw: Health },
    // Not in the navigation: reached from a list.
    { name: "job", title: "Job", parent: "jobs", draw: Job },
];

export function pageOf(path) {
    return PAGES.find((page) => page.name === (path[0] ?? ""));
}
