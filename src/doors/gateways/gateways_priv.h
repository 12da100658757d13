/* The parts of gateways: gateways.c knows who a secret path belongs to; a protocol is a file. */
#ifndef OBHUT_GATEWAYS_PRIV_H
#define OBHUT_GATEWAYS_PRIV_H

#include <obhut/gateways.h>
#include <obhut/records/gateway.h>

#include <pthread.h>

struct ob_gateways {
    ob_gateways_options options;
    pthread_mutex_t lock;
    ob_gateway *known;
    size_t count;
    uint64_t generation; /* of the store when they were read */
};

typedef struct gateway_call {
    ob_call call; /* first */
    ob_gateways *gateways;
    ob_gateway gateway; /* whose path it is */
    ob_scan scan;
} gateway_call;

void gateway_end_call(ob_call *call);

/* External validation of pict-rs. */
ob_plan pictrs_begin(gateway_call *call, const ob_request *request);
/* Its answer where nothing can be looked at now, or the gateway's own record not be read. */
ob_plan pictrs_unsure(gateway_call *call, ob_hindrance hindrance);

#endif
