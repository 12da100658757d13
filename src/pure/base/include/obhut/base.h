/* base: what every module speaks: status and errors, the 256-bit hash, buffers, CPU features. */
#ifndef OBHUT_BASE_H
#define OBHUT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Status and errors ----------------------------------------------------------------------- */

/* What a function returns: OB_OK, or a negative value that says what kind of thing went wrong. */
typedef enum ob_status {
    OB_OK = 0,
    OB_EINVAL = -1,        /* the caller asked for something impossible */
    OB_EFORMAT = -2,       /* bytes from outside are not what they claim to be */
    OB_ELIMIT = -3,        /* larger than a documented limit */
    OB_ENOMEM = -4,        /* out of memory */
    OB_EIO = -5,           /* the operating system could not read or write */
    OB_ENOTFOUND = -6,     /* a named thing does not exist */
    OB_EBUSY = -7,         /* somebody else holds it; try again */
    OB_EREFUSED = -8,      /* possible, but a safety rule forbids it */
    OB_ETIME = -9,         /* took longer than is allowed */
    OB_ECRASH = -10,       /* a process that did the work died of it */
    OB_EUNSUPPORTED = -11, /* known for what it is, and not done here */
    OB_STATUS_LEAST = OB_EUNSUPPORTED,
} ob_status;

/* The sentence that goes with a status: what was wrong, with which input, what to do.
 * A caller that does not want it passes NULL. Never contains content of an item. */
typedef struct ob_error {
    ob_status status;
    char text[480];
} ob_error;

/* Fills *err (when not NULL) and returns `status`, so that a function can end with
 * `return ob_fail(err, OB_EFORMAT, "…")`. Text that does not fit is cut at a character border. */
ob_status ob_fail(ob_error *err, ob_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "WHERE: " before the sentence in *err (when not NULL) and returns err's status, or
 * `status` when err is NULL: for a caller that knows the file or line that the callee did not. */
ob_status ob_fail_in(ob_error *err, ob_status status, const char *where, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- Hexadecimal digits ---------------------------------------------------------------------- */

/* Lower-case digits and a NUL: `out` has room for 2 * size + 1 characters. */
void ob_hex(char *out, const uint8_t *bytes, size_t size);

/* Reads exactly 2 * size digits of either case; `text` need not end there. *out is undefined on
 * error. OB_EFORMAT names the first character that is no digit, by position. */
ob_status ob_hex_parse(uint8_t *out, size_t size, const char *text, ob_error *err);

/* ---- The 256-bit hash ------------------------------------------------------------------------ */

/* 256 bits compared by Hamming distance: PDQ and everything shaped like it. Bit k is bit k % 64 of
 * q[k / 64]. As text it is one 64-digit hexadecimal number, most significant digit first; for PDQ
 * that is the published text form (word 15 first, word 0 last). */
typedef struct ob_hash256 {
    uint64_t q[4];
} ob_hash256;

enum { OB_HASH256_BITS = 256, OB_HASH256_HEX = 64 };

/* Writes 64 lower-case digits and a NUL. */
void ob_hash256_print(char out[OB_HASH256_HEX + 1], const ob_hash256 *hash);

/* Reads exactly 64 hexadecimal digits of either case. *out is untouched on error.
 * OB_EFORMAT: another length, or the first character that is no digit, named by position. */
ob_status ob_hash256_parse(ob_hash256 *out, const char *text, size_t length, ob_error *err);

/* Returns the number of differing bits, 0 to 256. */
unsigned ob_hash256_distance(const ob_hash256 *a, const ob_hash256 *b);

/* ---- Buffers --------------------------------------------------------------------------------- */

/* Bytes that grow. Starts as {0}; free with ob_buf_free. `bytes` is always followed by a NUL that
 * `size` does not count (once anything was appended), so text can be used as a string. */
typedef struct ob_buf {
    char *bytes;
    size_t size, capacity;
} ob_buf;

/* Makes room for `more` bytes behind the present ones. OB_ENOMEM leaves the buffer as it was. */
ob_status ob_buf_reserve(ob_buf *buf, size_t more, ob_error *err);
/* Appends bytes. OB_ENOMEM leaves the buffer as it was. */
ob_status ob_buf_append(ob_buf *buf, const void *bytes, size_t size, ob_error *err);
/* Appends formatted text. OB_ENOMEM leaves the buffer as it was. */
ob_status ob_buf_printf(ob_buf *buf, ob_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Frees the bytes and makes the buffer {0} again. */
void ob_buf_free(ob_buf *buf);

/* ---- CPU ------------------------------------------------------------------------------------- */

/* Instruction sets for which faster versions exist. All of them compute the same bits. */
typedef enum ob_isa {
    OB_ISA_AUTO = 0, /* the best that this machine has; what everybody should pass */
    OB_ISA_PORTABLE = 1,
    OB_ISA_AVX2 = 2,
    OB_ISA_AVX512 = 3,  /* F, BW, VL, DQ, VPOPCNTDQ, BITALG */
    OB_ISA_SIMD128 = 4, /* WebAssembly's */
} ob_isa;

/* Returns the best instruction set of this machine and operating system; never OB_ISA_AUTO. */
ob_isa ob_isa_best(void);

/* Returns the instruction set to use: the best one for OB_ISA_AUTO, and the best one below `wanted`
 * where this machine lacks that. */
ob_isa ob_isa_resolve(ob_isa wanted);

/* Returns the name of an instruction set: "avx2". The text is a constant. */
const char *ob_isa_name(ob_isa isa);

/* Marks a function that is compiled for one instruction set and called only where it exists. */
#if defined(__x86_64__)
#define OB_HAVE_X86    1
#define OB_TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define OB_TARGET_AVX512                                                                           \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,avx512bitalg,"       \
                          "avx2,bmi,bmi2,popcnt")))
#else
#define OB_HAVE_X86 0
#endif

#endif
