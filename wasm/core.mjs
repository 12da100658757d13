// Obhut's core for Node.js and browsers: PDQ hashes of pixels, and exact search among hashes.
//
//     import { Core } from './core.mjs';
//     const core = await Core.load(bytes);            // of core.wasm or core-simd.wasm
//     const { hashes, quality } = core.pdq(pixels, width, height, { samples: 3 });
//     const index = core.index(['84609e77…', …]);     // 64 digits each
//     index.search([hashes[0]], 31);                  // [{ query, entry, distance }, …]
//     index.free();
//     core.explain(situation);                        // as `obhut gate explain` answers

// Kinds of facts, and the places of what core_decide answers.
const TEXT = 0, NUMBER = 1, TRUE = 2, FALSE = 3, OBJECT = 4, ARRAY = 5, OTHER = 6;
const DEEPEST = 8, ANSWER_WORDS = 14, ANSWER_SIZE = 4 * ANSWER_WORDS + 24;

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

  // A text in the core's memory, with its NUL; it is the caller's to free.
  putText(text) {
    const bytes = new TextEncoder().encode(text), at = this.alloc(bytes.length + 1);
    this.bytes(at, bytes.length + 1).set([...bytes, 0]);
    return at;
  }

  text(at) {
    if (!at) return null;
    const from = new Uint8Array(this.c.memory.buffer, at);
    return new TextDecoder().decode(from.slice(0, from.indexOf(0)));
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

  // What the gate says of a situation (docs/GATE.md): it is hypothetical and permits nothing.
  explain(situation) {
    const facts = this.c.core_facts_new(4 * JSON.stringify(situation ?? null).length + 1);
    const answer = this.alloc(ANSWER_SIZE);
    try {
      if (!facts) throw new RangeError('out of memory: a situation');
      if (situation && typeof situation === 'object' && !Array.isArray(situation))
        this.tell(facts, '', situation, 0);
      this.c.core_decide(answer, facts);
      return this.answer(answer);
    } finally {
      this.c.core_facts_free(facts);
      this.c.free(answer);
    }
  }

  tell(facts, path, value, depth) {
    if (depth > DEEPEST || value === null) return;
    if (Array.isArray(value)) {
      this.fact(facts, path, ARRAY);
      value.forEach((element) => this.tell(facts, path, element, depth + 1));
    } else if (typeof value === 'object') {
      if (path) this.fact(facts, path, OBJECT);
      for (const [key, below] of Object.entries(value))
        this.tell(facts, path ? `${path}.${key}` : key, below, depth + 1);
    } else if (typeof value === 'string') {
      this.fact(facts, path, value.includes('\0') ? OTHER : TEXT, value);
    } else if (typeof value === 'number') {
      this.fact(facts, path, Number.isSafeInteger(value) ? NUMBER : OTHER, '', value);
    } else {
      this.fact(facts, path, value ? TRUE : FALSE);
    }
  }

  fact(facts, path, kind, text = '', number = 0) {
    const where = this.putText(path), what = this.putText(text);
    this.c.core_facts_add(facts, where, kind, what, kind === NUMBER ? number : 0);
    this.c.free(where);
    this.c.free(what);
  }

  answer(at) {
    const words = Array.from(this.words(at, ANSWER_WORDS));
    const [allow, lawAllow, clarification] = words;
    const [reason, names, ceiling, referral, regime, article, basis, lawReason, lawNames, en, de] =
      words.slice(3).map((word) => this.text(word));
    const said = (allowed, why, which) => ({
      decision: allowed ? 'allow' : 'deny',
      ...(allowed ? {} : { reason: why }),
      ...(which ? { names: which } : {}),
    });
    return {
      ...said(allow, reason, names),
      ...(clarification ? { clarification: true } : {}),
      ...(allow ? { referral, expires: this.text(at + 4 * ANSWER_WORDS) } : {}),
      ceiling, regime, article: article || null, basis,
      law: said(lawAllow, lawReason, lawNames),
      text: { en, de },
    };
  }
}
