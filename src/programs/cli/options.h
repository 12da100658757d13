/* Options that several commands understand. */
#ifndef OBHUT_CLI_OPTIONS_H
#define OBHUT_CLI_OPTIONS_H

#include "pictures.h"

/* How pictures are decoded and hashed: entries for a table of getopt_long. */
enum { OPTION_EXACT = 512, OPTION_VARIANT, OPTION_THREADS };
#define OPTIONS_PICTURES                                                                           \
    {"exact", no_argument, NULL, OPTION_EXACT},                                                    \
        {"variant", required_argument, NULL, OPTION_VARIANT},                                      \
    {                                                                                              \
        "threads", required_argument, NULL, OPTION_THREADS                                         \
    }

/* Takes one of them; false when it is none, or after saying what is wrong with its value. */
bool options_picture(pictures_options *out, int option, const char *value);

/* A whole number from `least` to `most`, or false after saying "NAME is …". */
bool options_number(unsigned *out, const char *name, const char *value, unsigned least,
                    unsigned most);

#endif
