/* Verdicts: what two persons decided about something that an account had done. */
#ifndef OBHUT_RECORDS_VERDICT_H
#define OBHUT_RECORDS_VERDICT_H

#include <obhut/records/record.h>
#include <obhut/store.h>

typedef struct ob_verdict {
    int64_t id;
    ob_record_key account;
    char reason[OB_RECORD_TEXT + 1];
    char proposed_by[OB_NAME_MAX + 1], confirmed_by[OB_NAME_MAX + 1];
    int64_t at;
    int64_t overturned_at; /* 0: it stands */
    char overturned_by[OB_NAME_MAX + 1];
} ob_verdict;

/* Adds a standing verdict, whatever its `overturned_at` says, and sets *id to its number. */
ob_status ob_store_verdict_add(int64_t *id, ob_writing *w, const ob_verdict *verdict,
                               ob_error *err);
/* Reads the verdict of this number. OB_ENOTFOUND leaves *out untouched. */
ob_status ob_store_verdict(ob_verdict *out, ob_view *view, int64_t id, ob_error *err);
/* Sets *out to the newest verdicts, at most `most`, for the caller to free. */
ob_status ob_store_verdicts(ob_verdict **out, size_t *count, ob_view *view, size_t most,
                            ob_error *err);
/* Overturns a verdict at the instant `at`, and ends every cause that rests on it. */
ob_status ob_store_verdict_overturn(ob_writing *w, int64_t id, const char *by, int64_t at,
                                    ob_error *err);

#endif
