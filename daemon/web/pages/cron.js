// Cron: schedules belong to the system; the page shows the line for its crontab.
import { curl, jobq } from "../command.js";
import { html } from "../html.js";
import { Empty } from "../parts/empty.js";
import { Page } from "../parts/page.js";

const LINE = "0 3 * * * jobq enqueue report --payload '{}' --idempotency-key report-$(date +\\%F)";

export function Cron() {
    return html`<${Page} title="Cron" jobq=${jobq("help", "enqueue")} curl=${curl("GET", "/api/v1/cron")}>
        <div class="panel"><${Empty} title="jobqd does not have its own schedules yet" command=${LINE}>
            Use a line in the system's crontab, or a systemd timer, to enqueue the job. With the idempotency key, two hosts with the same line enqueue one job a day:<//></div>
    <//>`;
}
