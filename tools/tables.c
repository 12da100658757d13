/* Tables of the documentation, made of those in the code: tables formats | detectors. */
#include <obhut/detect.h>
#include <obhut/media.h>

#include <stdio.h>
#include <string.h>

static void print_formats(void)
{
    static const char *const programs[OB_PROGRAMS] = {"", "obhut-worker", "obhut-worker-heif"};
    puts("| format | name in answers | decoded by | what is hashed |\n|---|---|---|---|");
    for (int f = OB_FORMAT_UNKNOWN + 1; f < OB_FORMATS; f++) {
        const ob_format_row *row = ob_format_at((ob_format)f);
        if (row->program)
            printf("| %s | `%s` | `%s` | %s |\n", row->title, row->name, programs[row->program],
                   row->hashed);
        else
            printf("| %s | `%s` | nobody | nothing: it is `UNSUPPORTED` |\n", row->title,
                   row->name);
    }
}

static int print_detectors(void)
{
    ob_error err = {0};
    ob_detectors all;
    ob_buf out = {0};
    ob_status status = ob_detectors_make(&all, NULL, 0, &err);
    if (!status)
        status = ob_detectors_table(&out, &all, &err);
    if (status)
        fprintf(stderr, "%s\n", err.text);
    else
        fwrite(out.bytes, 1, out.size, stdout);
    ob_buf_free(&out);
    return status ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "formats"))
        print_formats();
    else if (argc == 2 && !strcmp(argv[1], "detectors"))
        return print_detectors();
    else
        return 2;
    return 0;
}
