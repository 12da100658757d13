/* Two numbers that one process raises and others can only read. */
#include "sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct numbers {
    atomic_ullong service, personal;
} numbers;

struct ob_epoch_page {
    int file;
    numbers *page;
};

ob_status ob_epoch_page_new(ob_epoch_page **out, ob_error *err)
{
    ob_epoch_page *p = calloc(1, sizeof *p);
    if (!p)
        return ob_fail(err, OB_ENOMEM, "out of memory: epochs");
    p->page = MAP_FAILED;
    p->file = memfd_create("obhut-epochs", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (p->file >= 0 && !ftruncate(p->file, sizeof *p->page))
        p->page = mmap(NULL, sizeof *p->page, PROT_READ | PROT_WRITE, MAP_SHARED, p->file, 0);
    /* this mapping stays writable; no other one can be made */
    if (p->page == MAP_FAILED ||
        fcntl(p->file, F_ADD_SEALS,
              F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)) {
        ob_status status =
            ob_fail(err, OB_EIO, "memory for epochs cannot be had: %s", strerror(errno));
        ob_epoch_page_free(p);
        return status;
    }
    *out = p;
    return OB_OK;
}

void ob_epoch_page_free(ob_epoch_page *p)
{
    if (!p)
        return;
    if (p->page != MAP_FAILED)
        munmap(p->page, sizeof *p->page);
    if (p->file >= 0)
        close(p->file);
    free(p);
}

void ob_epoch_raise(ob_epoch_page *p, bool personal)
{
    atomic_fetch_add(personal ? &p->page->personal : &p->page->service, 1);
}

ob_epochs ob_epochs_now(const ob_epoch_page *p)
{
    return (ob_epochs){atomic_load(&p->page->service), atomic_load(&p->page->personal)};
}

int epochs_file(const ob_epoch_page *p)
{
    return p->file;
}

/* ---- The other side -------------------------------------------------------------------------- */

ob_epoch_page *epochs_open(int file)
{
    ob_epoch_page *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->file = -1;
    p->page = mmap(NULL, sizeof *p->page, PROT_READ, MAP_SHARED, file, 0);
    if (p->page == MAP_FAILED) {
        free(p);
        return NULL;
    }
    return p;
}
