#include <obhut/gate.h>

#include <string.h>

static const char *const surfaces[OB_SURFACES] = {"direct", "group", "public", "storage"};

const char *ob_surface_name(ob_surface surface)
{
    return surface < OB_SURFACES ? surfaces[surface] : "unknown";
}

bool ob_surface_parse(ob_surface *out, const char *name)
{
    for (int s = 0; s < OB_SURFACES; s++)
        if (!strcmp(name, surfaces[s])) {
            *out = (ob_surface)s;
            return true;
        }
    return false;
}

bool ob_gate_allows(ob_surface surface)
{
    return surface == OB_SURFACE_PUBLIC;
}
