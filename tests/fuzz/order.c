/* Any bytes as the transcription of an order: read or refused with a sentence. */
#include "../unit/folder.h"
#include "commands_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/order.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static ob_acts *acts(void)
{
    static ob_acts *one;
    static ob_store *store;
    static ob_audit *audit;
    char dir[TEST_FOLDER_SIZE];
    if (!one &&
        (ob_crypto_start(NULL) || !test_folder(dir) || ob_store_open(&store, dir, NULL, NULL) ||
         ob_engine_audit(&audit, store, dir, NULL, NULL, NULL) ||
         ob_acts_open(&one, store, audit, dir, NULL)))
        abort();
    return one;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    json_t *json = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
    ob_order *order = malloc(sizeof *order);
    ob_record_key *accounts = NULL;
    size_t count = 0;
    ob_error err = {0};
    if (!order)
        abort();
    if (commands_order_read(order, &accounts, &count, json, acts(), &err)) {
        if (!*err.text || accounts)
            abort();
    } else if (order->has_accounts && !count && !order->everybody) {
        abort();
    } else if (strlen(order->issuer) >= sizeof order->issuer) {
        abort();
    }
    free(accounts);
    free(order);
    json_decref(json);
    return 0;
}
