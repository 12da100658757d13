/* Digests and signals, as texts. A signal is a hash of somebody else's method (PhotoDNA, TMK,
 * vPDQ): Obhut does not make it, and knows it by the SHA-256 of its bytes, so that equal ones are
 * found. */
#include "listfile_priv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const struct list_digest_kind list_digest_kinds[DIGEST_KINDS] = {
    {"md5", OB_MD5_SIZE, false, OBX_MD5, OBX_MD5_ENTRIES},
    {"sha1", OB_SHA1_SIZE, false, OBX_SHA1, OBX_SHA1_ENTRIES},
    {"sha256", OB_SHA256_SIZE, false, OBX_SHA256, OBX_SHA256_ENTRIES},
    {"photodna", OB_SHA256_SIZE, true, OBX_PHOTODNA, OBX_PHOTODNA_ENTRIES},
    {"tmk", OB_SHA256_SIZE, true, OBX_TMK, OBX_TMK_ENTRIES},
    {"vpdq", OB_SHA256_SIZE, true, OBX_VPDQ, OBX_VPDQ_ENTRIES},
};

enum { PHOTODNA_SIZE = 144, SIGNAL_LEAST = 16 };

#define KNOWN_BY "sha256:"
enum { KNOWN_BY_SIZE = sizeof KNOWN_BY - 1 };

const char *ob_list_digest_name(ob_list_digest kind)
{
    return list_digest_kinds[kind].name;
}

unsigned ob_list_digest_width(ob_list_digest kind)
{
    return list_digest_kinds[kind].width;
}

/* ---- PhotoDNA -------------------------------------------------------------------------------- */

/* "12,0,255,…": as tools of the field print it. */
static bool photodna_numbers(uint8_t out[PHOTODNA_SIZE], const char *text, size_t length)
{
    size_t at = 0;
    for (int i = 0; i < PHOTODNA_SIZE; i++) {
        unsigned value = 0, digits = 0;
        for (; at < length && isdigit((unsigned char)text[at]) && digits < 3; digits++)
            value = 10 * value + (unsigned)(text[at++] - '0');
        if (!digits || value > UINT8_MAX)
            return false;
        out[i] = (uint8_t)value;
        const size_t before = at;
        while (at < length && strchr(", ", text[at]))
            at++;
        if (i + 1 < PHOTODNA_SIZE && at == before)
            return false;
    }
    return at == length;
}

static ob_status photodna(uint8_t out[PHOTODNA_SIZE], const char *text, size_t length,
                          ob_error *err)
{
    size_t size = 0;
    if (length == 2 * (size_t)PHOTODNA_SIZE && !ob_hex_parse(out, PHOTODNA_SIZE, text, NULL))
        return OB_OK;
    if (!ob_base64_parse(out, &size, PHOTODNA_SIZE, text, length, NULL) && size == PHOTODNA_SIZE)
        return OB_OK;
    if (photodna_numbers(out, text, length))
        return OB_OK;
    return ob_fail(err, OB_EFORMAT,
                   "%zu characters that are no PhotoDNA hash: %d bytes as base64, hexadecimal "
                   "digits or numbers",
                   length, PHOTODNA_SIZE);
}

/* ---- Any ------------------------------------------------------------------------------------- */

/* Others than PhotoDNA have no one form: as text they are equal or not. */
static ob_status parse_signal(uint8_t out[OB_SHA256_SIZE], ob_list_digest kind, const char *text,
                              size_t length, ob_error *err)
{
    uint8_t bytes[PHOTODNA_SIZE];
    if (kind == OB_LIST_PHOTODNA) {
        ob_status status = photodna(bytes, text, length, err);
        return status ? status : ob_sha256(out, bytes, sizeof bytes, err);
    }
    return length < SIGNAL_LEAST ? ob_fail(err, OB_EFORMAT, "%zu characters, too few for %s",
                                           length, ob_list_digest_name(kind))
                                 : ob_sha256(out, text, length, err);
}

ob_status ob_list_digest_parse(uint8_t out[OB_LIST_DIGEST_MAX], ob_list_digest kind,
                               const char *text, size_t length, ob_error *err)
{
    const struct list_digest_kind *k = &list_digest_kinds[kind];
    const bool known_by =
        k->is_signal && length > KNOWN_BY_SIZE && !strncmp(text, KNOWN_BY, KNOWN_BY_SIZE);
    if (k->is_signal && !known_by)
        return parse_signal(out, kind, text, length, err);
    if (known_by) {
        text += KNOWN_BY_SIZE;
        length -= KNOWN_BY_SIZE;
    }
    if (length != 2 * (size_t)k->width)
        return ob_fail(err, OB_EFORMAT, "%zu characters where %s has %u hexadecimal digits", length,
                       known_by ? "sha256" : k->name, 2 * k->width);
    ob_status status = ob_hex_parse(out, k->width, text, err);
    return status ? ob_fail_in(err, status, "%s", k->name) : OB_OK;
}

void list_digest_print(char out[LIST_DIGEST_TEXT], ob_list_digest kind, const uint8_t *digest)
{
    const struct list_digest_kind *k = &list_digest_kinds[kind];
    strcpy(out, k->is_signal ? KNOWN_BY : "");
    ob_hex(out + strlen(out), digest, k->width);
}
