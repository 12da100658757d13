/* What journal.c and journal_read.c share: how a line of a journal looks. */
#ifndef OBHUT_LISTS_JOURNAL_PRIV_H
#define OBHUT_LISTS_JOURNAL_PRIV_H

#include "lists_priv.h"

enum { SUM_DIGITS = 16, HEAD = SUM_DIGITS + 1 };

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

/* Sets size and version to those of the file: up to the last group that counts. OB_EFORMAT names a
 * line that was acknowledged and is damaged. */
ob_status journal_measure(journal *journal, ob_error *err);

#endif
