/* The table of hindrances: name, sentence, and when to try again. */
#include <obhut/hindrance.h>

static const struct {
    const char *name, *text;
    unsigned retry_s;
} hindrances[OB_HINDRANCES] = {
    [OB_HINDRANCE_NONE] = {"NONE", "nothing is in the way", 0},
    [OB_HINDRANCE_LOG] = {"LOG",
                          "the log cannot be written at the moment, and what cannot be logged is "
                          "not done: try again",
                          5},
    [OB_HINDRANCE_RECORDS] = {"RECORDS",
                              "the records cannot be read or written at the moment: try again", 5},
    [OB_HINDRANCE_CLOCK] = {"CLOCK",
                            "the clock of the machine cannot be relied on at the moment: nothing "
                            "is looked at until it can",
                            60},
    [OB_HINDRANCE_BUSY] = {"BUSY", "too much is waiting already: try again", 1},
    [OB_HINDRANCE_WORKERS] = {"WORKERS", "no worker can be started at the moment: try again", 5},
    [OB_HINDRANCE_LISTS] = {"LISTS",
                            "a list cannot be searched at the moment, and nothing counts as not "
                            "listed meanwhile: try again",
                            10},
    [OB_HINDRANCE_RESTARTING] = {"RESTARTING", "the service is starting: try again", 1},
    [OB_HINDRANCE_STOPPING] = {"STOPPING", "the service is stopping: try again later", 10},
    [OB_HINDRANCE_FAULT] = {"FAULT", "this failed, and should not have: try again", 10},
};

const char *ob_hindrance_name(ob_hindrance hindrance)
{
    return hindrance < OB_HINDRANCES ? hindrances[hindrance].name : "UNKNOWN";
}

const char *ob_hindrance_text(ob_hindrance hindrance)
{
    return hindrance < OB_HINDRANCES ? hindrances[hindrance].text : "";
}

unsigned ob_hindrance_retry_s(ob_hindrance hindrance)
{
    return hindrance < OB_HINDRANCES ? hindrances[hindrance].retry_s : 0;
}

ob_hindrance ob_hindrance_of(ob_status status)
{
    switch (status) {
    case OB_EIO:
        return OB_HINDRANCE_RECORDS;
    case OB_EBUSY: /* too many read, or too many acts wait */
    case OB_ENOMEM:
        return OB_HINDRANCE_BUSY;
    default:
        return OB_HINDRANCE_NONE;
    }
}
