// The same request for some chosen jobs, a few at a time: {done, failed, first} with the first
// error.
import { send } from "../api.js";

const AT_ONCE = 6;

export const REQUESTS = { retry: ["POST", "/retry"], cancel: ["DELETE", ""], remove: ["POST", "/remove"] };

export async function actOn(action, jids) {
    const [method, ending] = REQUESTS[action];
    const rest = [...jids];
    const result = { done: 0, failed: 0, first: null };
    const worker = async () => {
        for (let jid = rest.shift(); jid !== undefined; jid = rest.shift()) {
            try {
                await send(method, `/api/v1/jobs/${encodeURIComponent(jid)}${ending}`);
                ++result.done;
            } catch (error) {
                ++result.failed;
                result.first ??= error;
            }
        }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return result;
}
