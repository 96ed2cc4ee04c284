// Runs the core inside WebAssembly: `node run.mjs FILE.wasm`.
import { readFile } from "node:fs/promises";

// Deep enough that the trace of a failed check names its function.
Error.stackTraceLimit = 50;

const [path] = process.argv.slice(2);
const module = await WebAssembly.compile(await readFile(path));
// The core asks nothing of its host: no clock, no chance, no IO.
const imports = WebAssembly.Module.imports(module);
if (imports.length > 0) {
  throw new Error(`${path} imports ${JSON.stringify(imports)}`);
}
const instance = await WebAssembly.instantiate(module, {});
const code = instance.exports.main(0, 0);
if (code !== 0) {
  throw new Error(`${path} ends with ${code}`);
}
console.log("merge, prepare, the jar and whole calls hold inside WebAssembly");
