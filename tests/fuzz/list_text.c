#include "list_any.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int file = file_of("", bytes, size);
    read_all(file, size < 2 || bytes[0] != 0x1F || bytes[1] != 0x8B ? size + 1 : SIZE_MAX);
    close(file);
    return 0;
}
