/* What a list becomes: entries are put into chunks behind those that others see, and found again by
 * a table of their values. */
#include "live_priv.h"

#include <stdlib.h>

/* ---- Values ---------------------------------------------------------------------------------- */

/* An entry's hash and digests as they are stored. */
typedef struct values {
    bool has[COLUMNS];
    uint8_t of[COLUMNS][VALUE_MAX];
} values;

static unsigned width_of(int column)
{
    return column ? list_digest_kinds[column - 1].width : 2 * sizeof(ob_index_half);
}

static values values_of(const entry *e)
{
    values v = {.has[0] = e->has_hash};
    ob_index_half half[2] = {0};
    if (e->has_hash)
        ob_index_store(&half[0], &half[1], &e->hash);
    memcpy(v.of[0], half, sizeof half);
    for (int c = 1; c < COLUMNS; c++) {
        v.has[c] = e->has_digest[c - 1];
        memcpy(v.of[c], e->digest[c - 1], width_of(c));
    }
    return v;
}

static void get_value(uint8_t out[VALUE_MAX], const chunk *c, int column, uint32_t at)
{
    unsigned width = width_of(column);
    if (column) {
        memcpy(out, c->digests[column - 1] + (size_t)at * width, width);
        return;
    }
    memcpy(out, &c->half[0][at], sizeof **c->half);
    memcpy(out + sizeof **c->half, &c->half[1][at], sizeof **c->half);
}

static void put_value(chunk *c, int column, const uint8_t *value, uint32_t owner)
{
    const uint32_t at = c->used[column]++;
    const unsigned width = width_of(column);
    if (column) {
        memcpy(c->digests[column - 1] + (size_t)at * width, value, width);
    } else {
        memcpy(&c->half[0][at], value, sizeof **c->half);
        memcpy(&c->half[1][at], value + sizeof **c->half, sizeof **c->half);
    }
    c->owner[column][at] = (uint16_t)owner;
    c->entries[owner]->at[column] = (uint16_t)(at + 1);
}

static bool has_values(const base *b, uint64_t n, const values *v)
{
    const chunk *c = b->chunks[n / CHUNK];
    const added *a = c->entries[n % CHUNK];
    for (int column = 0; column < COLUMNS; column++) {
        uint8_t value[VALUE_MAX];
        if (!v->has[column])
            continue;
        if (!a->at[column])
            return false;
        get_value(value, c, column, a->at[column] - 1u);
        if (memcmp(value, v->of[column], width_of(column)))
            return false;
    }
    return true;
}

/* ---- The table: open addressing, a slot for each value of an entry --------------------------- */

static uint64_t place_of(const base *b, int column, const uint8_t *value)
{
    uint64_t sum = (uint64_t)column, word;
    for (unsigned at = 0; at + sizeof word <= width_of(column); at += sizeof word) {
        memcpy(&word, value + at, sizeof word);
        sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        sum ^= sum >> 29;
    }
    return sum >> (64 - b->table_bits);
}

static void note_entry(base *b, uint64_t n)
{
    const uint64_t mask = (UINT64_C(1) << b->table_bits) - 1;
    const chunk *c = b->chunks[n / CHUNK];
    for (int column = 0; column < COLUMNS; column++) {
        const uint16_t at = c->entries[n % CHUNK]->at[column];
        uint8_t value[VALUE_MAX];
        if (!at)
            continue;
        get_value(value, c, column, at - 1u);
        uint64_t place = place_of(b, column, value);
        while (b->table[place])
            place = (place + 1) & mask;
        b->table[place] = (uint32_t)n + 1;
        b->table_used++;
    }
}

/* Makes room for one more entry; a table that was dropped is made again. */
static ob_status need_table(base *b, ob_error *err)
{
    enum { FEWEST_BITS = 10 };
    unsigned bits = b->table ? b->table_bits : FEWEST_BITS;
    while (2 * (b->table_used + COLUMNS) > UINT64_C(1) << bits ||
           (!b->table && 2 * b->added > UINT64_C(1) << bits))
        bits++;
    if (b->table && bits == b->table_bits)
        return OB_OK;
    uint32_t *table = calloc(UINT64_C(1) << bits, sizeof *table);
    if (!table)
        return ob_fail(err, OB_ENOMEM, "out of memory: entries of a list");
    free(b->table);
    b->table = table;
    b->table_bits = bits;
    b->table_used = 0;
    for (uint64_t n = 0; n < b->added; n++) {
        note_entry(b, n);
        if (2 * (b->table_used + COLUMNS) > UINT64_C(1) << bits)
            return need_table(b, err);
    }
    return OB_OK;
}

static void drop_table(base *b)
{
    free(b->table);
    b->table = NULL;
    b->table_used = 0;
}

ob_status live_find_added(const live *next, const entry *which,
                          ob_status (*found)(void *context, uint64_t number, ob_error *err),
                          void *context, ob_error *err)
{
    base *b = next->base;
    const values v = values_of(which);
    int column = 0;
    while (column < COLUMNS && !v.has[column])
        column++;
    if (column == COLUMNS || !b->added)
        return OB_OK;
    ob_status status = need_table(b, err);
    if (status)
        return status;
    const uint64_t mask = (UINT64_C(1) << b->table_bits) - 1;
    for (uint64_t place = place_of(b, column, v.of[column]); b->table[place] && !status;
         place = (place + 1) & mask)
        if (has_values(b, b->table[place] - 1, &v))
            status = found(context, b->file.info.entries + b->table[place] - 1, err);
    return status;
}

/* ---- Adding ---------------------------------------------------------------------------------- */

/* Freed with free(). */
static added *copy_texts(const entry *from)
{
    const char *const texts[] = {from->id, from->source, from->classification};
    enum { TEXTS = sizeof texts / sizeof *texts };
    size_t size[TEXTS], all = 0;
    for (int i = 0; i < TEXTS; i++)
        all += size[i] = strlen(texts[i]) + 1;
    added *made = calloc(1, sizeof *made + all);
    char *to = made ? made->texts : NULL;
    for (int i = 0; made && i < TEXTS; to += size[i++])
        memcpy(to, texts[i], size[i]);
    return made;
}

static ob_status need_chunk(base *b, ob_error *err)
{
    const uint64_t number = b->added / CHUNK;
    void *made = NULL;
    if (number == CHUNKS_MAX)
        return ob_fail(err, OB_ELIMIT, "list \"%s\": %d entries were added; merge it first",
                       b->file.info.name, CHUNK * CHUNKS_MAX);
    if (b->chunks[number])
        return OB_OK;
    if (posix_memalign(&made, 64, sizeof(chunk)))
        return ob_fail(err, OB_ENOMEM, "out of memory: entries of a list");
    b->chunks[number] = made;
    b->chunks[number]->count = 0;
    memset(b->chunks[number]->used, 0, sizeof b->chunks[number]->used);
    return OB_OK;
}

ob_status live_add(live *next, const entry *e, ob_error *err)
{
    base *b = next->base;
    ob_status status = need_chunk(b, err);
    if (!status)
        status = need_table(b, err);
    if (status)
        return status;
    chunk *c = b->chunks[b->added / CHUNK];
    const values v = values_of(e);
    added *made = copy_texts(e);
    if (!made)
        return ob_fail(err, OB_ENOMEM, "out of memory: entries of a list");
    c->entries[c->count] = made;
    for (int column = 0; column < COLUMNS; column++)
        if (v.has[column])
            put_value(c, column, v.of[column], c->count);
    for (int k = 0; k < DIGEST_KINDS; k++)
        next->digests |= (uint32_t)e->has_digest[k] << k;
    c->count++;
    note_entry(b, b->added);
    next->added = ++b->added;
    memcpy(next->used, c->used, sizeof next->used);
    return OB_OK;
}

/* ---- Withdrawing ----------------------------------------------------------------------------- */

/* Gives the list bits of its own that reach beyond `number`. */
static ob_status need_bits(live *next, uint64_t number, ob_error *err)
{
    bits *old = next->withdrawn;
    if (old && atomic_load(&old->users) == 1 && number < old->size)
        return OB_OK;
    const uint64_t most = next->base->file.info.entries + 2 * next->added;
    const uint64_t words = (number > most ? number : most) / 64 + 1;
    bits *made = calloc(1, sizeof *made + words * sizeof *made->word);
    if (!made)
        return ob_fail(err, OB_ENOMEM, "out of memory: entries of a list");
    atomic_init(&made->users, 1);
    made->size = 64 * words;
    if (old)
        memcpy(made->word, old->word, (old->size < made->size ? old->size : made->size) / 8);
    if (old && atomic_fetch_sub(&old->users, 1) == 1)
        free(old);
    next->withdrawn = made;
    return OB_OK;
}

ob_status live_withdraw(uint64_t *withdrawn, live *next, uint64_t number, ob_error *err)
{
    if (live_is_withdrawn(next, number))
        return OB_OK;
    ob_status status = need_bits(next, number, err);
    if (status)
        return status;
    next->withdrawn->word[number / 64] |= UINT64_C(1) << (number % 64);
    ++*(number < next->base->file.info.entries ? &next->withdrawn_of_file
                                               : &next->withdrawn_of_added);
    ++*withdrawn;
    return OB_OK;
}

/* ---- The next list --------------------------------------------------------------------------- */

ob_status live_next(live **out, const live *from, ob_error *err)
{
    live *made = malloc(sizeof *made);
    if (!made)
        return ob_fail(err, OB_ENOMEM, "out of memory: a list");
    *made = (live){.base = from->base,
                   .added = from->added,
                   .digests = from->digests,
                   .withdrawn = from->withdrawn,
                   .withdrawn_of_file = from->withdrawn_of_file,
                   .withdrawn_of_added = from->withdrawn_of_added};
    memcpy(made->used, from->used, sizeof made->used);
    atomic_init(&made->users, 1);
    atomic_fetch_add(&made->base->users, 1);
    if (made->withdrawn)
        atomic_fetch_add(&made->withdrawn->users, 1);
    *out = made;
    return OB_OK;
}

/* Frees the entries from number `first` on. */
static void cut_back(base *b, uint64_t first)
{
    while (b->added > first) {
        const uint64_t n = --b->added;
        chunk *c = b->chunks[n / CHUNK];
        added *last = c->entries[--c->count];
        for (int column = 0; column < COLUMNS; column++)
            c->used[column] -= last->at[column] != 0;
        free(last);
    }
}

void live_give_up(live *next, const live *from)
{
    if (next->base->added > from->added)
        drop_table(next->base);
    cut_back(next->base, from->added);
    live_release(next);
}

void live_drop_added(base *b)
{
    cut_back(b, 0);
    for (size_t i = 0; i < CHUNKS_MAX && b->chunks[i]; i++)
        free(b->chunks[i]);
    drop_table(b);
}
