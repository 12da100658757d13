/* Any bytes as a published list: entries or sentences, and an end. */
#ifndef OBHUT_FUZZ_LIST_ANY_H
#define OBHUT_FUZZ_LIST_ANY_H

#include "read_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Bytes of a record of JSON that is read whole; 0: as many as there are. */
static size_t whole_most;

/* `most`: so many things can stand in it. */
static inline void read_all(int file, size_t most)
{
    reader *reader = NULL;
    entries all = {0};
    ob_import_understood told = {.skipped = 0};
    if (lseek(file, 0, SEEK_SET) ||
        reader_new(&reader, file, "fuzz", OB_IMPORT_CHECKED, &told, NULL))
        abort();
    if (whole_most)
        reader_limit(reader, whole_most);
    for (size_t things = 0;; things++) {
        entry entry;
        bool end, duplicate;
        ob_error err = {0};
        ob_status status = reader_next(&entry, &end, reader, &err);
        if (!status && end)
            break;
        if (status == OB_EREFUSED && whole_most && err.text[0])
            break;
        if (things > most || (status && (status != OB_EFORMAT || !err.text[0])))
            abort();
        if (!status && !entry.withdrawn && entries_add(&duplicate, &all, &entry, NULL))
            abort();
    }
    if (told.columns.count > OB_IMPORT_NAMES_MAX || told.states.count > OB_IMPORT_NAMES_MAX ||
        !memchr(told.shape, '\0', sizeof told.shape))
        abort();
    entries_free(&all);
    reader_free(reader);
}

static inline int file_of(const char *start, const uint8_t *bytes, size_t size)
{
    const size_t before = strlen(start);
    int file = memfd_create("list", 0);
    if (file < 0 || write(file, start, before) != (ssize_t)before ||
        write(file, bytes, size) != (ssize_t)size)
        abort();
    return file;
}

#endif
