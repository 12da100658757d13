#include "lists_priv.h"

#include <stdlib.h>
#include <string.h>

struct ob_lists {
    obx *files;
    size_t count;
    uint64_t entries;
};

ob_status ob_lists_open(ob_lists **out, const char *dir, ob_error *err)
{
    list_name *names = NULL;
    size_t found = 0;
    ob_lists *lists = calloc(1, sizeof *lists);
    ob_status status = lists ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: lists");
    if (!status)
        status = list_names(&names, &found, dir, err);
    if (!status) {
        lists->files = calloc(found + 1, sizeof *lists->files);
        if (!lists->files)
            status = ob_fail(err, OB_ENOMEM, "out of memory: lists");
    }
    for (size_t i = 0; i < found && !status; i++) {
        if (!names[i].enabled)
            continue;
        char *path = NULL;
        obx *file = &lists->files[lists->count];
        ob_error problem = {0};
        status = list_path(&path, dir, names[i].name, true, &problem);
        if (!status)
            status = obx_open(file, path, &problem);
        free(path);
        if (status == OB_ENOTFOUND) { /* removed or switched off in the meantime */
            status = OB_OK;
            continue;
        }
        if (status) {
            ob_fail(err, status, "%s", problem.text);
            break;
        }
        memcpy(file->info.name, names[i].name, sizeof file->info.name);
        lists->count++;
        lists->entries += file->info.entries;
    }
    free(names);
    if (status)
        ob_lists_close(lists);
    else
        *out = lists;
    return status;
}

void ob_lists_close(ob_lists *lists)
{
    if (!lists)
        return;
    for (size_t i = 0; i < lists->count; i++)
        obx_close(&lists->files[i]);
    free(lists->files);
    free(lists);
}

size_t ob_lists_count(const ob_lists *lists)
{
    return lists->count;
}

uint64_t ob_lists_entries(const ob_lists *lists)
{
    return lists->entries;
}

/* ---- Matching ----------------------------------------------------------------------------- */

typedef struct collector {
    const obx *file;
    ob_list_match *matches;
    size_t count, capacity;
    ob_error *err;
} collector;

static ob_status collect(void *context, uint32_t query, uint64_t entry, unsigned distance)
{
    collector *c = context;
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 64;
        ob_list_match *more = realloc(c->matches, capacity * sizeof *more);
        if (!more)
            return ob_fail(c->err, OB_ENOMEM, "out of memory: %zu matches", c->count);
        c->matches = more;
        c->capacity = capacity;
    }
    const obx_attribute *attribute = obx_attribute_of(c->file, entry);
    ob_list_match *match = &c->matches[c->count];
    *match = (ob_list_match){.query = query,
                             .distance = distance,
                             .hash = ob_index_get(&c->file->index, entry),
                             .list = c->file->info.name,
                             .source = attribute->source,
                             .classification = attribute->classification};
    ob_status status = obx_id(match->entry, c->file, entry, c->err);
    if (status)
        return ob_fail_in(c->err, status, "list \"%s\"", c->file->info.name);
    c->count++;
    return OB_OK;
}

static int in_order(const void *a, const void *b)
{
    const ob_list_match *x = a, *y = b;
    int order = (x->query > y->query) - (x->query < y->query);
    if (!order)
        order = (x->distance > y->distance) - (x->distance < y->distance);
    if (!order)
        order = strcmp(x->list, y->list);
    return order ? order : strcmp(x->entry, y->entry);
}

ob_status ob_lists_match(ob_list_match **out, size_t *count, const ob_lists *lists,
                         const ob_hash256 *queries, uint32_t query_count, unsigned distance,
                         ob_error *err)
{
    collector c = {.err = err};
    ob_status status = OB_OK;
    for (size_t i = 0; i < lists->count && !status; i++) {
        c.file = &lists->files[i];
        status = ob_index_search(&c.file->index, queries, query_count, distance, collect, &c, err);
    }
    if (status) {
        free(c.matches);
        return status;
    }
    if (c.count)
        qsort(c.matches, c.count, sizeof *c.matches, in_order);
    *out = c.matches;
    *count = c.count;
    return OB_OK;
}
