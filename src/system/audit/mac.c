/* MACs of entries. A hash shows that a line is whole, and anybody can make one; a checkpoint shows
 * who wrote it, and comes up to a minute later. The MAC shows it from the beginning. */
#include "audit_priv.h"

#include <string.h>

void mac_key_of(mac_key *out, const uint8_t seed[OB_KEY_SIZE])
{
    ob_mac(out->bytes, seed, "obhut audit entries", "", 0);
}

/* Over the leaf that the entry would have without its MAC, and the one before: so that entries of
 * two logs with the same key, or of one in another order, never fit each other. */
ob_status mac_of(char out[MAC_TEXT + 1], const mac_key *key, const mac_input *input,
                 ob_sha256_sum *sum, ob_error *err)
{
    tree_hash leaves[2] = {*input->before};
    uint8_t mac[OB_MAC_SIZE];
    ob_status status = tree_leaf(&leaves[1], sum, input->text, input->size, err);
    if (status)
        return status;
    ob_mac(mac, key->bytes, "obhut audit entry", leaves, sizeof leaves);
    memcpy(out, LINE_MAC, sizeof LINE_MAC);
    ob_hex(out + sizeof LINE_MAC - 1, mac, MAC_SIZE);
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
    const mac_input input = {before, line->text, line->size - MAC_TEXT};
    ob_status status = mac_of(end, key, &input, sum, err);
    if (!status)
        *is_own = ob_same(end, line->text + line->size - MAC_TEXT, MAC_TEXT);
    return status;
}
