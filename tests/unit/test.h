/* What unit tests share: cmocka, reproducible random numbers, sizes of samples. */
#ifndef OBHUT_TEST_H
#define OBHUT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <obhut/base.h>

/* xorshift64*: the same numbers everywhere. */
typedef struct test_random {
    uint64_t state;
} test_random;

static inline uint64_t test_next(test_random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * UINT64_C(0x2545F4914F6CDD1D);
}

static inline uint64_t test_below(test_random *r, uint64_t limit)
{
    return test_next(r) % limit;
}

/* 128 of its 256 bits are set, as those of a PDQ hash. */
static inline ob_hash256 test_hash(test_random *r)
{
    ob_hash256 hash = {{test_next(r), test_next(r), test_next(r), test_next(r)}}, none = {{0}};
    for (unsigned bits; (bits = ob_hash256_distance(&hash, &none)) != 128;) {
        unsigned k = (unsigned)test_below(r, 256);
        if ((hash.q[k / 64] >> (k % 64) & 1) == (bits > 128))
            hash.q[k / 64] ^= UINT64_C(1) << (k % 64);
    }
    return hash;
}

/* A copy with exactly `bits` different bits. */
static inline ob_hash256 test_flip(test_random *r, ob_hash256 hash, unsigned bits)
{
    ob_hash256 flipped = {{0}};
    for (unsigned done = 0; done < bits;) {
        unsigned k = (unsigned)test_below(r, 256);
        if (flipped.q[k / 64] >> (k % 64) & 1)
            continue;
        flipped.q[k / 64] |= UINT64_C(1) << (k % 64);
        done++;
    }
    for (int i = 0; i < 4; i++)
        hash.q[i] ^= flipped.q[i];
    return hash;
}

/* From the environment variable, set by tests/run.py; `otherwise` when run by hand. */
static inline uint64_t test_samples(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

/* Random numbers of a sample: others with every seed that tests/run.py gives, every day another. */
static inline test_random test_sampled(uint64_t own)
{
    return (test_random){own + (test_samples("OBHUT_SEED", 0) << 32)};
}

/* A whole file; the caller frees it. */
static inline uint8_t *test_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    ob_buf bytes = {0};
    char chunk[65536];
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
        assert_int_equal(ob_buf_append(&bytes, chunk, got, NULL), OB_OK);
    fclose(file);
    *size = bytes.size;
    return (uint8_t *)bytes.bytes;
}

/* Damages bytes as transmission, disks and attackers do. Returns the new size, at most `size`. */
static inline size_t test_mutate(test_random *r, uint8_t *bytes, size_t size)
{
    unsigned changes = 1 + (unsigned)test_below(r, 8);
    for (unsigned i = 0; i < changes && size; i++) {
        size_t at = test_below(r, size);
        switch (test_below(r, 6)) {
        case 0:
            bytes[at] ^= (uint8_t)(1u << test_below(r, 8));
            break;
        case 1:
            bytes[at] = (uint8_t)test_next(r);
            break;
        case 2:
            size = at;
            break;
        case 3:
            bytes[at] = test_below(r, 2) ? 0xFF : 0;
            break;
        case 4: { /* a piece from elsewhere */
            size_t from = test_below(r, size), most = size - (at > from ? at : from);
            memmove(bytes + at, bytes + from, test_below(r, most < 512 ? most + 1 : 512));
            break;
        }
        default: /* the first hundred bytes hold most of the structure */
            bytes[test_below(r, size < 100 ? size : 100)] = (uint8_t)test_next(r);
        }
    }
    return size;
}

#endif
