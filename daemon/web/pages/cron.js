// Cron: that it is not there yet, and what to do instead.
import { curl, jobq } from "../command.js";
import { html } from "../html.js";
import { Empty } from "../parts/empty.js";
import { Page } from "../parts/page.js";

const LINE = "0 3 * * * jobq enqueue report --payload '{}' --idempotency-key report-$(date +\\%F)";

export function Cron() {
    return html`<${Page} title="Cron" jobq=${jobq("help", "enqueue")} curl=${curl("GET", "/api/v1/cron")}>
        <div class="panel"><${Empty} title="This jobqd has no schedules of its own yet" command=${LINE}>
            A line of the system's crontab, or a systemd timer, enqueues a job just as well. The idempotency key keeps a day's job single when two hosts have the line:<//></div>
    <//>`;
}
