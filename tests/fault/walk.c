#include "walk.h"

#include "fault.h"
#include "files.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

static walk_kind armed;
static int rule;

const char *walk_name(walk_kind kind)
{
    static const char *const names[WALK_KINDS] = {"allocation", "send", "change of a file",
                                                  "call of a file"};
    return names[kind];
}

static bool is_of_files(walk_kind kind)
{
    return kind == WALK_CHANGE || kind == WALK_FILE;
}

bool walk_can(walk_kind kind)
{
    return is_of_files(kind) ||
           (dlsym(RTLD_DEFAULT, "fault_arm") && dlsym(RTLD_DEFAULT, "fault_disarm"));
}

/* Functions of preload.c: a function and what points to data are two things in C. */
static void arm_preload(int kind, unsigned long n, bool and_on)
{
    void (*arm)(int, unsigned long, bool);
    void *found = dlsym(RTLD_DEFAULT, "fault_arm");
    memcpy(&arm, &found, sizeof arm);
    arm(kind, n, and_on);
}

static unsigned long disarm_preload(void)
{
    unsigned long (*disarm)(void);
    void *found = dlsym(RTLD_DEFAULT, "fault_disarm");
    memcpy(&disarm, &found, sizeof disarm);
    return disarm();
}

void walk_arm(walk_kind kind, unsigned long n, bool and_on)
{
    armed = kind;
    if (!is_of_files(kind)) {
        arm_preload(kind == WALK_ALLOC ? FAULT_ALLOC : FAULT_WRITE, n, and_on);
        return;
    }
    const bool full = kind == WALK_CHANGE;
    files_begin();
    rule = files_add(&(files_rule){.verbs = full ? FILES_CHANGES : FILES_ANY,
                                   .nth = n,
                                   .and_on = and_on,
                                   .error = full ? ENOSPC : EIO});
}

unsigned long walk_disarm(void)
{
    if (!is_of_files(armed))
        return disarm_preload();
    unsigned long calls = files_calls(rule);
    files_end();
    return calls;
}
