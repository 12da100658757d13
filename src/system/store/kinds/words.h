/* What the kinds say alike about persons. */
#ifndef OBHUT_STORE_KINDS_WORDS_H
#define OBHUT_STORE_KINDS_WORDS_H

#define STAFF        "the staff's own names"
#define BY_PSEUDONYM "yes, by pseudonym"

#endif
