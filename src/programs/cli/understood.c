/* Prints what an import understood of a publisher's file. */
#include "understood.h"

#include <stdint.h>

/* "pdq 3, md5 1", or names alone. */
static void print_counts(FILE *to, const json_t *counts)
{
    const char *name, *between = "";
    json_t *count;
    json_object_foreach((json_t *)(uintptr_t)counts, name, count)
    {
        fprintf(to, "%s%s %lld", between, name, (long long)json_integer_value(count));
        between = ", ";
    }
}

static void print_names(FILE *to, const json_t *names)
{
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name) fprintf(to, "%s%s", i ? ", " : "", json_string_value(name));
}

static void print_columns(FILE *to, const char *what, const json_t *names)
{
    if (!json_array_size(names))
        return;
    fprintf(to, "  %s: ", what);
    print_names(to, names);
    fputc('\n', to);
}

static void print_group(FILE *to, const char *what, const json_t *counts)
{
    if (!json_object_size(counts))
        return;
    fprintf(to, "  %s: ", what);
    print_counts(to, counts);
    fputc('\n', to);
}

void understood_print(FILE *to, const json_t *understood)
{
    const json_t *kinds = json_object_get(understood, "kinds");
    fprintf(to, "  read as %s", json_string_value(json_object_get(understood, "shape")));
    if (json_object_size(kinds))
        fprintf(to, ": ");
    print_counts(to, kinds);
    fputc('\n', to);
    print_columns(to, "columns used", json_object_get(understood, "columns"));
    print_columns(to, "columns not used", json_object_get(understood, "columns_unused"));
    print_group(to, "kinds not used", json_object_get(understood, "kinds_unused"));
    print_group(to, "states", json_object_get(understood, "states"));
}

void understood_print_overlap(FILE *to, const json_t *of)
{
    const json_t *shared = json_object_get(of, "shared");
    if (!json_object_size(shared))
        return;
    fprintf(to, "  of %lld entries looked for, in other lists too: ",
            (long long)json_integer_value(json_object_get(of, "compared")));
    print_counts(to, shared);
    fputc('\n', to);
}
