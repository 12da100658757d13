/* The linker's own digest of this program: which build it is. */
#include "engine_priv.h"

#include <elf.h>
#include <link.h>
#include <string.h>

static int look_at(struct dl_phdr_info *info, size_t size, void *context)
{
    char *out = context;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_NOTE)
            continue;
        const char *at = (const char *)(info->dlpi_addr + part->p_vaddr), *end = at + part->p_memsz;
        while (at + sizeof(ElfW(Nhdr)) <= end) {
            ElfW(Nhdr) note;
            memcpy(&note, at, sizeof note);
            const char *name = at + sizeof note;
            const uint8_t *bytes = (const uint8_t *)name + ((note.n_namesz + 3) & ~3u);
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(name, "GNU", 4) &&
                2 * note.n_descsz < OB_BUILD_ID) {
                ob_hex(out, bytes, note.n_descsz);
                return 1;
            }
            at = (const char *)bytes + ((note.n_descsz + 3) & ~3u);
        }
    }
    return 1; /* the first one is this program; libraries do not count */
}

const char *ob_build_id(char out[OB_BUILD_ID])
{
    *out = '\0';
    dl_iterate_phdr(look_at, out);
    return out;
}
