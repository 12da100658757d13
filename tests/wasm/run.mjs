// Runs a WASI command and ends as it ends: node run.mjs FILE.wasm [NAME=VALUE…]
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const [file, ...variables] = process.argv.slice(2);
const env = Object.fromEntries(variables.map((v) => v.split(/=(.*)/s, 2)));
const wasi = new WASI({ version: 'preview1', args: [file], env, returnOnExit: true });
const module = await WebAssembly.compile(readFileSync(file));
const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi.wasiImport });
process.exitCode = wasi.start(instance);
