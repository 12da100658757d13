/* Reads values of command-line options. */
#include "options.h"
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool options_number(unsigned *out, const char *name, const char *value, unsigned least,
                    unsigned most)
{
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (errno || *value < '0' || *value > '9' || *end || number < least || number > most) {
        cli_say("%s is a whole number from %u to %u, not \"%s\"", name, least, most, value);
        return false;
    }
    *out = (unsigned)number;
    return true;
}

bool options_picture(pictures_options *out, int option, const char *value)
{
    switch (option) {
    case OPTION_EXACT:
        out->media.exact = true;
        return true;
    case OPTION_VARIANT:
        if (!strcmp(value, "full"))
            out->media.variant = OB_PDQ_FULL;
        else if (!strcmp(value, "reference"))
            out->media.variant = OB_PDQ_REFERENCE;
        else
            cli_say("--variant is full or reference, not \"%s\"", value);
        return !strcmp(value, "full") || !strcmp(value, "reference");
    case OPTION_THREADS:
        return options_number(&out->threads, "--threads", value, 1, 256);
    default:
        return false;
    }
}
