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

/* Reads the gateways. What options point to must outlive *out, which the caller closes:
 * ob_gateways_close. Errors as ob_store_gateways. */
ob_status ob_gateways_open(ob_gateways **out, const ob_gateways_options *options, ob_error *err);
/* Frees `gateways`. NULL is fine. */
void ob_gateways_close(ob_gateways *gateways);

/* Says whether a request belongs to a gateway: its path is below /gw/, on the listener for
 * services. */
bool ob_gateways_own(const ob_request *request);

/* Begins to answer a request, as ob_services_begin does; the carrier owns *out. A path with an
 * unknown secret is answered like one that does not exist. */
ob_plan ob_gateways_begin(ob_call **out, ob_gateways *gateways, const ob_request *request);

/* Answers a request for whose body there is no room, with a hindrance; the answer is in
 * (*out)->answer, and the carrier owns *out. */
ob_plan ob_gateways_could_not(ob_call **out, ob_gateways *gateways, const ob_request *request,
                              ob_hindrance hindrance);

enum { OB_GATEWAY_PATH = 80 };
/* Makes a gateway of this kind, with surface and answers as `like` has them. Sets `path` to
 * /gw/KIND/SECRET, which is returned once and never stored. OB_EINVAL: there is no such kind, or
 * the name is taken. */
ob_status ob_gateways_add(char path[OB_GATEWAY_PATH], ob_writing *w, const char *name,
                          const char *kind, const ob_gateway *like, ob_error *err);

#endif
