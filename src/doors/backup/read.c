/* Looking at a backup: all of it, without keeping any of it. */
#include "backup_priv.h"

ob_status ob_backup_show(ob_backup_about *out, int file, const ob_seal_secret *secret,
                         ob_backup_see see, void *context, ob_error *err)
{
    opened o;
    ob_backup_about about = {0};
    bool end = false;
    ob_status status = opened_begin(&o, &about, file, secret, err);
    while (!status && !end) {
        status = sequence_next(&end, &o.sequence, err);
        if (!status && !end && see)
            see(context, o.sequence.now.name, o.sequence.now.size);
        if (!status && !end)
            status = sequence_skip(&o.sequence, err);
    }
    if (!status) {
        about.files = o.sequence.files - 1;
        about.bytes = o.sequence.bytes;
        *out = about;
    }
    opened_close(&o);
    return status;
}
