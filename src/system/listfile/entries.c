/* Entries of a list on their way from lines to a file. */
#include "listfile_priv.h"

#include <obhut/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ob_status too_many(ob_error *err)
{
    return ob_fail(err, OB_ENOMEM, "out of memory: entries of a list");
}

/* Sets *array to one of `capacity` elements, keeping what is in it. */
static ob_status grow(void *array, size_t each, uint64_t capacity, ob_error *err)
{
    void *old, *more;
    memcpy(&old, array, sizeof old);
    more = realloc(old, capacity * each);
    if (!more)
        return too_many(err);
    memcpy(array, &more, sizeof more);
    return OB_OK;
}

static uint64_t larger(uint64_t capacity)
{
    return capacity ? capacity + capacity / 2 : 4096;
}

/* ---- What an entry is, for finding duplicates ------------------------------------------------ */

typedef struct content {
    const ob_index_half *half[2]; /* NULL: no hash */
    const uint8_t *digest[DIGEST_KINDS];
    const char *id;
    size_t id_length;
} content;

/* Columns grow in the order of entries: where an entry's value stands, or false. */
static bool position_of(uint64_t *out, const column_entries *column, uint64_t count, uint64_t entry)
{
    if (!column->entry) {
        *out = entry;
        return entry < count;
    }
    uint64_t from = 0, to = count;
    while (from < to) {
        uint64_t middle = from + (to - from) / 2;
        if (column->entry[middle] < entry)
            from = middle + 1;
        else
            to = middle;
    }
    *out = from;
    return from < count && column->entry[from] == entry;
}

static content content_of(const entries *e, uint64_t entry)
{
    content c = {0};
    uint64_t at;
    if (position_of(&at, &e->hash_entries, e->hash_count, entry)) {
        c.half[0] = &e->half[0][at];
        c.half[1] = &e->half[1][at];
    }
    for (int k = 0; k < DIGEST_KINDS; k++)
        if (position_of(&at, &e->digest_entries[k], e->digest_count[k], entry))
            c.digest[k] = (const uint8_t *)e->digests[k].bytes + at * list_digest_kinds[k].width;
    if (e->id_ends) {
        uint64_t from = entry ? e->id_ends[entry - 1] : 0;
        c.id = e->ids.bytes + from;
        c.id_length = e->id_ends[entry] - from;
    }
    return c;
}

static bool is_same(const content *a, const content *b)
{
    for (int h = 0; h < 2; h++)
        if (!a->half[h] != !b->half[h] ||
            (a->half[h] && memcmp(a->half[h], b->half[h], sizeof *a->half[h])))
            return false;
    for (int k = 0; k < DIGEST_KINDS; k++)
        if (!a->digest[k] != !b->digest[k] ||
            (a->digest[k] && memcmp(a->digest[k], b->digest[k], list_digest_kinds[k].width)))
            return false;
    return a->id_length == b->id_length && (!a->id_length || !memcmp(a->id, b->id, a->id_length));
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return sum ^ sum >> 29;
}

/* Of the whole entry: a publisher could choose how the hashes of a list begin. */
static uint64_t mix_bytes(uint64_t sum, const void *bytes, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        const size_t left = size - at;
        uint64_t word = 0;
        memcpy(&word, (const uint8_t *)bytes + at, left < sizeof word ? left : sizeof word);
        sum = mix(sum, word);
    }
    return sum;
}

static uint64_t sum_of(const entries *e, const content *c)
{
    uint64_t sum = mix(e->seed, c->id_length);
    for (int h = 0; h < 2; h++)
        if (c->half[h])
            sum = mix(mix(sum, c->half[h]->q[0]), c->half[h]->q[1]);
    for (int k = 0; k < DIGEST_KINDS; k++)
        if (c->digest[k])
            sum = mix_bytes(sum, c->digest[k], list_digest_kinds[k].width);
    return mix_bytes(sum, c->id, c->id_length);
}

/* A slot is 0, or the upper half of the sum and the number + 1. The upper bits also say where it
 * stands, so a table grows without a look at any entry, and nearly all others are told apart by it.
 */
static uint64_t slot_of(const entries *e, uint64_t slot)
{
    return slot >> (64 - e->table_bits);
}

static ob_status grow_table(entries *e, ob_error *err)
{
    uint64_t slots = e->table ? UINT64_C(1) << e->table_bits : 0;
    if (e->count < slots / 2)
        return OB_OK;
    entries grown = {.table_bits = e->table ? e->table_bits + 1 : 13};
    grown.table = calloc(UINT64_C(1) << grown.table_bits, sizeof *grown.table);
    if (!grown.table)
        return too_many(err);
    if (!e->table)
        ob_random(&e->seed, sizeof e->seed); /* nobody can choose hashes that stand in one place */
    const uint64_t mask = (UINT64_C(1) << grown.table_bits) - 1;
    for (uint64_t k = 0; k < slots; k++) {
        if (!e->table[k])
            continue;
        uint64_t at = slot_of(&grown, e->table[k]);
        while (grown.table[at])
            at = (at + 1) & mask;
        grown.table[at] = e->table[k];
    }
    free(e->table);
    e->table = grown.table;
    e->table_bits = grown.table_bits;
    return OB_OK;
}

/* Sets *at to the free slot for such an entry, or *known. */
static void find_slot(uint64_t *at, bool *known, const entries *e, const content *c, uint64_t sum)
{
    const uint64_t mask = (UINT64_C(1) << e->table_bits) - 1;
    *known = false;
    for (*at = slot_of(e, sum); e->table[*at] && !*known; *at = (*at + 1) & mask) {
        if ((e->table[*at] ^ sum) >> 32)
            continue;
        content other = content_of(e, (uint32_t)e->table[*at] - 1);
        *known = is_same(c, &other);
    }
}

/* ---- Columns --------------------------------------------------------------------------------- */

/* Notes that position `at` of a column belongs to entry e->count, once that says anything. */
static ob_status note_entry(column_entries *column, uint64_t at, const entries *e, ob_error *err)
{
    if (!column->entry && at == e->count)
        return OB_OK;
    if (!column->entry || at >= column->capacity) {
        bool first = !column->entry;
        uint64_t capacity = at + at / 2 + 4096;
        ob_status status = grow(&column->entry, sizeof *column->entry, capacity, err);
        if (status)
            return status;
        column->capacity = capacity;
        for (uint64_t k = 0; first && k < at; k++)
            column->entry[k] = (uint32_t)k;
    }
    column->entry[at] = (uint32_t)e->count;
    return OB_OK;
}

static ob_status add_hash(entries *e, const content *c, ob_error *err)
{
    ob_status status = OB_OK;
    if (e->hash_count == e->hash_capacity) {
        uint64_t capacity = larger(e->hash_capacity);
        for (int h = 0; h < 2 && !status; h++)
            status = grow(&e->half[h], sizeof *e->half[h], capacity, err);
        if (!status)
            e->hash_capacity = capacity;
    }
    if (!status)
        status = note_entry(&e->hash_entries, e->hash_count, e, err);
    if (status)
        return status;
    for (int h = 0; h < 2; h++)
        e->half[h][e->hash_count] = *c->half[h];
    e->hash_count++;
    return OB_OK;
}

static ob_status add_digest(entries *e, int kind, const uint8_t *digest, ob_error *err)
{
    ob_status status = note_entry(&e->digest_entries[kind], e->digest_count[kind], e, err);
    if (!status)
        status = ob_buf_append(&e->digests[kind], digest, list_digest_kinds[kind].width, err);
    if (!status)
        e->digest_count[kind]++;
    return status;
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
        ob_status status = grow(&to->attributes, sizeof *to->attributes, capacity, err);
        if (status)
            return status;
        to->attribute_capacity = capacity;
        to->attributes[0] = (obx_attribute){0};
    }
    obx_attribute *made = &to->attributes[number];
    *made = (obx_attribute){0};
    snprintf(made->source, sizeof made->source, "%s", from->source);
    snprintf(made->classification, sizeof made->classification, "%s", from->classification);
    to->attribute_count = number + 1;
    *out = (uint16_t)number;
    return OB_OK;
}

static ob_status make_room(entries *to, bool id, bool attribute, ob_error *err)
{
    ob_status status = OB_OK;
    if (to->count == to->capacity) {
        uint64_t capacity = larger(to->capacity);
        status = grow(&to->lines, sizeof *to->lines, capacity, err);
        if (!status && to->id_ends)
            status = grow(&to->id_ends, sizeof *to->id_ends, capacity, err);
        if (!status && to->attributes_of)
            status = grow(&to->attributes_of, sizeof *to->attributes_of, capacity, err);
        if (status)
            return status;
        to->capacity = capacity;
    }
    if (id && !to->id_ends) {
        to->id_ends = calloc(to->capacity, sizeof *to->id_ends);
        status = to->id_ends ? OB_OK : too_many(err);
    }
    if (attribute && !to->attributes_of && !status) {
        to->attributes_of = calloc(to->capacity, sizeof *to->attributes_of);
        status = to->attributes_of ? OB_OK : too_many(err);
    }
    return status;
}

ob_status entries_add(bool *duplicate, entries *to, const entry *from, ob_error *err)
{
    ob_index_half half[2];
    content c = {.id = from->id, .id_length = from->id ? strlen(from->id) : 0};
    if (from->has_hash) {
        ob_index_store(&half[0], &half[1], &from->hash);
        c.half[0] = &half[0];
        c.half[1] = &half[1];
    }
    for (int k = 0; k < DIGEST_KINDS; k++)
        c.digest[k] = from->has_digest[k] ? from->digest[k] : NULL;

    ob_status status = grow_table(to, err);
    if (status)
        return status;
    const uint64_t sum = sum_of(to, &c);
    uint64_t slot;
    find_slot(&slot, duplicate, to, &c, sum);
    if (*duplicate)
        return OB_OK;
    uint16_t attribute = 0;
    status = find_attribute(&attribute, to, from, err);
    if (!status)
        status = make_room(to, from->id != NULL, attribute != 0, err);
    if (!status && from->id)
        status = ob_buf_append(&to->ids, c.id, c.id_length, err);
    if (!status && from->has_hash)
        status = add_hash(to, &c, err);
    for (int k = 0; k < DIGEST_KINDS && !status; k++)
        if (c.digest[k])
            status = add_digest(to, k, c.digest[k], err);
    if (status)
        return status;
    to->lines[to->count] = (uint32_t)from->line;
    if (to->id_ends)
        to->id_ends[to->count] = to->ids.size;
    if (to->attributes_of)
        to->attributes_of[to->count] = attribute;
    to->table[slot] = (sum & ~(uint64_t)UINT32_MAX) | ++to->count;
    return OB_OK;
}

void entries_free(entries *e)
{
    free(e->lines);
    free(e->id_ends);
    free(e->attributes_of);
    free(e->attributes);
    free(e->half[0]);
    free(e->half[1]);
    free(e->hash_entries.entry);
    for (int k = 0; k < DIGEST_KINDS; k++) {
        ob_buf_free(&e->digests[k]);
        free(e->digest_entries[k].entry);
    }
    free(e->table);
    ob_buf_free(&e->ids);
    *e = (entries){0};
}
