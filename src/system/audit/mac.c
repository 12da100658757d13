/* Codes of entries. A hash shows that a line is whole, and anybody can make one; a checkpoint shows
 * who wrote it, and comes up to a minute later. The code shows it from the beginning. */
#include "audit_priv.h"

#include <string.h>

void mac_key_of(mac_key *out, const uint8_t seed[OB_KEY_SIZE])
{
    ob_code(out->bytes, seed, "obhut audit entries", "", 0);
}

/* Over the leaf that the entry would have without its code, and the one before: so that entries of
 * two logs with the same key, or of one in another order, never fit each other. */
ob_status mac_of(char out[MAC_TEXT + 1], const mac_key *key, const tree_hash *before,
                 const char *text, size_t size, ob_sha256_sum *sum, ob_error *err)
{
    tree_hash coded[2] = {*before};
    uint8_t code[OB_CODE_SIZE];
    ob_status status = tree_leaf(&coded[1], sum, text, size, err);
    if (status)
        return status;
    ob_code(code, key->bytes, "obhut audit entry", coded, sizeof coded);
    memcpy(out, LINE_MAC, sizeof LINE_MAC);
    ob_hex(out + sizeof LINE_MAC - 1, code, MAC_SIZE);
    memcpy(out + MAC_TEXT - 2, "\"}", 3);
    return OB_OK;
}

ob_status mac_check(bool *is_own, const mac_key *key, const tree_hash *before, const line *line,
                    ob_sha256_sum *sum, ob_error *err)
{
    char end[MAC_TEXT + 1];
    *is_own = false;
    if (line->size < MAC_TEXT)
        return OB_OK;
    ob_status status = mac_of(end, key, before, line->text, line->size - MAC_TEXT, sum, err);
    if (!status)
        *is_own = ob_same(end, line->text + line->size - MAC_TEXT, MAC_TEXT);
    return status;
}
