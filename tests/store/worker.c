/* Adds pairs that belong together, one after the other, and says what became of each, until its
 * input ends: for tests/store/test_records.py, which takes the database away meanwhile.
 *
 *     ready | kept N | failed N STATUS SENTENCE | unknown N STATUS SENTENCE
 *
 * Arguments: data directory, URL. With the word "open" behind them it only opens. */
#include "../unit/once.h"

#include <obhut/crypto.h>
#include <obhut/records/gateway.h>
#include <obhut/records/token.h>
#include <obhut/store.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>

static ob_status add_pair(ob_store *store, unsigned number, ob_error *err)
{
    ob_token t = {.made_at = number};
    ob_gateway g = {.kind = "pict-rs", .made_at = number};
    snprintf(t.name, sizeof t.name, "pair%u", number);
    snprintf(g.name, sizeof g.name, "pair%u", number);
    memcpy(t.fingerprint, &number, sizeof number);
    memcpy(g.fingerprint, &number, sizeof number);
    ob_status status = open_writing(store, err);
    if (status)
        return status;
    status = WRITES(store, err, ob_store_token_add(w, &t, err));
    if (!status)
        status = WRITES(store, err, ob_store_gateway_add(w, &g, err));
    return end_writing(status, err);
}

static void work(ob_store *store)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    for (unsigned n = 1; !poll(&input, 1, 2); n++) {
        ob_error err = {0};
        ob_status status = add_pair(store, n, &err);
        if (!status)
            printf("kept %u\n", n);
        else
            printf("%s %u %d %s\n", strstr(err.text, "unknown") ? "unknown" : "failed", n, status,
                   err.text);
    }
}

int main(int argc, char **argv)
{
    ob_error err = {0};
    ob_store *store = NULL;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 3 || ob_crypto_start(&err))
        return 2;
    ob_status status = ob_store_open(&store, argv[1], argv[2], &err);
    if (status) {
        printf("failed 0 %d %s\n", status, err.text);
        return 1;
    }
    puts("ready");
    if (argc == 3)
        work(store);
    ob_store_close(store);
    return 0;
}
