/* Any bytes as a copy of the records: loaded whole, or refused with a sentence and nothing kept. */
#include "store_priv.h"

#include <obhut/crypto.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct input {
    const uint8_t *bytes;
    size_t size;
} input;

static ob_status give(void *context, void *bytes, size_t capacity, size_t *size, ob_error *err)
{
    input *in = context;
    (void)err;
    *size = in->size < 64 ? in->size : 64;
    if (*size > capacity)
        abort();
    memcpy(bytes, in->bytes, *size);
    in->bytes += *size;
    in->size -= *size;
    return OB_OK;
}

static ob_status take(void *context, const void *bytes, size_t size, ob_error *err)
{
    return ob_buf_append(context, bytes, size, err);
}

/* In memory: nothing of it needs to last. */
static ob_store *open_fresh(void)
{
    ob_store *store = NULL;
    ob_writing *w = NULL;
    if (sql_open(&store, &driver_sqlite, ":memory:", NULL) || ob_writing_begin(&w, store, NULL) ||
        ob_writing_end(w, schema_update(w, schema_steps(), NULL), NULL))
        abort();
    return store;
}

/* What was loaded can be written again. */
static void expect_a_dump(ob_store *store)
{
    ob_buf text = {0};
    ob_error err = {0};
    ob_writing *w = NULL; /* a database in memory has one connection */
    if (ob_writing_begin(&w, store, &err) ||
        ob_writing_end(w, ob_store_dump(ob_writing_view(w), take, &text, &err), &err) || !text.size)
        abort();
    ob_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static ob_store *store;
    ob_error err = {0};
    input in = {bytes, size};
    if (!store)
        store = open_fresh();
    ob_status status = ob_store_load(store, give, &in, &err);
    if (status && (err.status != status || !*err.text))
        abort();
    if (status == OB_EREFUSED &&
        !strstr(err.text, "newer")) /* something was kept after a refusal */
        abort();
    if (!status) {
        expect_a_dump(store);
        ob_store_close(store);
        store = open_fresh();
    }
    return 0;
}
