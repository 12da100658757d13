/* The bytes of a list's file as UTF-8: unpacked where they are packed, recoded where they are
 * UTF-16. */
#include "read_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { RAW = 1 << 16 };

/* Text does not shrink further than this; what expands further is made to fill a memory or a day.
 */
enum { EXPANSION_MOST = 200, EXPANSION_FREE = 64 << 20 };

typedef enum coding { CODING_UTF8, CODING_UTF16LE, CODING_UTF16BE } coding;

struct list_bytes {
    int file;
    const char *label;
    uint64_t read;      /* of the file */
    ob_sha256_sum *sum; /* over it */
    uint64_t unpacked;  /* out of gzip */
    bool ended;         /* of the file */
    bool begun, packed, unpacking, decided;
    coding coding;
    z_stream zlib;
    uint8_t raw[RAW]; /* of the file */
    size_t raw_at, raw_size;
    uint8_t text[RAW]; /* unpacked, not yet recoded */
    size_t text_at, text_size;
    bool text_ended;
    uint32_t high; /* the first half of a pair, or 0 */
};

ob_status bytes_new(list_bytes **out, int file, const char *label, ob_error *err)
{
    list_bytes *b = calloc(1, sizeof *b);
    if (!b)
        return ob_fail(err, OB_ENOMEM, "out of memory: reading a list");
    b->file = file;
    b->label = label;
    ob_status status = ob_sha256_begin(&b->sum, err);
    if (status)
        bytes_free(b);
    else
        *out = b;
    return status;
}

void bytes_free(list_bytes *b)
{
    if (b && b->unpacking)
        inflateEnd(&b->zlib);
    if (b && b->sum)
        ob_sha256_drop(&b->sum);
    free(b);
}

uint64_t bytes_count(const list_bytes *b)
{
    return b->read;
}

const char *bytes_coding(const list_bytes *b)
{
    if (b->coding == CODING_UTF8)
        return b->packed ? ", gzip" : "";
    return b->packed ? ", UTF-16, gzip" : ", UTF-16";
}

/* ---- The file -------------------------------------------------------------------------------- */

/* Appends to what is there. */
static ob_status read_more(list_bytes *b, ob_error *err)
{
    ssize_t got;
    do
        got = ob_file_read(b->file, b->raw + b->raw_size, RAW - b->raw_size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return ob_fail(err, OB_EIO, "list \"%s\" cannot be read: %s", b->label, strerror(errno));
    b->ended = got == 0;
    ob_status status = ob_sha256_add(b->sum, b->raw + b->raw_size, (size_t)got, err);
    b->raw_size += (size_t)got;
    b->read += (size_t)got;
    return status;
}

ob_status bytes_finish(uint8_t out[OB_SHA256_SIZE], list_bytes *b, ob_error *err)
{
    ob_status status = OB_OK;
    while (!b->ended && !status) { /* what stands behind the list, too */
        b->raw_at = b->raw_size = 0;
        status = read_more(b, err);
    }
    return status ? status : ob_sha256_finish(out, &b->sum, err);
}

static ob_status read_file(list_bytes *b, ob_error *err)
{
    if (b->raw_at < b->raw_size || b->ended)
        return OB_OK;
    b->raw_at = b->raw_size = 0;
    return read_more(b, err);
}

/* Containers that are not opened here; what they are is said at once instead of line by line. */
static const struct {
    const char *magic, *what;
    size_t size;
} containers[] = {
    {"PK\x03\x04", "a ZIP archive or a spreadsheet", 4},
    {"\xFD"
     "7zXZ",
     "packed with xz", 5},
    {"7z\xBC\xAF", "a 7z archive", 4},
    {"BZh", "packed with bzip2", 3},
    {"\x28\xB5\x2F\xFD", "packed with zstd", 4},
    {"%PDF-", "a PDF document", 5},
    {"SQLite format 3", "a database", 15},
    {"\xD0\xCF\x11\xE0", "an old spreadsheet", 4},
    {"-----BEGIN PGP", "encrypted or signed with PGP", 14},
    {"\x89OBX", "a list file of Obhut itself (`obhut list export` makes one that can be read)", 4},
};

static ob_status begin(list_bytes *b, ob_error *err)
{
    enum { MAGIC_MOST = 16 };
    b->begun = true;
    ob_status status = OB_OK;
    while (!status && !b->ended && b->raw_size < MAGIC_MOST) /* a pipe may give less */
        status = read_more(b, err);
    if (status)
        return status;
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++)
        if (b->raw_size >= containers[i].size &&
            !memcmp(b->raw, containers[i].magic, containers[i].size))
            return ob_fail(err, OB_EFORMAT,
                           "this is %s, which is not read: unpack or export it first",
                           containers[i].what);
    b->packed = b->raw_size >= 2 && b->raw[0] == 0x1F && b->raw[1] == 0x8B;
    if (b->packed && inflateInit2(&b->zlib, 15 + 16) != Z_OK) /* gzip only */
        return ob_fail(err, OB_ENOMEM, "out of memory: unpacking a list");
    b->unpacking = b->packed;
    return OB_OK;
}

/* ---- gzip ------------------------------------------------------------------------------------ */

static ob_status damaged(const list_bytes *b, ob_error *err)
{
    return ob_fail(err, OB_EFORMAT, "the gzip file is %s", b->ended ? "cut short" : "damaged");
}

/* Several packed files one behind the other are one. */
static ob_status next_member(list_bytes *b, ob_error *err)
{
    ob_status status = read_file(b, err);
    if (status)
        return status;
    if (b->ended || b->raw[b->raw_at] == 0) /* the end, or padding */
        b->text_ended = true;
    else if (inflateReset(&b->zlib) != Z_OK)
        return damaged(b, err);
    return OB_OK;
}

static ob_status unpack(list_bytes *b, ob_error *err)
{
    enum { BOM_MOST = 3 };
    b->text_at = b->text_size = 0;
    while (b->text_size < BOM_MOST && !b->text_ended) {
        ob_status status = read_file(b, err);
        if (status)
            return status;
        b->zlib.next_in = b->raw + b->raw_at;
        b->zlib.avail_in = (uInt)(b->raw_size - b->raw_at);
        b->zlib.next_out = b->text + b->text_size;
        b->zlib.avail_out = (uInt)(RAW - b->text_size);
        int code = inflate(&b->zlib, Z_NO_FLUSH);
        b->raw_at = b->raw_size - b->zlib.avail_in;
        b->unpacked += RAW - b->zlib.avail_out - b->text_size;
        b->text_size = RAW - b->zlib.avail_out;
        if (code == Z_STREAM_END)
            status = next_member(b, err);
        else if (code != Z_OK && !(code == Z_BUF_ERROR && !b->ended))
            status = code == Z_MEM_ERROR
                         ? ob_fail(err, OB_ENOMEM, "out of memory: unpacking a list")
                         : damaged(b, err);
        if (!status && b->unpacked > EXPANSION_FREE && b->unpacked / EXPANSION_MOST > b->read)
            status = ob_fail(err, OB_EFORMAT,
                             "the gzip file expands more than %d-fold, which no list does",
                             EXPANSION_MOST);
        if (status)
            return status;
    }
    return OB_OK;
}

/* Makes sure that there is text, or that there is none. */
static ob_status more_text(list_bytes *b, ob_error *err)
{
    if (b->text_at < b->text_size || b->text_ended)
        return OB_OK;
    ob_status status = b->begun ? OB_OK : begin(b, err);
    if (status || b->packed)
        return status ? status : unpack(b, err);
    status = read_file(b, err);
    b->text_at = 0;
    b->text_size = b->raw_size - b->raw_at;
    memcpy(b->text, b->raw + b->raw_at, b->text_size);
    b->raw_at = b->raw_size;
    b->text_ended = b->ended;
    return status;
}

/* ---- Characters ------------------------------------------------------------------------------ */

/* By the byte order mark, or by where the zeros of the first letter are. */
static void decide(list_bytes *b)
{
    const uint8_t *t = b->text;
    b->decided = true;
    if (b->text_size < 2)
        return;
    if ((t[0] == 0xFF && t[1] == 0xFE) || (t[0] && !t[1]))
        b->coding = CODING_UTF16LE;
    else if ((t[0] == 0xFE && t[1] == 0xFF) || (!t[0] && t[1]))
        b->coding = CODING_UTF16BE;
    if (t[0] >= 0xFE)
        b->text_at = 2;
    else if (b->text_size >= 3 && !memcmp(t, "\xEF\xBB\xBF", 3))
        b->text_at = 3;
}

static size_t put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t first[] = {0, 0xC0, 0xE0, 0xF0};
    to[0] = (char)(first[more] | c >> (6 * more));
    for (int i = 1; i <= more; i++)
        to[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3F));
    return (size_t)more + 1;
}

/* The next unit of UTF-16; false: there is none. An odd byte at the end is one that is no text. */
static ob_status next_unit(bool *there, uint32_t *unit, list_bytes *b, ob_error *err)
{
    uint8_t pair[2] = {0xFF, 0xFF};
    size_t have = 0;
    for (; have < 2; have++) {
        ob_status status = more_text(b, err);
        if (status)
            return status;
        if (b->text_at == b->text_size)
            break;
        pair[have] = b->text[b->text_at++];
    }
    *there = have > 0;
    *unit = have < 2                      ? 0xDC00
            : b->coding == CODING_UTF16LE ? (uint32_t)(pair[0] | pair[1] << 8)
                                          : (uint32_t)(pair[1] | pair[0] << 8);
    return OB_OK;
}

/* A half without its other becomes a byte that is no UTF-8, and so its line a bad one. (iconv would
 * load a module from the disk when it is first used, which the confined core may not.) */
static ob_status recode(size_t *got, list_bytes *b, char *to, size_t room, ob_error *err)
{
    enum { NO_UTF8 = 0xFF, WIDEST = 5 };
    size_t size = 0;
    while (size + WIDEST <= room) {
        uint32_t unit = 0;
        bool there = false;
        ob_status status = next_unit(&there, &unit, b, err);
        if (status)
            return status;
        const bool low = unit >= 0xDC00 && unit <= 0xDFFF;
        if (b->high && !(there && low))
            to[size++] = (char)NO_UTF8;
        if (!there) {
            b->high = 0;
            break;
        }
        if (low && b->high)
            size += put_utf8(to + size, 0x10000 + ((b->high - 0xD800) << 10) + (unit - 0xDC00));
        else if (low)
            to[size++] = (char)NO_UTF8;
        b->high = unit >= 0xD800 && unit <= 0xDBFF ? unit : 0;
        if (!low && !b->high)
            size += put_utf8(to + size, unit);
    }
    *got = size;
    return OB_OK;
}

ob_status bytes_read(size_t *got, list_bytes *b, char *to, size_t room, ob_error *err)
{
    ob_status status = more_text(b, err);
    if (status)
        return status;
    if (!b->decided)
        decide(b);
    if (b->coding != CODING_UTF8)
        return recode(got, b, to, room, err);
    *got = b->text_size - b->text_at < room ? b->text_size - b->text_at : room;
    memcpy(to, b->text + b->text_at, *got);
    b->text_at += *got;
    return OB_OK;
}
