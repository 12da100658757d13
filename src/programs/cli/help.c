/* Help of every command, made of the table of commands. */
#include "cli.h"

#include <obhut/commands.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 96 };

/* ---- Text that ends its lines in time -------------------------------------------------------- */

typedef struct column {
    size_t indent, at; /* in columns, not bytes */
} column;

static size_t columns(const char *text, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static void put_word(column *c, const char *word, size_t size)
{
    const size_t width = columns(word, size);
    if (c->at > c->indent && c->at + 1 + width > WIDTH) {
        puts("");
        c->at = 0;
    }
    if (c->at < c->indent)
        printf("%*s", (int)(c->indent - c->at), "");
    else if (c->at > c->indent)
        putchar(' ');
    c->at = (c->at > c->indent ? c->at + 1 : c->indent) + width;
    fwrite(word, 1, size, stdout);
}

static void put_text(column *c, const char *text)
{
    for (size_t size; *text; text += size) {
        text += strspn(text, " ");
        size = strcspn(text, " ");
        if (size)
            put_word(c, text, size);
    }
}

static void put_paragraph(size_t indent, const char *text)
{
    column c = {.indent = indent};
    put_text(&c, text);
    puts("");
}

/* ---- A command ------------------------------------------------------------------------------- */

static void option_name(char *out, size_t size, const ob_command_field *f)
{
    snprintf(out, size, "--%s", f->name);
    for (char *p = out; *p; p++)
        *p = *p == '_' ? '-' : *p;
}

/* "[--days N]", "NAME", "[HASHES…]": one word, so that no line ends within it. */
static void put_synopsis(column *c, const ob_command_field *f)
{
    char word[120], value[60] = "";
    const bool many = f->kind == OB_FIELD_PLACES;
    if (f->is_place) {
        snprintf(value, sizeof value, "%s", f->words ? f->words : f->name);
        for (char *p = value; !f->words && *p; p++)
            *p = (char)toupper((unsigned char)*p);
        snprintf(word, sizeof word, "%s%s%s%s", f->is_needed ? "" : "[", value, many ? "…" : "",
                 f->is_needed ? "" : "]");
    } else {
        char name[44];
        option_name(name, sizeof name, f);
        snprintf(word, sizeof word, "%s%s%s%s%s%s", f->is_needed ? "" : "[", name,
                 f->kind == OB_FIELD_TRUTH ? "" : " ",
                 f->kind == OB_FIELD_TRUTH ? ""
                 : f->words                ? f->words
                                           : "VALUE",
                 f->kind == OB_FIELD_WORDS && strchr(f->words, '|') ? "[,…]" : "",
                 f->is_needed ? "" : "]");
    }
    put_word(c, word, strlen(word));
}

static void put_field(const ob_command_field *f)
{
    enum { INDENT = 6, WORD = 18 };
    char name[44];
    column c = {.indent = INDENT};
    if (f->is_place)
        snprintf(name, sizeof name, "%s", f->words ? f->words : f->name);
    else
        option_name(name, sizeof name, f);
    for (char *p = name; f->is_place && !f->words && *p; p++)
        *p = (char)toupper((unsigned char)*p);
    put_word(&c, name, strlen(name));
    while (c.at < INDENT + WORD) {
        putchar(' ');
        c.at++;
    }
    c.indent = c.at;
    put_text(&c, f->about);
    puts("");
}

static void put_command(const ob_command *command, const char *action)
{
    column c = {.indent = 2};
    put_word(&c, action, strlen(action));
    c.indent = 2;
    for (const ob_command_field *f = command->takes; f && f->name; f++)
        if (!f->is_inner)
            put_synopsis(&c, f);
    puts("");
    put_paragraph(4, command->about);
    for (const ob_command_field *f = command->takes; f && f->name; f++)
        if (!f->is_inner)
            put_field(f);
}

static void put_persons(const ob_command_group *group)
{
    const ob_command *c;
    bool any = false;
    for (size_t i = 0; (c = ob_command_at(i)) != NULL; i++)
        any |= ob_command_is_of(c, group->name) && c->persons != OB_PERSONS_NONE;
    if (!any)
        return;
    puts("");
    put_paragraph(
        0, "What stops looking, the operator can do alone; what allows it needs persons: set "
           "OBHUT_PERSON_TOKEN to the personal token of the person who acts.");
}

static const ob_command_group *find_group(const char *name)
{
    const ob_command_group *g;
    for (size_t i = 0; (g = ob_command_group_at(i)) != NULL; i++)
        if (!strcmp(g->name, name))
            return g;
    return NULL;
}

int cli_help_of(const char *name)
{
    const ob_command_group *group = find_group(name);
    const ob_command *c;
    if (!group)
        return cli_usage("", "no help on %s", name);
    printf("Usage: obhut [--data DIR] %s …\n\n", name);
    for (size_t i = 0; (c = ob_command_at(i)) != NULL; i++)
        if (ob_command_is_of(c, name) && !c->is_inner)
            put_command(c, c->name[strlen(name)] ? c->name + strlen(name) + 1 : name);
    puts("  --json\n    the answer as JSON, but where it is a file");
    put_persons(group);
    if (group->notes) {
        puts("");
        put_paragraph(0, group->notes);
    }
    puts("");
    for (size_t i = 0; i < sizeof group->examples / sizeof *group->examples && group->examples[i];
         i++)
        printf("  %s\n", group->examples[i]);
    return cli_finish(CLI_NOTHING);
}

/* ---- All of them ----------------------------------------------------------------------------- */

int cli_help_all(void)
{
    const ob_command_group *g;
    puts("Usage: obhut [--data DIR] COMMAND [OPTION…] …\n");
    for (size_t i = 0; (g = ob_command_group_at(i)) != NULL; i++)
        printf("  %-10s %s\n", g->name, g->about);
    puts("\n"
         "  --data DIR  where everything is kept; else $OBHUT_DATA, else /var/lib/obhut for root "
         "and\n"
         "              ~/.local/share/obhut for everybody else\n"
         "  --version\n"
         "  --help      also after a command; obhut help COMMAND does the same; obhut help --json "
         "says\n"
         "              all that can be asked, for programs\n"
         "\n"
         "Exit codes: 0 nothing found, 1 something found, 2 wrong usage, 3 something failed.\n");
    put_paragraph(
        0,
        "hash and match look at your own files on your own machine. What a service hands over, and "
        "what scan is told that it does, is looked at only where a cause, a legal basis or a "
        "person's own wish allows it.");
    puts("\n"
         "  obhut list import known.csv --source \"Hotline\"\n"
         "  obhut scan --surface public ~/uploads");
    return cli_finish(CLI_NOTHING);
}

int cli_help_json(void)
{
    json_t *all = ob_commands_json();
    char *text = all ? json_dumps(all, JSON_INDENT(1)) : NULL;
    json_decref(all);
    if (!text) {
        cli_say("out of memory");
        return CLI_FAILURE;
    }
    puts(text);
    free(text);
    return cli_finish(CLI_NOTHING);
}
