/* Opening and closing what acts are done with. */
#include "acts_priv.h"

#include <stdio.h>
#include <stdlib.h>

ob_status ob_acts_open(ob_acts **out, ob_store *store, ob_audit *audit, const char *dir,
                       ob_error *err)
{
    int64_t last;
    ob_acts *acts = calloc(1, sizeof *acts);
    if (!acts)
        return ob_fail(err, OB_ENOMEM, "out of memory: acts");
    acts->store = store;
    acts->audit = audit;
    snprintf(acts->audit_dir, sizeof acts->audit_dir, "%s/audit", dir);
    ob_status status = bind_key(acts, dir, err);
    if (!status)
        status = acts_recover_log(&last, acts, err);
    if (!status)
        status = acts_writer_start(acts, err);
    if (!status)
        status = acts_recover_intents(acts, err);
    if (!status)
        status = bind_log_begin(acts, err);
    if (status)
        ob_acts_close(acts);
    else
        *out = acts;
    return status;
}

void ob_acts_close(ob_acts *acts)
{
    if (!acts)
        return;
    ob_audit_on_signed(acts->audit, NULL, NULL);
    acts_writer_stop(acts);
    bind_log_end(acts);
    ob_wipe(acts->key, sizeof acts->key);
    free(acts);
}
