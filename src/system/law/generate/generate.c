/* Writes the built-in regimes and detectors as C: generate BUILT-AT FLOOR-SOURCE FILE.json … >
 * builtin.c. The files are read by the same code that reads one to explain it. */
#include "../law_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MOST = 64, FILE_MOST = 1 << 20 };

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(FILE_MOST);
    if (!file || !bytes) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    *size = fread(bytes, 1, FILE_MOST, file);
    fclose(file);
    return bytes;
}

/* A C string literal, byte by byte where it is not plain. */
static void print_text(const char *text)
{
    putchar('"');
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\' || *p == '?')
            printf("\\%03o", *p);
        else
            putchar(*p);
    putchar('"');
}

static void print_member(const char *name, const char *text)
{
    printf("     .%s = ", name);
    print_text(text ? text : "");
    puts(",");
}

static void print_digest(const uint8_t *digest)
{
    putchar('{');
    for (int i = 0; i < 32; i++)
        printf("%s0x%02x", i ? ", " : "", digest[i]);
    putchar('}');
}

static void print_instant(const char *name, int64_t at)
{
    if (at == INT64_MIN || at == INT64_MAX)
        printf("     .%s = %s,\n", name, at == INT64_MIN ? "INT64_MIN" : "INT64_MAX");
    else
        printf("     .%s = INT64_C(%" PRId64 "),\n", name, at);
}

static void print_texts(const char *name, const char *const *texts, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (texts[i] && *texts[i]) {
            printf("     .%s[%u] = ", name, i);
            print_text(texts[i]);
            puts(",");
        }
}

static void print_regime(const ob_regime *r)
{
    puts("    {");
    print_member("id", r->id);
    print_member("title", r->title);
    print_member("title_de", r->title_de);
    printf("     .kind = %d, .status = %d,\n", (int)r->kind, (int)r->status);
    print_instant("from", r->from);
    print_instant("until", r->until);
    print_member("dates_article", r->dates_article);
    print_member("countries", r->countries);
    print_member("displaces", r->displaces);
    printf("     .services = %" PRIu32 ", .surfaces = %" PRIu32 ", .encryptions = %" PRIu32 ",\n",
           r->services, r->surfaces, r->encryptions);
    print_member("scope_article", r->scope_article);
    printf("     .bases = %" PRIu32 ",\n", r->bases);
    print_texts("basis_article", r->basis_article, OB_BASIS_COUNT);
    for (int d = 0; d < OB_MATERIALS; d++)
        printf("     .detectors[%d] = %d, .months_most[%d] = %u,\n", d, (int)r->detectors[d], d,
               r->months_most[d]);
    print_texts("detector_article", r->detector_article, OB_MATERIALS);
    printf("     .court_only = %d, .orderable = %" PRIu32 ", .months_before = %u, "
           ".grooming_needs_child = %d,\n",
           r->court_only, r->orderable, r->months_before, r->grooming_needs_child);
    print_member("order_article", r->order_article);
    printf("     .evidence_needed = %d, .safeguards = %" PRIu32 ", .safeguards_grooming = %" PRIu32
           ",\n",
           r->evidence_needed, r->safeguards, r->safeguards_grooming);
    print_texts("safeguard_article", r->safeguard_article, OB_SAFEGUARD_COUNT);
    printf("     .annual_report = %d, .retention_months = %u, .retention_least_months = %u,\n",
           r->annual_report, r->retention_months, r->retention_least_months);
    print_member("report_article", r->report_article);
    print_member("retention_article", r->retention_article);
    printf("     .digest = ");
    print_digest(r->digest);
    puts("},");
}

/* ---- Detectors ------------------------------------------------------------------------------- */

static void die(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    exit(1);
}

static unsigned word_at(const json_t *json, const char *path, const char *member, ob_word word)
{
    const char *text = json_string_value(json_object_get(json, member));
    unsigned value = 0;
    if (!text || !ob_word_parse(&value, word, text))
        die(path, member);
    return value;
}

static const char *text_at(const json_t *json, const char *path, const char *member)
{
    const char *text = json_string_value(json_object_get(json, member));
    if (!text || !*text)
        die(path, member);
    return text;
}

static bool is_detector(const char *path)
{
    return strstr(path, "/detectors/") != NULL;
}

static void print_detector(const char *path)
{
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    json_t *bound = json_object_get(json, "bound_per_million");
    if (!json_is_object(json) || json_object_size(json) != 5 || !json_is_integer(bound) ||
        json_integer_value(bound) < 1 || json_integer_value(bound) > 1000000)
        die(path, "no detector: id, kind, state, bound_per_million, about");
    printf("    {");
    print_text(text_at(json, path, "id"));
    printf(", (ob_material)%u, (ob_detector_state)%u, %u, ",
           word_at(json, path, "kind", OB_WORD_MATERIAL),
           word_at(json, path, "state", OB_WORD_STATE), (unsigned)json_integer_value(bound));
    print_text(text_at(json, path, "about"));
    puts("},");
    json_decref(json);
}

static int by_id(const void *a, const void *b)
{
    const ob_law_file *const *x = a, *const *y = b;
    return strcmp(ob_law_file_regime(*x)->id, ob_law_file_regime(*y)->id);
}

int main(int argc, char **argv)
{
    ob_law_file *files[FILES_MOST];
    uint8_t digest[32], digests[FILES_MOST * 32];
    size_t size, count = 0;
    if (argc < 4 || argc - 3 > FILES_MOST)
        return 2;
    char *floor = read_file(argv[2], &size);
    if (ob_sha256(digest, floor, size, NULL))
        return 1;
    free(floor);
    puts("/* Made by src/system/law/generate from data/regimes. */\n#include <obhut/regimes.h>\n");
    printf("const uint8_t ob_law_floor_digest[32] = ");
    print_digest(digest);
    printf(";\nconst int64_t ob_law_built_at = INT64_C(%s);\n\n", argv[1]);
    puts("const ob_detector_spec ob_law_detectors[OB_DETECTORS_MOST] = {");
    for (int i = 3; i < argc; i++)
        if (is_detector(argv[i]))
            print_detector(argv[i]);
    puts("};\n");
    for (int i = 3; i < argc; i++) {
        if (is_detector(argv[i]))
            continue;
        ob_error err = {0};
        char *bytes = read_file(argv[i], &size);
        if (ob_law_file_read(&files[count++], bytes, size, &err)) {
            fprintf(stderr, "%s: %s\n", argv[i], err.text);
            return 1;
        }
        free(bytes);
    }
    qsort(files, count, sizeof *files, by_id);
    puts("static const ob_regime regimes[] = {");
    for (size_t i = 0; i < count; i++) {
        print_regime(ob_law_file_regime(files[i]));
        memcpy(digests + 32 * i, ob_law_file_regime(files[i])->digest, 32);
        if (i && !strcmp(ob_law_file_regime(files[i])->id, ob_law_file_regime(files[i - 1])->id)) {
            fprintf(stderr, "%s: stands twice\n", ob_law_file_regime(files[i])->id);
            return 1;
        }
    }
    if (ob_sha256(digest, digests, 32 * count, NULL))
        return 1;
    printf("};\n\nconst uint8_t ob_law_regimes_digest[32] = ");
    print_digest(digest);
    puts(";\n\nconst ob_regimes *ob_law_regimes(void)\n{\n"
         "    static const ob_regimes all = {regimes, sizeof regimes / sizeof *regimes};\n"
         "    return &all;\n}");
    for (size_t i = 0; i < count; i++)
        ob_law_file_free(files[i]);
    return 0;
}
