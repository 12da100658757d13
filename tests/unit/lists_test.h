/* What an owner does with the lists of a directory, for tests that do one thing with them. */
#ifndef OBHUT_LISTS_TEST_H
#define OBHUT_LISTS_TEST_H

#include "test.h"

#include <obhut/lists.h>

static inline ob_lists *lists_own(const char *dir)
{
    ob_lists *lists = NULL;
    ob_error err = {0};
    if (ob_lists_own(&lists, dir, &err))
        fail_msg("%s", err.text);
    return lists;
}

static inline ob_import_result lists_import(const char *dir, const ob_import *wish)
{
    ob_lists *lists = lists_own(dir);
    ob_import_result result;
    ob_error err = {0};
    if (ob_lists_import(&result, lists, wish, &err))
        fail_msg("%s", err.text);
    ob_lists_close(lists);
    return result;
}

static inline ob_status lists_remove(const char *dir, const char *name)
{
    ob_lists *lists = lists_own(dir);
    ob_status status = ob_lists_remove(lists, name, NULL);
    ob_lists_close(lists);
    return status;
}

#endif
