/* Any bytes as the query of a request: what a service says of its item, or a problem. */
#include "../unit/folder.h"
#include "services_priv.h"

#include <obhut/crypto.h>

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

/* A byte says which field, what follows up to a NUL is its value. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { FIELDS = 64 };
    ob_field fields[FIELDS];
    char *copy = malloc(size + 1), *at = copy;
    if (!copy)
        return 0;
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    ob_request request = {.method = "POST", .path = "/v1/scan", .query = fields};
    static const char *const names[] = {"surface", "account",      "encryption", "locus",
                                        "item",    "conversation", "report",     "notice"};
    while (at < copy + size && request.query_count < FIELDS) {
        ob_field *field = &fields[request.query_count++];
        field->name = names[(unsigned char)*at % (sizeof names / sizeof *names)];
        field->value = at + 1;
        at += 2 + strlen(field->value);
    }
    const ob_field headers[] = {{"Content-Type", copy}, {"Idempotency-Key", copy}};
    request.headers = headers + (size & 1);
    request.header_count = size & 2 ? 1 : 2 - (size & 1);
    ob_item item = {.surface = OB_SURFACES};
    ob_error err = {0};
    const char *code = NULL;
    const ob_command *scan = ob_command_find("file.scan");
    ob_status status = ob_command_check_head(&code, scan, &request, &err);
    if (!status)
        status = ob_command_item(&item, &code, acts(), &request, &err);
    if (!status != (item.surface < OB_SURFACES) ||
        (status && (status != OB_EINVAL || !code || !*err.text)))
        abort();
    free(copy);
    return 0;
}
