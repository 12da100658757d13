/* obhut match: which hashes are on a list. */
#include "cli.h"
#include "options.h"
#include "query_line.h"

#include <obhut/services.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Hashes are one group of queries, each kind of digest another. */
enum { BATCH = 4096, MAX_LINE = 4096, GROUPS = 1 + OB_LIST_DIGESTS };

typedef struct query {
    char *text;
    ob_error error; /* status OB_OK: it is number `number` of its group */
    int group;
    uint32_t number;
} query;

typedef struct matcher {
    ob_lists *lists;
    unsigned distance;
    bool json, found, failed;
    query queries[BATCH];
    ob_hash256 hashes[BATCH];
    uint8_t digests[OB_LIST_DIGESTS][BATCH * OB_LIST_DIGEST_MAX];
    uint32_t count, group_count[GROUPS];
} matcher;

/* The kind of digest that a group is, or NULL. */
static const ob_list_digest *digest_of(int group)
{
    static const ob_list_digest kinds[OB_LIST_DIGESTS] = {
        OB_LIST_MD5, OB_LIST_SHA1, OB_LIST_SHA256, OB_LIST_PHOTODNA, OB_LIST_TMK, OB_LIST_VPDQ};
    return group ? &kinds[group - 1] : NULL;
}

static json_t *json_matches(const ob_list_match *match, size_t count, int group, unsigned distance)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            array, ob_services_entry(&match[i], match, count, digest_of(group), distance));
    return array;
}

static void print_text(const query *query, const ob_list_match *match, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char hash[OB_HASH256_HEX + 1];
        ob_hash256_print(hash, &match[i].hash);
        printf("%s\t%s\t%s\t%s\t%u\n", query->text, match[i].list, match[i].entry,
               query->group ? ob_list_digest_name(*digest_of(query->group)) : hash,
               match[i].distance);
    }
    if (!count)
        printf("%s\t-\n", query->text);
}

static void print_query(matcher *m, const query *query, const ob_list_match *match, size_t count)
{
    if (query->error.status) {
        cli_say("\"%.80s\": %s", query->text, query->error.text);
        m->failed = true;
        if (m->json)
            cli_print_json(json_pack("{s:o, s:o}", "query", ob_json_text(query->text), "error",
                                     ob_json_text(query->error.text)));
        return;
    }
    m->found |= count > 0;
    if (m->json)
        cli_print_json(json_pack("{s:s, s:o}", "query", query->text, "matches",
                                 json_matches(match, count, query->group, m->distance)));
    else
        print_text(query, match, count);
}

static ob_status match_group(ob_list_matches *out, matcher *m, int group, ob_error *err)
{
    uint32_t count = m->group_count[group];
    if (!count)
        return OB_OK;
    ob_status status =
        group
            ? ob_lists_match_digests(out, m->lists, *digest_of(group), m->digests[group - 1], count,
                                     OB_LISTS_NO_LIMIT, err)
            : ob_lists_match(out, m->lists, m->hashes, count, m->distance, OB_LISTS_NO_LIMIT, err);
    return status ? status : ob_list_matches_whole(out, count, err);
}

/* Answers what was collected, and empties it. */
static ob_status answer(matcher *m, ob_error *err)
{
    ob_list_matches found[GROUPS] = {0};
    size_t next[GROUPS] = {0};
    ob_status status = OB_OK;
    for (int g = 0; g < GROUPS && !status; g++)
        status = match_group(&found[g], m, g, err);
    for (uint32_t i = 0; i < m->count; i++) {
        query *query = &m->queries[i];
        const ob_list_matches *of = &found[query->group];
        size_t from = next[query->group], to = from;
        while (!query->error.status && to < of->count && of->match[to].query == query->number)
            to++;
        if (!status)
            print_query(m, query, to > from ? &of->match[from] : NULL, to - from);
        next[query->group] = to;
        free(query->text);
    }
    m->count = 0;
    for (int g = 0; g < GROUPS; g++) {
        m->group_count[g] = 0;
        ob_list_matches_free(&found[g]);
    }
    return status;
}

static ob_status add_query(void *context, const char *text, size_t length, ob_error *err)
{
    matcher *m = context;
    ob_query wanted = {0};
    query *query = &m->queries[m->count];
    *query = (struct query){.text = strndup(text, length < MAX_LINE ? length : MAX_LINE)};
    if (!query->text)
        return ob_fail(err, OB_ENOMEM, "out of memory: a query");
    m->count++;
    if (!ob_query_parse(&wanted, text, length, &query->error)) {
        query->group = wanted.is_digest ? 1 + (int)wanted.kind : 0;
        query->number = m->group_count[query->group]++;
        if (wanted.is_digest) {
            unsigned width = ob_list_digest_width(wanted.kind);
            memcpy(m->digests[wanted.kind] + (size_t)query->number * width, wanted.digest, width);
        } else {
            m->hashes[query->number] = wanted.hash;
        }
    }
    return m->count == BATCH ? answer(m, err) : OB_OK;
}

static ob_status add(matcher *m, const char *text, size_t length, ob_error *err)
{
    while (length && (text[length - 1] == '\r' || text[length - 1] == ' '))
        length--;
    return length ? query_line(text, length, add_query, m, err) : OB_OK;
}

/* Whatever has arrived is answered before more is waited for. */
static ob_status match_input(matcher *m, ob_error *err)
{
    ob_buf input = {0};
    ob_status status = OB_OK;
    bool skipping = false; /* the rest of a line that is far too long */
    for (ssize_t got = 1; got > 0 && !status;) {
        status = ob_buf_reserve(&input, 1 << 16, err);
        if (status)
            break;
        got = read(STDIN_FILENO, input.bytes + input.size, 1 << 16);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        if (got < 0)
            status = ob_fail(err, OB_EIO, "standard input cannot be read: %s", strerror(errno));
        input.size += got > 0 ? (size_t)got : 0;
        size_t from = 0;
        char *end;
        while (!status && from < input.size &&
               (end = memchr(input.bytes + from, '\n', input.size - from)) != NULL) {
            if (!skipping)
                status = add(m, input.bytes + from, (size_t)(end - input.bytes) - from, err);
            skipping = false;
            from = (size_t)(end - input.bytes) + 1;
        }
        if (!status && !skipping && (got == 0 || input.size - from > MAX_LINE)) {
            status = add(m, input.bytes + from, input.size - from, err);
            skipping = got != 0;
            from = input.size;
        }
        if (skipping)
            from = input.size;
        memmove(input.bytes, input.bytes + from, input.size - from);
        input.size -= from;
        if (!status)
            status = answer(m, err);
        fflush(stdout);
    }
    ob_buf_free(&input);
    return status;
}

int cmd_match(const cli *cli, int argc, char **argv)
{
    enum { JSON = 256, DISTANCE };
    static const struct option longs[] = {{"json", no_argument, NULL, JSON},
                                          {"distance", required_argument, NULL, DISTANCE},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    unsigned distance = OB_PDQ_MAX_DISTANCE;
    bool json = false;
    int option;
    while ((option = cli_option("match", argc, argv, longs)) != -1)
        switch (option) {
        case JSON:
            json = true;
            break;
        case DISTANCE:
            if (!options_number(&distance, "--distance", optarg, 0, OB_PDQ_MAX_DISTANCE))
                return cli_usage("match", "%s", "");
            break;
        case 'h':
            return cli_help_of("match");
        default:
            return cli_usage("match", "%s", "");
        }
    if (optind == argc)
        return cli_usage("match", "which hashes? (- reads them from standard input)");

    ob_error err = {0};
    ob_lists *lists = NULL;
    matcher *m = calloc(1, sizeof *m);
    ob_status status = m ? OB_OK : ob_fail(&err, OB_ENOMEM, "out of memory: the queries");
    if (!status)
        status = ob_lists_open(&lists, cli->data_dir, &err);
    if (!status) {
        m->lists = lists;
        m->distance = distance;
        m->json = json;
        if (!ob_lists_count(lists))
            cli_say("no list is enabled in %s: nothing can match", cli->data_dir);
    }
    for (int i = optind; i < argc && !status; i++)
        status =
            strcmp(argv[i], "-") ? add(m, argv[i], strlen(argv[i]), &err) : match_input(m, &err);
    if (!status)
        status = answer(m, &err);
    if (status)
        cli_say("%s", err.text);
    int code = status ? CLI_FAILURE : m->found ? CLI_FOUND : m->failed ? CLI_FAILURE : CLI_NOTHING;
    ob_lists_close(lists);
    free(m);
    return cli_finish(code);
}
