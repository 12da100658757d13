/* What records have in common. Every one is typed in a header of its subject beside this one and
 * kept by store; docs/DATA.md says what each is for and how long it stays.
 *
 * Accounts, conversations and items are known by keys: what a keyed pseudonym (ob_acts_pseudonym)
 * makes of the words of a service. Instants are seconds since 1970, UTC. A number that names a
 * record is counted from 1 within its kind and never given twice.
 *
 * What is said here once holds for all of them. Functions read through a view or change through a
 * writing (obhut/store.h). Lists are arrays that the caller frees with free(), with at most `most`
 * elements, the newest first. OB_ENOTFOUND: there is no such record; OB_EREFUSED: it is not in a
 * state in which that can be done. With any error but that of a read, the writing has failed. A
 * withdrawal (ob_store_on_withdrawal) is raised by whatever may end a permission to look. */
#ifndef OBHUT_RECORDS_RECORD_H
#define OBHUT_RECORDS_RECORD_H

#include <obhut/base.h>

enum { OB_RECORD_KEY = 32, OB_RECORD_TEXT = 2000 };

/* A pseudonym. */
typedef struct ob_record_key {
    uint8_t bytes[OB_RECORD_KEY];
} ob_record_key;

#endif
