/* Gateways: the same, for software that sends no token. */
#ifndef OBHUT_RECORDS_GATEWAY_H
#define OBHUT_RECORDS_GATEWAY_H

#include <obhut/store.h>

/* Software that cannot send a token calls a path with a secret in it. */
typedef struct ob_gateway {
    char name[OB_NAME_MAX + 1];
    char kind[16]; /* "pict-rs" */
    uint8_t print[OB_PRINT_SIZE];
    uint32_t surface; /* ob_surface */
    bool fail_closed; /* what could not be looked at now is refused */
    int64_t made_at;
    bool review_passes;  /* a match that asks for a person is let through */
    bool damaged_passes; /* so is what cannot be looked at, because of its bytes */
} ob_gateway;

/* OB_EINVAL: the name is taken or impossible. */
ob_status ob_store_gateway_add(ob_writing *w, const ob_gateway *gateway, ob_error *err);
ob_status ob_store_gateway_remove(ob_writing *w, const char *name, ob_error *err);
/* All of them, by name; the caller frees *out with free(). */
ob_status ob_store_gateways(ob_gateway **out, size_t *count, ob_view *view, ob_error *err);

#endif
