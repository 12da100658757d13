/* Persons and their roles. */
#include <obhut/staff.h>

#include <obhut/clock.h>
#include <obhut/crypto.h>
#include <obhut/records/person.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const roles[OB_ROLES] = {"reviewer", "lead", "officer"};

const char *ob_role_name(ob_role role)
{
    return role < OB_ROLES ? roles[role] : "unknown";
}

ob_status ob_staff_person_add(char secret[], ob_writing *w, const char *name, uint32_t wanted,
                              bool is_external, ob_error *err)
{
    ob_person person = {.roles = wanted, .is_external = is_external, .made_at = ob_now()};
    if (!wanted || wanted >> OB_ROLES)
        return ob_fail(err, OB_EINVAL, "a person needs a role: reviewer, lead or officer");
    if (!ob_name_is_valid(name) || !strcmp(name, "operator"))
        return ob_fail(err, OB_EINVAL, "\"%.80s\" is no name: a-z 0-9 . _ -, at most %d", name,
                       OB_NAME_MAX);
    snprintf(person.name, sizeof person.name, "%s", name);
    ob_secret_make(secret);
    ob_secret_fingerprint(person.fingerprint, secret, OB_SECRET_TEXT);
    return ob_store_person_add(w, &person, err);
}

ob_status ob_staff_person_find(bool *found, ob_person *out, ob_view *view, const char *secret,
                               ob_error *err)
{
    uint8_t fingerprint[OB_MAC_SIZE];
    ob_person *persons = NULL;
    size_t count = 0;
    *found = false;
    ob_secret_fingerprint(fingerprint, secret, strlen(secret));
    ob_status status = ob_store_persons(&persons, &count, view, err);
    if (status)
        return status;
    for (size_t i = 0; i < count; i++)
        if (ob_same(persons[i].fingerprint, fingerprint, sizeof fingerprint) &&
            !persons[i].ended_at) {
            *out = persons[i];
            *found = true;
        }
    free(persons);
    return OB_OK;
}
