/* Whoever a permit is for: a key that no other process has. */
#include "sandbox_priv.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool compute(void *context, uint8_t out[OB_PERMIT_MAC_SIZE], const void *bytes, size_t size)
{
    const ob_holder *h = context;
    _Static_assert((int)OB_PERMIT_MAC_SIZE == (int)OB_MAC_SIZE,
                   "a permit's MAC is one of crypto's");
    if (h->process != getpid())
        return false;
    ob_mac(out, h->key, "obhut permit", bytes, size);
    return true;
}

void ob_holder_init(ob_holder *h)
{
    *h = (ob_holder){.process = getpid()};
    ob_random(h->key, sizeof h->key);
}

ob_permit_mac ob_holder_maker(ob_holder *h)
{
    return (ob_permit_mac){.compute = compute, .context = h, .sequence = &h->made};
}

ob_permit_mac ob_holder_taker(ob_holder *h)
{
    return (ob_permit_mac){.compute = compute, .context = h, .sequence = &h->taken};
}

/* The older of the two calls: it takes a descriptor and nothing else, so a worker may make it. */
bool holder_look_at(ob_permit_item *item, int file)
{
    struct stat st;
    if (syscall(SYS_fstat, file, &st))
        return false;
    item->device = (uint64_t)st.st_dev;
    item->inode = (uint64_t)st.st_ino;
    return true;
}

ob_status ob_own_files_permit(void *context, ob_permit *out, uint32_t *detectors,
                              const ob_permit_item *item, ob_epochs epochs,
                              const ob_permit_mac *mac, ob_error *err)
{
    (void)context;
    const ob_permit_use use = {.item = *item,
                               .detectors = *detectors,
                               .epochs = epochs,
                               .now = ob_now(),
                               .monotonic_ms = ob_now_monotonic_ms()};
    return ob_permit_own_files(out, &use, mac, err);
}
