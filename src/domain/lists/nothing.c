/* Digests that say nothing: of an empty file, and what failing tools print instead of one. Many
 * published lists have them, and they would match every empty upload. */
#include "lists_priv.h"

#include <string.h>

/* Of signals: of one whose bytes are all 0. */
static const char *const empty[DIGEST_KINDS] = {
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "81c611f35bff79491538b2f7cf201c7597a661a5c549633541c62bdc8af1613f",
    NULL,
    NULL};

static bool is_all(const uint8_t *bytes, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

const char *list_digest_of_nothing(const entry *e)
{
    for (int k = 0; k < DIGEST_KINDS; k++) {
        const unsigned width = list_digest_kinds[k].width;
        uint8_t of_empty[OB_DIGEST_WIDTH_MAX];
        if (!e->has_digest[k])
            continue;
        if (empty[k] && !ob_hex_parse(of_empty, width, empty[k], NULL) &&
            !memcmp(of_empty, e->digest[k], width))
            return list_digest_kinds[k].is_signal ? "no hash: all its bytes are 0"
                                                  : "the digest of an empty file";
        if (is_all(e->digest[k], width, 0) || is_all(e->digest[k], width, 0xFF))
            return "no digest: all its digits are the same";
    }
    return NULL;
}

unsigned list_hash_bits(const ob_hash256 *hash)
{
    const ob_hash256 none = {{0}};
    return ob_hash256_distance(hash, &none);
}

bool ob_list_may_be_pdq(const ob_hash256 *hash)
{
    return list_hash_bits(hash) <= OB_LIST_PDQ_BITS;
}
