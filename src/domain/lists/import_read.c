/* Reads the file of a published list from its first line to its last: counts, and names what is
 * wrong. */
#include "lists_priv.h"

#include <obhut/file.h>
#include <obhut/hash.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of digests, nearly half have more bits set than a PDQ hash can have. */
enum { PENDING = 256, POSING_PART = 4 };

typedef struct reading {
    const ob_import *wish;
    const char *label;
    const list_screen *screen;
    ob_import_result *counts;
    ob_status (*each)(void *context, const entry *entry, ob_error *err);
    void *context;

    /* Entries that wait to be screened together, and their texts. */
    entry pending[PENDING];
    size_t text[PENDING][3]; /* where id, source, classification start; 0: none */
    ob_buf texts;
    uint32_t count;

    const char *unit;        /* what entry.line counts */
    uint64_t hashes, posing; /* PDQ hashes, and those that can be none */
} reading;

static void line_error(const reading *r, const char *sentence)
{
    if (r->wish->line_error)
        r->wish->line_error(r->wish->context, sentence);
}

static ob_status copy_text(size_t *out, reading *r, const char *text, ob_error *err)
{
    *out = 0;
    if (!text || !*text)
        return OB_OK;
    ob_status status = r->texts.size ? OB_OK : ob_buf_append(&r->texts, "", 1, err);
    *out = r->texts.size;
    return status ? status : ob_buf_append(&r->texts, text, strlen(text) + 1, err);
}

static ob_status add_pending(reading *r, const entry *e, ob_error *err)
{
    size_t *text = r->text[r->count];
    r->pending[r->count++] = *e;
    ob_status status = copy_text(&text[0], r, e->id, err);
    if (!status)
        status = copy_text(&text[1], r, e->source, err);
    return status ? status : copy_text(&text[2], r, e->classification, err);
}

/* Why an entry cannot count, in `why`; false: it can. */
static bool is_refused(char why[160], reading *r, const entry *e, bool near)
{
    const char *nothing = list_digest_of_nothing(e);
    const unsigned bits = e->has_hash ? list_hash_bits(&e->hash) : 0;
    const bool poses = bits > OB_LIST_PDQ_BITS && r->wish->type != OB_IMPORT_PDQ;
    const bool low = e->has_hash && e->low_quality && !(r->wish->accept & OB_IMPORT_LOW_QUALITY);
    r->hashes += e->has_hash;
    r->posing += poses;
    if (nothing)
        snprintf(why, 160, "%s; it would match what nobody means", nothing);
    else if (near)
        snprintf(why, 160,
                 "within %d of a picture with nothing in it (%s); it would match anything",
                 OB_INDEX_MAX_DISTANCE, list_screen_name(r->screen, &e->hash));
    else if (poses)
        snprintf(why, 160, "%u of its 256 bits are set; a PDQ hash has %d, or fewer", bits,
                 OB_LIST_PDQ_BITS);
    else if (low)
        snprintf(why, 160, "its quality is below %d: it matches nothing reliably",
                 OB_PDQ_MIN_QUALITY);
    return nothing || near || poses || low;
}

static bool refuse(reading *r, const entry *e, bool near)
{
    char why[160];
    ob_error problem = {0};
    if (e->withdrawn || !is_refused(why, r, e, near && e->has_hash))
        return false;
    r->counts->refused++;
    ob_fail(&problem, OB_EREFUSED, "list \"%s\", %s %llu: refused: %s", r->label, r->unit,
            (unsigned long long)e->line, why);
    line_error(r, problem.text);
    return true;
}

/* Passes on what is held, in its order, but for what is refused. */
static ob_status pass_on(reading *r, ob_error *err)
{
    ob_hash256 hashes[PENDING];
    bool near[PENDING];
    for (uint32_t i = 0; i < r->count; i++)
        hashes[i] = r->pending[i].hash;
    ob_status status = list_screen_all(near, r->screen, hashes, r->count, err);
    for (uint32_t i = 0; i < r->count && !status; i++) {
        entry *e = &r->pending[i];
        e->id = r->text[i][0] ? r->texts.bytes + r->text[i][0] : NULL;
        e->source = r->text[i][1] ? r->texts.bytes + r->text[i][1] : "";
        e->classification = r->text[i][2] ? r->texts.bytes + r->text[i][2] : "";
        if (!refuse(r, e, near[i]) && (status = r->each(r->context, e, err)) != OB_OK)
            status = ob_fail_in(err, status, "list \"%s\", %s %llu", r->label, r->unit,
                                (unsigned long long)e->line);
    }
    r->count = 0;
    r->texts.size = 0;
    return status;
}

static ob_status read_lines(reading *r, int file, uint64_t total, ob_error *err)
{
    enum { STEP = 8 << 20 };
    reader *reader = NULL;
    ob_status status =
        reader_new(&reader, file, r->label, r->wish->type, &r->counts->understood, err);
    for (uint64_t shown = 0; !status;) {
        entry entry;
        bool end;
        ob_error problem = {0};
        status = reader_next(&entry, &end, reader, &problem);
        if (!status && end)
            break;
        r->unit = reader_unit(reader);
        r->counts->lines++;
        if (status == OB_EFORMAT) {
            status = pass_on(r, err); /* what is said goes by line */
            if (status)
                break;
            r->counts->bad++;
            line_error(r, problem.text);
            status = OB_OK;
        } else if (status) {
            status = ob_fail(err, status, "%s", problem.text);
        } else {
            status = add_pending(r, &entry, err);
            if (!status && r->count == PENDING)
                status = pass_on(r, err);
        }
        if (r->wish->progress && reader_bytes(reader) >= shown + STEP) {
            shown = reader_bytes(reader);
            r->wish->progress(r->wish->context, "reading", shown, total);
        }
    }
    uint8_t sum[OB_SHA256_SIZE];
    if (!status)
        status = reader_finish(sum, reader, err);
    if (!status)
        ob_hex(r->counts->sha256, sum, sizeof sum);
    reader_free(reader);
    return status ? status : pass_on(r, err);
}

/* Whether what was read may count. */
static ob_status judge(const reading *r, ob_error *err)
{
    const ob_import_result *c = r->counts;
    if (r->posing && r->posing >= r->hashes / POSING_PART)
        return ob_fail(
            err, OB_EREFUSED,
            "list \"%s\" was not imported: %llu of its %llu hashes of 64 digits have more "
            "bits set than a PDQ hash can have. They look like SHA-256: --type sha256 "
            "reads them so, --type pdq takes them as PDQ all the same",
            r->label, (unsigned long long)r->posing, (unsigned long long)r->hashes);
    if (c->bad && !r->wish->keep_going)
        return ob_fail(err, OB_EFORMAT,
                       "list \"%s\" was not imported: %llu of %llu %ss cannot be read "
                       "(--keep-going leaves them out)",
                       r->label, (unsigned long long)c->bad, (unsigned long long)c->lines, r->unit);
    if (c->refused && !r->wish->keep_going)
        return ob_fail(err, OB_EREFUSED,
                       "list \"%s\" was not imported: %llu of %llu entries were refused "
                       "(--keep-going leaves them out)",
                       r->label, (unsigned long long)c->refused, (unsigned long long)c->lines);
    return OB_OK;
}

static ob_status open_file(int *out, struct stat *info, const ob_import *wish, ob_error *err)
{
    bool standard_input = !strcmp(wish->file, "-");
    int file = wish->from       ? fcntl(*wish->from, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
               : standard_input ? STDIN_FILENO
                                : ob_file_open(AT_FDCWD, wish->file, O_RDONLY | O_CLOEXEC, 0);
    if (file >= 0 && !ob_file_stat(info, file) && !S_ISDIR(info->st_mode)) {
        *out = file;
        return OB_OK;
    }
    ob_status status =
        ob_fail(err, OB_EIO, "list \"%s\" cannot be opened: %s", wish->file,
                file >= 0 && S_ISDIR(info->st_mode) ? "a directory" : strerror(errno));
    if (file > STDERR_FILENO)
        close(file);
    return status;
}

ob_status import_read(ob_import_result *counts, const ob_import *wish, const list_screen *screen,
                      ob_status (*each)(void *context, const entry *entry, ob_error *err),
                      void *context, ob_error *err)
{
    int file = -1;
    struct stat info = {0};
    ob_status status = open_file(&file, &info, wish, err);
    if (status)
        return status;
    reading *r = calloc(1, sizeof *r);
    if (!r) {
        status = ob_fail(err, OB_ENOMEM, "out of memory: reading a list");
        goto out;
    }
    r->wish = wish;
    r->label = strcmp(wish->file, "-") ? wish->file : "standard input";
    r->screen = screen;
    r->counts = counts;
    r->each = each;
    r->unit = "line";
    r->context = context;
    status = read_lines(r, file, S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0, err);
    if (!status)
        status = judge(r, err);
    ob_buf_free(&r->texts);
    free(r);
out:
    if (file != STDIN_FILENO)
        close(file);
    return status;
}
