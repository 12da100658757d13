/* Gateways: entrances for software that cannot send a token: a path contains the secret. */
#ifndef OBHUT_RECORDS_GATEWAY_H
#define OBHUT_RECORDS_GATEWAY_H

#include <obhut/store.h>

/* Software that cannot send a token calls a path with a secret in it. */
typedef struct ob_gateway {
    char name[OB_NAME_MAX + 1];
    char kind[16]; /* "pict-rs" */
    uint8_t fingerprint[OB_FINGERPRINT_SIZE];
    uint32_t surface; /* ob_surface */
    bool fail_closed; /* what could not be looked at now is refused */
    int64_t made_at;
    bool review_passes;  /* a match that asks for a person is let through */
    bool damaged_passes; /* so is what cannot be looked at, because of its bytes */
} ob_gateway;

/* Adds a gateway. OB_EINVAL: the name is taken or impossible. */
ob_status ob_store_gateway_add(ob_writing *w, const ob_gateway *gateway, ob_error *err);
/* Deletes the gateway of this name. OB_ENOTFOUND. */
ob_status ob_store_gateway_remove(ob_writing *w, const char *name, ob_error *err);
/* Sets *out to all gateways, by name, for the caller to free. */
ob_status ob_store_gateways(ob_gateway **out, size_t *count, ob_view *view, ob_error *err);

#endif
