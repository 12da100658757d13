/* Any bytes as a published list: entries or sentences, and an end. */
#include "lists_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int file = memfd_create("list", 0);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size || lseek(file, 0, SEEK_SET))
        abort();
    reader *reader = NULL;
    entries all = {0};
    if (reader_new(&reader, file, "fuzz", NULL))
        abort();
    for (size_t lines = 0;; lines++) {
        entry entry;
        bool end, duplicate;
        ob_error err = {0};
        ob_status status = reader_next(&entry, &end, reader, &err);
        if (!status && end)
            break;
        if (lines > size || (status && (status != OB_EFORMAT || !err.text[0])))
            abort();
        if (!status && entries_add(&duplicate, &all, &entry, NULL))
            abort();
    }
    entries_free(&all);
    reader_free(reader);
    close(file);
    return 0;
}
