/* The profile: what the service is and what it has switched on. */
#ifndef OBHUT_RECORDS_PROFILE_H
#define OBHUT_RECORDS_PROFILE_H

#include <obhut/store.h>

/* What a service is, and what it has switched on. Masks: bit v is value v of gate's words. */
typedef struct ob_profile {
    char service[OB_NAME_MAX + 1];
    uint32_t kinds;
    char country[3]; /* "" : not said */
    char regime[65]; /* the house rule, where no built-in law knows the country */
    uint32_t surfaces, bases, detectors;
    bool has_register;  /* of protected conversations */
    int64_t changed_at; /* of what an impact assessment is about; 0: never */
} ob_profile;

/* The one of a fresh directory: public uploads and participants' reports, known material. */
extern const ob_profile ob_profile_default;

/* Reads the profile; where none was set, ob_profile_default. */
ob_status ob_store_profile(ob_profile *out, ob_view *view, ob_error *err);
/* Sets the profile. Raises a withdrawal, because something may have been switched off. */
ob_status ob_store_profile_set(ob_writing *w, const ob_profile *profile, ob_error *err);

#endif
