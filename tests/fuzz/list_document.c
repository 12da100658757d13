/* The same behind what makes it a document of JSON. */
#include "list_any.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const bool object = size && bytes[0] & 1;
    whole_most = size && bytes[0] & 2 ? 48 : 0;
    int file = file_of(object ? "{\"value\":[\n" : "[", bytes + (size > 0), size - (size > 0));
    read_all(file, size + 2);
    close(file);
    return 0;
}
