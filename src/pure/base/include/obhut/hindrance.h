/* hindrance: why something cannot be done now. A hindrance never means that something is forbidden:
 * that is a denial by the gate, or a refusal. */
#ifndef OBHUT_HINDRANCE_H
#define OBHUT_HINDRANCE_H

#include <obhut/base.h>

typedef enum ob_hindrance {
    OB_HINDRANCE_NONE,
    OB_HINDRANCE_LOG,        /* the audit log cannot be written, or is too slow */
    OB_HINDRANCE_RECORDS,    /* the records cannot be read or written, or are too slow */
    OB_HINDRANCE_CLOCK,      /* the machine's clock cannot be relied on */
    OB_HINDRANCE_BUSY,       /* too much is waiting already, or memory is short */
    OB_HINDRANCE_WORKERS,    /* no worker can be started or reached */
    OB_HINDRANCE_LISTS,      /* a list that is switched on cannot be searched */
    OB_HINDRANCE_RESTARTING, /* the service is starting, or was started again meanwhile */
    OB_HINDRANCE_STOPPING,   /* the service is being ended */
    OB_HINDRANCE_FAULT,      /* something else failed that should not */
    OB_HINDRANCES,
} ob_hindrance;

/* Returns the reason that goes with `could_not`: "LOG", "RECORDS", …, or "NONE". The text is a
 * constant. */
const char *ob_hindrance_name(ob_hindrance hindrance);

/* Returns the meaning as one calm English sentence, without a path, an address or a query. The text
 * is a constant. */
const char *ob_hindrance_text(ob_hindrance hindrance);

/* Returns after how many seconds a new attempt makes sense. */
unsigned ob_hindrance_retry_s(ob_hindrance hindrance);

/* Returns the hindrance behind an error of the records or the log: OB_EIO is OB_HINDRANCE_RECORDS,
 * OB_EBUSY and OB_ENOMEM are OB_HINDRANCE_BUSY, everything else is OB_HINDRANCE_NONE. */
ob_hindrance ob_hindrance_of(ob_status status);

#endif
