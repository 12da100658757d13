/* obhut audit: verify, show, search the audit log, and prove what is in it. Needs no service and no
 * data directory: a copy of three files is enough. Only whose code an account has is known to the
 * records alone. */
#include "audit.h"
#include "cli.h"

#include <obhut/audit.h>
#include <obhut/commands.h>
#include <obhut/crypto.h>
#include <obhut/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLI_WRONG = CLI_FOUND }; /* 1: something is wrong with the log */

/* ---- Files ----------------------------------------------------------------------------------- */

/* A small file, whole; false after saying what is wrong. */
static bool read_file(ob_buf *out, const char *path, size_t most)
{
    ob_error err = {0};
    char piece[8192];
    ssize_t got = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ob_status status = ob_buf_reserve(out, 0, &err);
    while (file >= 0 && !status && out->size <= most && (got = read(file, piece, sizeof piece)) > 0)
        status = ob_buf_append(out, piece, (size_t)got, &err);
    if (file < 0 || got < 0)
        cli_say("%s cannot be read: %s", path, strerror(errno));
    else if (status)
        cli_say("%s", err.text);
    else if (out->size > most)
        cli_say("%s is too large to be what is asked for", path);
    bool read_all = file >= 0 && got == 0 && !status;
    if (file >= 0)
        close(file);
    if (read_all)
        out->bytes[out->size] = '\0';
    return read_all;
}

/* The log's own fault is 1, anything else 3. */
static int failed(const ob_error *err)
{
    cli_say("%s", err->text);
    return err->status == OB_EFORMAT || err->status == OB_EREFUSED ? CLI_WRONG : CLI_FAILURE;
}

/* ---- verify ---------------------------------------------------------------------------------- */

static void print_report_json(const ob_audit_report *r, const audit_wishes *w)
{
    json_t *json =
        json_pack("{s:b,s:I,s:I,s:I,s:I,s:I,s:s,s:s,s:b,s:i}", "fine", r->fine, "entries",
                  (json_int_t)r->entries, "sealed", (json_int_t)r->covered, "unsealed",
                  (json_int_t)(r->entries - r->covered), "checkpoints", (json_int_t)r->checkpoints,
                  "bytes", (json_int_t)r->log_bytes, "sealed_at", r->signed_at, "key", r->key,
                  "key_given", w->key != NULL, "strangers", (int)r->strangers);
    if (json && !r->fine)
        json_object_set_new(json, "problem",
                            json_pack("{s:s,s:I,s:I,s:s}", "file", r->file, "offset",
                                      (json_int_t)r->offset, "entry", (json_int_t)r->entry, "text",
                                      r->problem));
    if (json && r->strangers)
        json_object_set_new(json, "stranger", ob_json_text(r->stranger));
    cli_print_json(json);
}

static void print_report(const ob_audit_report *r, const audit_wishes *w)
{
    unsigned long long entries = r->entries, covered = r->covered, count = r->checkpoints;
    if (!r->fine) {
        printf("WRONG: %s, byte %llu, entry %llu: %s.\n", r->file, (unsigned long long)r->offset,
               (unsigned long long)r->entry, r->problem);
        printf("before that: %llu entries and %llu checkpoints are what they were\n", entries,
               count);
    } else {
        printf("right: %llu entries in %llu bytes are what they were when they were written\n",
               entries, (unsigned long long)r->log_bytes);
        printf("checkpoints: %llu, all signed; the last one, of %s, covers %llu entries\n", count,
               r->signed_at, covered);
        if (w->since)
            printf("since %s: nothing of what the log had then is changed or missing\n", w->since);
        if (entries > covered)
            printf("not yet sealed: %llu %s behind the last checkpoint\n", entries - covered,
                   entries - covered == 1 ? "entry" : "entries");
    }
    if (*r->key)
        printf("key: %s\n", r->key);
    if (*r->key && !w->key)
        printf("     trusted because it lies beside the log: compare it with one that came another "
               "way, or say --key\n");
    if (r->strangers)
        printf("besides: %s%s, which does not belong to a log\n", r->stranger,
               r->strangers > 1 ? " and others" : "");
}

static void show_progress(void *context, uint64_t done, uint64_t total)
{
    char text[80];
    (void)context;
    snprintf(text, sizeof text, "verified %.0f%% of %.1f MB",
             total ? 100.0 * (double)done / (double)total : 100.0, (double)total / 1e6);
    cli_progress(text);
}

static int verify_log(const char *dir, const audit_wishes *w, const char *key, const ob_buf *since)
{
    ob_error err = {0};
    ob_audit_report report;
    ob_audit_check check = {.dir = dir,
                            .key = key,
                            .since = w->since ? since->bytes : NULL,
                            .since_size = since->size,
                            .progress = show_progress};
    ob_socket_checked checked = {.is_known = false};
    ob_error apart = {0}; /* why it cannot be compared with the records */
    if (w->data_dir)
        ob_socket_check(&checked, w->data_dir, false, &apart);
    ob_socket_check_log(&check, &checked);
    ob_status status = ob_audit_verify(&report, &check, &err);
    ob_wipe(checked.seed, sizeof checked.seed);
    cli_progress(NULL);
    if (status)
        return failed(&err);
    if (w->json)
        print_report_json(&report, w);
    else
        print_report(&report, w);
    if (apart.status) {
        cli_say("not compared with the records: %s", apart.text);
        return report.fine && apart.status != OB_EFORMAT && apart.status != OB_EREFUSED
                   ? CLI_FAILURE
                   : CLI_WRONG;
    }
    return report.fine ? CLI_NOTHING : CLI_WRONG;
}

static void print_proof_json(const ob_audit_proof *p)
{
    json_t *json;
    if (p->kind == OB_AUDIT_INCLUDES)
        json = json_pack("{s:b,s:I,s:o,s:I,s:s,s:s}", "fine", 1, "entry", (json_int_t)p->entry,
                         "text", json_loadb(p->text.bytes, p->text.size, 0, NULL), "size",
                         (json_int_t)p->size, "at", p->at, "key", p->key);
    else
        json =
            json_pack("{s:b,s:I,s:s,s:I,s:s,s:s}", "fine", 1, "old_size", (json_int_t)p->old_size,
                      "old_at", p->old_at, "size", (json_int_t)p->size, "at", p->at, "key", p->key);
    cli_print_json(json);
}

static void print_proof(const ob_audit_proof *p)
{
    if (p->kind == OB_AUDIT_INCLUDES) {
        printf("right: entry %llu is one of the %llu that the log had on %s. It says:\n",
               (unsigned long long)p->entry, (unsigned long long)p->size, p->at);
        audit_print_entry(p->text.bytes, p->text.size, NULL);
    } else {
        printf("right: the %llu entries that the log had on %s still begin the %llu that it had on "
               "%s\n",
               (unsigned long long)p->old_size, p->old_at, (unsigned long long)p->size, p->at);
    }
    printf("key: %s\n", p->key);
}

static int verify_proof(const audit_wishes *w, const char *key)
{
    enum { MOST = 1 << 20 };
    ob_error err = {0};
    ob_buf text = {0};
    ob_audit_proof proof = {0};
    int code = CLI_FAILURE;
    if (!read_file(&text, w->proof, MOST))
        goto out;
    code = CLI_NOTHING;
    if (ob_audit_check_proof(&proof, text.bytes, text.size, key, &err))
        code = failed(&err);
    else if (w->json)
        print_proof_json(&proof);
    else
        print_proof(&proof);
out:
    ob_buf_free(&proof.text);
    ob_buf_free(&text);
    return code;
}

static int verify(const char *dir, const audit_wishes *w)
{
    ob_buf key = {0}, since = {0};
    char *beside = NULL;
    int code = CLI_FAILURE;
    if (!w->key && w->proof && asprintf(&beside, "%s/key", dir) < 0)
        beside = NULL;
    const char *path = w->key ? w->key : beside;
    if (path && !read_file(&key, path, 4096))
        goto out;
    if (w->since && !read_file(&since, w->since, 4 * OB_AUDIT_CHECKPOINT_MAX))
        goto out;
    code = w->proof ? verify_proof(w, key.bytes ? key.bytes : "")
                    : verify_log(dir, w, w->key ? key.bytes : NULL, &since);
out:
    free(beside);
    ob_buf_free(&key);
    ob_buf_free(&since);
    return code;
}

/* ---- prove ----------------------------------------------------------------------------------- */

static int prove(const char *dir, const audit_wishes *w)
{
    ob_error err = {0};
    ob_buf proof = {0}, since = {0};
    ob_status status;
    int code = CLI_FAILURE;
    if (w->since && !read_file(&since, w->since, 4 * OB_AUDIT_CHECKPOINT_MAX))
        goto out;
    status = w->since ? ob_audit_prove_growth(&proof, dir, since.bytes, &err)
                      : ob_audit_prove(&proof, dir, w->from, &err);
    code = status ? failed(&err) : CLI_NOTHING;
    if (!status)
        fwrite(proof.bytes, 1, proof.size, stdout);
out:
    ob_buf_free(&proof);
    ob_buf_free(&since);
    return code;
}

/* So that `obhut status` can say when the last one was: its second line is how many entries it
 * covers. A user who may only read the log can print it all the same. */
static void log_given(const char *data_dir, const char *note)
{
    const char *second = strchr(note, '\n');
    json_t *answer = NULL,
           *request = json_pack("{s:s, s:I}", "do", "checkpoint.given", "entries",
                                (json_int_t)(second ? strtoll(second + 1, NULL, 10) : 0));
    if (request)
        (void)ob_socket_once(&answer, data_dir, request, -1, NULL, NULL);
    json_decref(answer);
    json_decref(request);
}

static int checkpoint(const char *dir, const audit_wishes *w)
{
    ob_error err = {0};
    ob_buf note = {0};
    ob_status status = ob_audit_checkpoint(&note, dir, &err);
    if (!status)
        fwrite(note.bytes, 1, note.size, stdout);
    if (!status && w->data_dir)
        log_given(w->data_dir, note.bytes);
    ob_buf_free(&note);
    return status ? failed(&err) : CLI_NOTHING;
}

/* ---- Reading the command line ---------------------------------------------------------------- */

enum { FROM = 256, TO, WHAT, WORD, ACCOUNT, PERSON, AFTER, BEFORE, SINCE, KEY, PROOF, NAMES, JSON };
static const struct option longs[] = {
    {"from", required_argument, NULL, FROM},
    {"to", required_argument, NULL, TO},
    {"what", required_argument, NULL, WHAT},
    {"word", required_argument, NULL, WORD},
    {"account", required_argument, NULL, ACCOUNT},
    {"person", required_argument, NULL, PERSON},
    {"after", required_argument, NULL, AFTER},
    {"before", required_argument, NULL, BEFORE},
    {"since", required_argument, NULL, SINCE},
    {"key", required_argument, NULL, KEY},
    {"proof", required_argument, NULL, PROOF},
    {"names", no_argument, NULL, NAMES},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

#define BIT(option) (1u << ((option)-FROM))
static const struct action {
    const char *name;
    unsigned takes;
    int (*run)(const char *dir, const audit_wishes *w);
} actions[] = {
    {"verify", BIT(SINCE) | BIT(KEY) | BIT(PROOF) | BIT(JSON), verify},
    {"show", BIT(FROM) | BIT(TO) | BIT(WHAT) | BIT(NAMES) | BIT(JSON), audit_show},
    {"search",
     BIT(WHAT) | BIT(WORD) | BIT(ACCOUNT) | BIT(PERSON) | BIT(AFTER) | BIT(BEFORE) | BIT(NAMES) |
         BIT(JSON),
     audit_show},
    {"prove", BIT(SINCE), prove},
    {"checkpoint", 0, checkpoint},
};

static bool take_number(uint64_t *out, const char *name, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno || *text < '0' || *text > '9' || *end) {
        cli_say("%s is the number of an entry, from 0 on, not \"%s\"", name, text);
        return false;
    }
    *out = number;
    return true;
}

static bool take_word(audit_wishes *w, const char *word)
{
    if (w->word_count == AUDIT_WORDS_MAX) {
        cli_say("at most %d words", AUDIT_WORDS_MAX);
        return false;
    }
    w->words[w->word_count++] = word;
    return true;
}

static bool take_time(const char **out, const char *text)
{
    *out = text;
    if (!audit_time_is_valid(text))
        cli_say("a time is 2026, 2026-11, 2026-11-25 or 2026-11-25T14:00, not \"%s\"", text);
    return audit_time_is_valid(text);
}

static bool take(audit_wishes *w, int option, const char *value)
{
    switch (option) {
    case FROM:
        return take_number(&w->from, "--from", value);
    case TO:
        return take_number(&w->to, "--to", value);
    case WORD:
        return take_word(w, value);
    case AFTER:
        return take_time(&w->after, value);
    case BEFORE:
        return take_time(&w->before, value);
    case NAMES:
        w->wants_names = true;
        return true;
    case JSON:
        w->json = true;
        return true;
    default:
        *(option == WHAT      ? &w->what
          : option == ACCOUNT ? &w->account
          : option == PERSON  ? &w->person
          : option == SINCE   ? &w->since
          : option == KEY     ? &w->key
                              : &w->proof) = value;
        return true;
    }
}

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(actions[i].name, name))
            return &actions[i];
    return NULL;
}

static int run_in(const char *data_dir, const struct action *action, const audit_wishes *w)
{
    char *own = NULL;
    if (!w->dir && asprintf(&own, "%s/audit", data_dir) < 0) {
        cli_say("out of memory: a path");
        return CLI_FAILURE;
    }
    audit_wishes wishes = *w;
    wishes.data_dir = w->dir ? NULL : data_dir;
    int code = action->run(w->dir ? w->dir : own, &wishes);
    free(own);
    return code;
}

/* The log knows people by codes: the records say which. */
static int run_about(const cli *cli, const struct action *action, audit_wishes *w)
{
    const char *kind = w->account ? "account" : "person",
               *name = w->account ? w->account : w->person;
    if (w->wants_names) {
        json_t *staff = cli_ask(cli, json_pack("{s:s}", "do", "audit.names"));
        if (!staff)
            return CLI_FAILURE;
        w->names = json_incref(json_object_get(staff, "names"));
        json_decref(staff);
    }
    if (!name) {
        int shown = run_in(cli->data_dir, action, w);
        json_decref(w->names);
        return shown;
    }
    json_t *answer =
        cli_ask(cli, json_pack("{s:s,s:o}", "do", "audit.code", kind, ob_json_text(name)));
    const char *code = json_string_value(json_object_get(answer, "code"));
    int result = CLI_FAILURE;
    if (code && !take_word(w, code))
        result = CLI_USAGE;
    else if (code)
        result = run_in(cli->data_dir, action, w);
    json_decref(w->names);
    json_decref(answer);
    return result;
}

/* -1: go on; else an exit code. */
static int read_line(audit_wishes *w, const struct action *action, int argc, char **argv)
{
    char words[40];
    int option;
    snprintf(words, sizeof words, "audit %s", action->name);
    while ((option = cli_option(words, argc, argv, longs)) != -1) {
        if (option == 'h')
            return cli_help_of("audit");
        if (option == '?')
            return cli_usage("audit", "%s", "");
        if (!(action->takes & BIT(option)))
            return cli_usage("audit", "%s does not take --%s", action->name,
                             longs[option - FROM].name);
        if (!take(w, option, optarg))
            return cli_usage("audit", "%s", "");
    }
    if (action->run == prove && !w->since) {
        if (optind == argc)
            return cli_usage("audit", "prove needs the number of an entry, or --since");
        if (!take_number(&w->from, "prove", argv[optind++]))
            return cli_usage("audit", "%s", "");
    }
    if (optind < argc)
        w->dir = argv[optind++];
    if (optind < argc)
        return cli_usage("audit", "%s takes one directory", action->name);
    if (w->proof && w->since)
        return cli_usage("audit", "--since goes with a log, not with a proof");
    if (w->account && w->person)
        return cli_usage("audit", "an account or a person, not both");
    return -1;
}

int cmd_audit(const cli *cli, int argc, char **argv)
{
    audit_wishes w = {.to = UINT64_MAX};
    if (argc < 2)
        return cli_usage("audit", "what to do? obhut audit --help lists it");
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        return cli_help_of("audit");
    const struct action *action = find_action(argv[1]);
    if (!action) /* some of it is about records */
        return cmd_records(cli, argc, argv);
    int code = read_line(&w, action, argc - 1, argv + 1);
    return code < 0 ? cli_finish(run_about(cli, action, &w)) : code;
}
