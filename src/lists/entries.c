/* Entries of a list on their way from lines to a file. */
#include "lists_priv.h"

#include <stdlib.h>
#include <string.h>

static ob_status too_many(ob_error *err)
{
    return ob_fail(err, OB_ENOMEM, "out of memory: entries of a list");
}

static bool grow_array(void **array, size_t each, uint64_t capacity)
{
    void *more = realloc(*array, capacity * each);
    if (more)
        *array = more;
    return more != NULL;
}

static ob_status make_room(entries *to, ob_error *err)
{
    if (to->count < to->capacity)
        return OB_OK;
    uint64_t capacity = to->capacity ? to->capacity + to->capacity / 2 : 4096;
    if (!grow_array((void **)&to->hashes, sizeof *to->hashes, capacity) ||
        !grow_array((void **)&to->lines, sizeof *to->lines, capacity) ||
        (to->id_ends && !grow_array((void **)&to->id_ends, sizeof *to->id_ends, capacity)) ||
        (to->attributes_of &&
         !grow_array((void **)&to->attributes_of, sizeof *to->attributes_of, capacity)))
        return too_many(err);
    to->capacity = capacity;
    return OB_OK;
}

static ob_status find_attribute(uint16_t *out, entries *to, const entry *from, ob_error *err)
{
    if (!*from->source && !*from->classification) {
        *out = 0;
        return OB_OK;
    }
    /* Lists name few sources, and neighbours the same one: the last comes first. */
    for (size_t i = to->attribute_count; i-- > 1;)
        if (!strcmp(to->attributes[i].source, from->source) &&
            !strcmp(to->attributes[i].classification, from->classification)) {
            *out = (uint16_t)i;
            return OB_OK;
        }
    size_t number = to->attribute_count ? to->attribute_count : 1;
    if (number > OBX_ATTRIBUTES_MAX)
        return ob_fail(err, OB_ELIMIT,
                       "more than %d different pairs of source and classification in one list",
                       OBX_ATTRIBUTES_MAX);
    if (number >= to->attribute_capacity) {
        size_t capacity = 2 * number + 16;
        if (!grow_array((void **)&to->attributes, sizeof *to->attributes, capacity))
            return too_many(err);
        to->attribute_capacity = capacity;
        if (!to->attribute_count)
            to->attributes[0] = (obx_attribute){0};
    }
    obx_attribute *made = &to->attributes[number];
    snprintf(made->source, sizeof made->source, "%s", from->source);
    snprintf(made->classification, sizeof made->classification, "%s", from->classification);
    to->attribute_count = number + 1;
    *out = (uint16_t)number;
    return OB_OK;
}

/* ---- Duplicates: a table of entry numbers + 1, by hash ------------------------------------- */

static bool is_same(const entries *e, uint64_t number, const entry *other)
{
    if (memcmp(&e->hashes[number], &other->hash, sizeof other->hash))
        return false;
    uint64_t from = e->id_ends && number ? e->id_ends[number - 1] : 0;
    uint64_t length = e->id_ends ? e->id_ends[number] - from : 0;
    size_t other_length = other->id ? strlen(other->id) : 0;
    return length == other_length && (!length || !memcmp(e->ids.bytes + from, other->id, length));
}

static uint64_t slot_of(const ob_hash256 *hash)
{
    return ((hash->q[0] ^ hash->q[1] * 3 ^ hash->q[2] * 5 ^ hash->q[3] * 7) *
            UINT64_C(0x9E3779B97F4A7C15)) >>
           20;
}

static ob_status grow_table(entries *e, ob_error *err)
{
    if (e->count < e->slots / 2)
        return OB_OK;
    uint64_t slots = e->slots ? 2 * e->slots : 8192;
    uint32_t *table = calloc(slots, sizeof *table);
    if (!table)
        return too_many(err);
    for (uint64_t number = 0; number < e->count; number++) {
        uint64_t slot = slot_of(&e->hashes[number]) & (slots - 1);
        while (table[slot])
            slot = (slot + 1) & (slots - 1);
        table[slot] = (uint32_t)number + 1;
    }
    free(e->table);
    e->table = table;
    e->slots = slots;
    return OB_OK;
}

ob_status entries_add(bool *duplicate, entries *to, const entry *from, ob_error *err)
{
    uint16_t attribute = 0;
    ob_status status = make_room(to, err);
    if (!status)
        status = grow_table(to, err);
    if (status)
        return status;
    uint64_t slot = slot_of(&from->hash) & (to->slots - 1);
    for (; to->table[slot]; slot = (slot + 1) & (to->slots - 1))
        if (is_same(to, to->table[slot] - 1, from)) {
            *duplicate = true;
            return OB_OK;
        }
    status = find_attribute(&attribute, to, from, err);
    if (!status && from->id && !to->id_ends) {
        to->id_ends = calloc(to->capacity, sizeof *to->id_ends);
        if (!to->id_ends)
            status = too_many(err);
    }
    if (!status && attribute && !to->attributes_of) {
        to->attributes_of = calloc(to->capacity, sizeof *to->attributes_of);
        if (!to->attributes_of)
            status = too_many(err);
    }
    if (!status && from->id)
        status = ob_buf_append(&to->ids, from->id, strlen(from->id), err);
    if (status)
        return status;
    to->hashes[to->count] = from->hash;
    to->lines[to->count] = (uint32_t)from->line;
    if (to->id_ends)
        to->id_ends[to->count] = to->ids.size;
    if (to->attributes_of)
        to->attributes_of[to->count] = attribute;
    to->table[slot] = (uint32_t)++to->count;
    *duplicate = false;
    return OB_OK;
}

void entries_free(entries *entries)
{
    free(entries->hashes);
    free(entries->lines);
    free(entries->id_ends);
    free(entries->attributes_of);
    free(entries->attributes);
    free(entries->table);
    ob_buf_free(&entries->ids);
}
