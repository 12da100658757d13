// Hashes pictures and searches with the library: node core.mjs core.wasm < requests, a JSON line each.
//   {"file", "width", "height", "samples", "variant"}: raw pixels → {"hashes", "quality"}
//   {"entries": […], "queries": […], "distance"}: → [{"query", "entry", "distance"}, …]
//   {"situation": {…}}: → what the gate says
// A request that the core refuses: {"error"}.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Core } from '../../wasm/core.mjs';

const core = await Core.load(readFileSync(process.argv[2]));

function answer(request) {
  if (request.file) return core.pdq(readFileSync(request.file), request.width, request.height, request);
  if ('situation' in request) return core.explain(request.situation);
  const index = core.index(request.entries);
  try {
    return index.search(request.queries, request.distance);
  } finally {
    index.free();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let result;
  try {
    result = answer(JSON.parse(line));
  } catch (problem) {
    result = { error: problem.message };
  }
  console.log(JSON.stringify(result));
}
