/* Persons: members of the staff. */
#ifndef OBHUT_RECORDS_PERSON_H
#define OBHUT_RECORDS_PERSON_H

#include <obhut/store.h>

typedef struct ob_person {
    char name[OB_NAME_MAX + 1];
    uint8_t fingerprint[OB_FINGERPRINT_SIZE]; /* of the personal token */
    uint32_t roles;                           /* bit r: ob_role r */
    bool is_external;
    int64_t made_at, ended_at; /* ended_at 0: active. Names stay: records name them */
} ob_person;

/* Adds a person. OB_EINVAL: the name is impossible, or a present or former person has it. */
ob_status ob_store_person_add(ob_writing *w, const ob_person *person, ob_error *err);
/* Ends a person's service at the instant `at`; the name stays, because records name it.
 * OB_ENOTFOUND: no active person has this name. */
ob_status ob_store_person_end(ob_writing *w, const char *name, int64_t at, ob_error *err);
/* Sets *out to all persons, former ones too, by name, for the caller to free. */
ob_status ob_store_persons(ob_person **out, size_t *count, ob_view *view, ob_error *err);

#endif
