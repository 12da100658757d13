/* gate: who may be looked at. Pure: no I/O, no clock.
 *
 * The words of this header are those of the API, the records and the documentation. */
#ifndef OBHUT_GATE_H
#define OBHUT_GATE_H

#include <obhut/base.h>

/* Where a service has an item. */
typedef enum ob_surface {
    OB_SURFACE_DIRECT,  /* between two people */
    OB_SURFACE_GROUP,   /* among the members of a closed group */
    OB_SURFACE_PUBLIC,  /* everybody may see it */
    OB_SURFACE_STORAGE, /* kept by one account for itself */
    OB_SURFACES,
} ob_surface;

/* "direct", "group", "public", "storage". */
const char *ob_surface_name(ob_surface surface);

/* False where there is no surface of that name. */
bool ob_surface_parse(ob_surface *out, const char *name);

/* Whether an item on this surface may be looked at. Only what everybody may see: there is no record
 * yet that could open anything else. */
bool ob_gate_allows(ob_surface surface);

#endif
