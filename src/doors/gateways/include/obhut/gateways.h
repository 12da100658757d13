/* gateways: protocols that existing software already speaks. */
#ifndef OBHUT_GATEWAYS_H
#define OBHUT_GATEWAYS_H

#include <obhut/engine.h>
#include <obhut/gate.h>
#include <obhut/http.h>
#include <obhut/records/gateway.h>
#include <obhut/store.h>

typedef struct ob_gateways_options {
    ob_engine *engine;
    ob_store *store;
    uint64_t body_most; /* bytes of a file; 0: 50 MB */
} ob_gateways_options;

typedef struct ob_gateways ob_gateways;

ob_status ob_gateways_open(ob_gateways **out, const ob_gateways_options *options, ob_error *err);
void ob_gateways_close(ob_gateways *gateways); /* NULL is fine */

/* Whether a request belongs to a gateway: below /gw/, where services ask. */
bool ob_gateways_own(const ob_request *request);

/* As ob_services_begin. A path whose secret is not known is not found. */
ob_plan ob_gateways_begin(ob_call **out, ob_gateways *gateways, const ob_request *request);

/* The same where there is no room for what it brings: the answer is there. */
ob_plan ob_gateways_could_not(ob_call **out, ob_gateways *gateways, const ob_request *request,
                              ob_hindrance hindrance);

/* Makes a gateway of this kind; `path` is told this once: /gw/KIND/SECRET. Of `like`, surface and
 * answers count. OB_EINVAL: there is no such kind, or the name is taken. */
enum { OB_GATEWAY_PATH = 80 };
ob_status ob_gateways_add(char path[OB_GATEWAY_PATH], ob_writing *w, const char *name,
                          const char *kind, const ob_gateway *like, ob_error *err);

#endif
