/* Memory files in which a worker hands over more than numbers. They are made and bounded by who
 * asks, filled by the worker, and sealed before anybody reads them: what was checked stays as it
 * was. */
#include "sandbox_priv.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int result_file_new(void)
{
    int file = memfd_create("result", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0)
        return -1;
    if (!ftruncate(file, OB_RESULT_FILE_MOST) &&
        !fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
        return file;
    close(file);
    return -1;
}

bool result_file_seal(int file)
{
    return !fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL);
}

uint64_t result_file_fill(int file, const ob_worker_program *program, const uint8_t *bytes,
                          size_t size)
{
    size_t filled = 0;
    void *room = mmap(NULL, OB_RESULT_FILE_MOST, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (room == MAP_FAILED)
        return 0;
    if (program->fill(room, &filled, OB_RESULT_FILE_MOST, bytes, size))
        filled = 0;
    munmap(room, OB_RESULT_FILE_MOST);
    return filled;
}

size_t ob_result_read(void *out, size_t size, const ob_job_result *of)
{
    if (!of->has_file)
        return 0;
    const size_t most = of->file_size < size ? (size_t)of->file_size : size;
    const ssize_t got = pread(of->file, out, most, 0);
    return got > 0 ? (size_t)got : 0;
}

void ob_result_close(ob_job_result *result)
{
    if (result->has_file)
        close(result->file);
    result->has_file = false;
}
