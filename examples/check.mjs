// Asks Obhut whether an uploaded picture may be kept: verdict(bytes) is "keep", "ask" or "refuse".
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const url = (process.env.OBHUT_URL ?? "http://127.0.0.1:8480") + "/v1/scan?surface=public";
const headers = { Authorization: "Bearer " + process.env.OBHUT_TOKEN }; // obhut token add forum --surface public --scope scan

export async function verdict(picture) {
    let action = "could_not"; // what stays where it is down
    try {
        const answer = await fetch(url, { method: "POST", body: picture, headers, signal: AbortSignal.timeout(30000) });
        const said = await answer.json(); // 503 says could_not as well: Obhut cannot now
        if (answer.status === 413) said.action = action; // too large to be looked at
        if (!said.action) throw new Error("Obhut: " + JSON.stringify(said)); // a mistake of ours
        action = said.action;
    } catch (error) {
        if (error.message.startsWith("Obhut: ")) throw error;
    }
    if (action === "allow" || action === "not_scanned") return "keep"; // not_scanned: nobody may look, so nobody did
    // review, hold: a person should look. undecodable, could_not: nobody has looked at it. Your choice; here
    // such an upload waits, not shown, until somebody looks or it is asked again.
    return action === "block" ? "refuse" : "ask";
}
if (import.meta.url === pathToFileURL(process.argv[1]).href) console.log(await verdict(await readFile(process.argv[2])));
