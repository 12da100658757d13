/* How much memory a process has in files without a name. */
#include "weigh.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

uint64_t weigh_files(pid_t child)
{
    enum { BLOCK = 512 };
    char path[64];
    uint64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)child);
    DIR *all = opendir(path);
    if (!all)
        return 0;
    for (const struct dirent *one; (one = readdir(all));) {
        struct stat file;
        if (!fstatat(dirfd(all), one->d_name, &file, 0) && S_ISREG(file.st_mode) && !file.st_nlink)
            sum += (uint64_t)file.st_blocks * BLOCK;
    }
    closedir(all);
    return sum;
}

/* Bodies and answers on their way, twice for what waits to be sent, and room for other listeners'
 * bodies, which are few. */
uint64_t weigh_front_most(const config *config)
{
    return 2 * config->memory_most + (UINT64_C(256) << 20);
}
