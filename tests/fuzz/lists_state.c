/* Any bytes as DIR/lists.state: what lists could have, or a sentence. */
#include "listfile_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const list_state *list)
{
    if (!list_name_is_valid(list->name))
        abort();
    for (size_t i = 0; i < list->journal_count; i++)
        if (strlen(list->journals[i].sum) > JOURNAL_SUM_DIGITS ||
            state_extent(list, list->journals[i].number) != &list->journals[i])
            abort();
}

/* The text gets its checksum, unless it begins with '!': what stands behind it is what is tried. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ob_buf text = {0};
    uint8_t sum[OB_SHA256_SIZE];
    char digits[2 * OB_SHA256_SIZE + 1];
    if (size && *bytes == '!') {
        ob_buf_append(&text, bytes + 1, size - 1, NULL);
    } else {
        ob_sha256(sum, bytes, size, NULL);
        ob_hex(digits, sum, sizeof sum);
        ob_buf_printf(&text, NULL, "%s ", digits);
        ob_buf_append(&text, bytes, size, NULL);
        ob_buf_append(&text, "\n", 1, NULL);
    }
    lists_state state = {.there = false};
    ob_error err = {0};
    ob_status status = state_take(&state, text.bytes, text.size, "lists.state", &err);
    if (status && !err.text[0])
        abort();
    for (size_t i = 0; i < state.count; i++) {
        check(&state.lists[i]);
        if (state_find(&state, state.lists[i].name) != &state.lists[i])
            abort();
    }
    if (state.reported_count > STATE_REPORTED_MOST ||
        (state.there && !state_follows(&state, state.said)))
        abort();
    state_free(&state);
    ob_buf_free(&text);
    return 0;
}
