// Obhut's core for Node.js and browsers: PDQ hashes of pixels, and exact search among hashes.
//
//     import { Core } from './core.mjs';
//     const core = await Core.load(bytes);            // of core.wasm or core-simd.wasm
//     const { hashes, quality } = core.pdq(pixels, width, height, { samples: 3 });
//     const index = core.index(['84609e77…', …]);     // 64 digits each
//     index.search([hashes[0]], 31);                  // [{ query, entry, distance }, …]
//     index.free();

const ERROR_SIZE = 484, HASH_SIZE = 32, DIGITS = 64, ORIENTATIONS = 8;

export class Core {
  static async load(bytes) {
    const module = await WebAssembly.compile(bytes);
    // The C library wants these by name; nothing of the core calls them.
    const none = () => 52; // not there
    const imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module))
      (imports[from] ??= {})[name] = none;
    const instance = await WebAssembly.instantiate(module, imports);
    instance.exports._initialize?.();
    return new Core(instance.exports);
  }

  constructor(exports) {
    this.c = exports;
  }

  // Memory grows, and then older views are empty: always a new one.
  bytes(at, size) {
    return new Uint8Array(this.c.memory.buffer, at, size);
  }

  words(at, count) {
    return new Uint32Array(this.c.memory.buffer, at, count);
  }

  alloc(size) {
    const at = this.c.malloc(size || 1);
    if (!at) throw new RangeError(`out of memory: ${size} bytes`);
    return at;
  }

  // Calls `work(error, take)`, where take(size) is memory that is freed afterwards; a status that is
  // not 0 becomes an Error with the core's sentence.
  run(work) {
    const taken = [];
    const take = (size) => {
      taken.push(this.alloc(size));
      return taken[taken.length - 1];
    };
    try {
      const error = take(ERROR_SIZE);
      this.bytes(error, ERROR_SIZE).fill(0);
      const { status, result } = work(error, take);
      if (status) {
        const text = this.bytes(error + 4, ERROR_SIZE - 4);
        throw new Error(new TextDecoder().decode(text.slice(0, text.indexOf(0))));
      }
      return result();
    } finally {
      taken.forEach((at) => this.c.free(at));
    }
  }

  hex(at) {
    const bytes = this.bytes(at, HASH_SIZE);
    return Array.from(bytes).reverse().map((b) => b.toString(16).padStart(2, '0')).join('');
  }

  putHashes(at, hashes) {
    const bytes = this.bytes(at, hashes.length * HASH_SIZE);
    hashes.forEach((hash, i) => {
      if (!/^[0-9a-f]{64}$/i.test(hash)) throw new TypeError(`not a hash of ${DIGITS} digits: ${hash}`);
      for (let k = 0; k < HASH_SIZE; k++)
        bytes[i * HASH_SIZE + HASH_SIZE - 1 - k] = parseInt(hash.substr(2 * k, 2), 16);
    });
  }

  // pixels: `samples` bytes each (1: luma, 3: red, green, blue), row by row. Gives the hashes of all
  // eight orientations, the picture's own first, and the quality, 0 to 100.
  pdq(pixels, width, height, { samples = 3, variant = 'full' } = {}) {
    if (pixels.length < width * height * samples)
      throw new RangeError(`${pixels.length} bytes where ${width} x ${height} pixels need more`);
    return this.run((error, take) => {
      const shape = take(28), out = take(ORIENTATIONS * HASH_SIZE + 8), from = take(pixels.length);
      this.words(shape, 7).set([width, height, 1, samples, variant === 'reference' ? 1 : 0, 0, 0]);
      this.bytes(from, pixels.length).set(pixels);
      return {
        status: this.c.ob_pdq_hash(out, shape, from, width * samples, error),
        result: () => ({
          hashes: Array.from({ length: ORIENTATIONS }, (_, k) => this.hex(out + k * HASH_SIZE)),
          quality: this.words(out + ORIENTATIONS * HASH_SIZE, 1)[0],
        }),
      };
    });
  }

  // An index of hashes, which stays until its free().
  index(hashes) {
    const size = this.c.ob_index_size(BigInt(hashes.length));
    const block = this.alloc(Number(size) + 64), memory = (block + 63) & ~63;
    try {
      this.run((error, take) => {
        const list = take(hashes.length * HASH_SIZE);
        this.putHashes(list, hashes);
        return {
          status: this.c.ob_index_build(memory, size, list, BigInt(hashes.length), error),
          result: () => {},
        };
      });
    } catch (problem) {
      this.c.free(block);
      throw problem;
    }
    return {
      search: (queries, distance = 31) => this.search(memory, hashes.length, queries, distance),
      free: () => this.c.free(block),
    };
  }

  search(memory, entries, queries, distance) {
    for (let capacity = 256; ;) {
      const found = this.run((error, take) => {
        const total = take(4), match = take(12 * capacity), list = take(queries.length * HASH_SIZE);
        this.putHashes(list, queries);
        return {
          status: this.c.core_search(total, match, capacity, memory, entries, list, queries.length,
            distance, error),
          result: () => {
            const count = this.words(total, 1)[0];
            return count > capacity ? count : Array.from({ length: count }, (_, i) => {
              const [query, entry, bits] = this.words(match + 12 * i, 3);
              return { query, entry, distance: bits };
            });
          },
        };
      });
      if (Array.isArray(found))
        return found.sort((a, b) => a.query - b.query || a.distance - b.distance || a.entry - b.entry);
      capacity = found;
    }
  }
}
