/* What journal.c and journal_read.c share: how a line of a journal looks. */
#ifndef OBHUT_LISTFILE_JOURNAL_PRIV_H
#define OBHUT_LISTFILE_JOURNAL_PRIV_H

#include "listfile_priv.h"

enum { SUM_DIGITS = JOURNAL_SUM_DIGITS, HEAD = SUM_DIGITS + 1 };

/* More than any journal or line that is written has. */
#define JOURNAL_SIZE_MOST (UINT64_C(64) << 30)
enum { JOURNAL_LINE_MOST = 16 << 20 };

typedef enum line_kind {
    LINE_WHOLE,   /* a group of one line */
    LINE_BEGIN,   /* the first of several */
    LINE_MORE,    /* a middle one */
    LINE_END,     /* the last: with it the group counts */
    LINE_VERSION, /* the first of the journal */
    LINE_BAD,     /* none of these */
} line_kind;

/* What the text of a line begins with, by kind. */
extern const char *const journal_opening[];

/* The digits that stand before a text. */
ob_status journal_sum(char out[SUM_DIGITS + 1], const char *text, size_t size, ob_error *err);

/* Sets size, mark and version to those of the file: up to the last group that counts. OB_EFORMAT
 * names a line that was acknowledged and is damaged, or says what is missing. */
ob_status journal_measure(journal *journal, const journal_extent *least, ob_error *err);

/* journal_read of an open file. */
ob_status journal_read_open(journal *journal, const journal_extent *least,
                            ob_status (*each)(void *context, const entry *entry, ob_error *err),
                            void *context, ob_error *err);

#endif
