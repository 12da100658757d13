/* Any bytes as a configuration file: read or refused with a sentence. */
#include "daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    config config;
    ob_error err = {0};
    char path[64];
    int file = memfd_create("config", 0);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    ob_status status = config_read(&config, path, &err);
    if (status && (err.status != status || !err.text[0]))
        abort();
    if (!status)
        config_free(&config);
    close(file);
    return 0;
}
