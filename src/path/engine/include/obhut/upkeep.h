/* upkeep: what must hold over years: a log that says under which laws and by which program, and
 * records that are kept no longer than they may be. */
#ifndef OBHUT_UPKEEP_H
#define OBHUT_UPKEEP_H

#include <obhut/acts.h>
#include <obhut/base.h>
#include <obhut/records/retention.h>

/* Opens the log of a data directory; its checkpoints carry the digests of regimes, floor and
 * program. The log must still have what `store` knows to have been signed; NULL: there are no
 * records yet. The caller closes *out: ob_audit_close. Errors as ob_audit_open. */
ob_status ob_engine_audit(ob_audit **out, ob_store *store, const char *dir,
                          void (*problem)(void *context, const char *sentence), void *context,
                          ob_error *err);

/* The program's own build id as text, "" where it has none. */
enum { OB_BUILD_ID = 130 };
/* Writes the program's own build id as text, "" where it has none, and returns `out`. */
const char *ob_build_id(char out[OB_BUILD_ID]);

/* Deletes what has been kept long enough under the laws of the service: the log says before what is
 * due, and afterwards what went. `actor` NULL: by itself. As ob_store_reap. */
ob_status ob_records_reap(ob_reaped out[OB_REAPED_MOST], size_t *count, ob_store *store,
                          ob_acts *acts, const ob_actor *actor, int64_t now, bool scrub,
                          ob_error *err);

#endif
