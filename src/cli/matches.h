/* What is looked up, and matches as JSON: the same in every command. */
#ifndef OBHUT_CLI_MATCHES_H
#define OBHUT_CLI_MATCHES_H

#include "cli.h"

#include <obhut/lists.h>

/* A hash or a digest as a user types it: 64 digits are a PDQ hash, and "pdq:", "md5:", "sha1:" or
 * "sha256:" before the digits says what they are. */
typedef struct wanted {
    bool is_digest;
    ob_list_digest kind;
    ob_hash256 hash;
    uint8_t digest[OB_LIST_DIGEST_MAX];
} wanted;

/* OB_EFORMAT: neither. */
ob_status wanted_parse(wanted *out, const char *text, size_t length, ob_error *err);

/* {list, entry, pdq, distance}, and source and classification where the list has them. Where a
 * digest matched, {list, entry, digest} with its name. */
json_t *matches_json(const ob_list_match *match, const ob_list_digest *digest);

#endif
