/* The configuration file, by libconfuse. Every key has a safe default; starting without a file
 * works.
 */
#include "address.h"
#include "config_whole.h"
#include "daemon.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <confuse.h>

#include <obhut/nearest.h>
#include <obhut/store.h>

/* ---- Keys ------------------------------------------------------------------------------------ */

static const struct number {
    const char *key;
    long least, most, normal;
} numbers[] = {
    {"decoders", 0, 256, 0},
    {"searchers", 0, 256, 0},
    {"queue-most", 0, 100000, 0},
    {"queue-wait-ms", 1, 60000, 10000},
    {"connections-most", 1, 10000, 512},
    {"connections-most-staff", 1, 1000, 64},
    {"connections-most-public", 1, 1000, 256},
    {"body-most-mb", 1, 200, 50},
    {"memory-most-mb", 1, 1000000, 512},
    {"records-day-mb", 1, 1000000, 2000},
    {"tries-day", 0, 1000000, 50},
    {"decode-time-ms", 100, 600000, 20000},
    {"decode-cpu-ms", 100, 600000, 15000},
    {"head-time-ms", 1000, 600000, 45000},
    {"body-time-ms", 1000, 600000, 30000},
    {"gateway-time-ms", 1000, 600000, 25000},
    {"distance", 0, OB_PDQ_MAX_DISTANCE, OB_PDQ_MAX_DISTANCE},
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static const char *const texts[] = {"data",
                                    "listen",
                                    "listen-staff",
                                    "listen-public",
                                    "records",
                                    "action-one-source",
                                    "action-two-sources",
                                    "list",
                                    "action",
                                    "renew-days"};
enum { TEXTS = sizeof texts / sizeof *texts };

const char *config_nearest(const char *word)
{
    const char *known[NUMBERS + TEXTS];
    for (size_t i = 0; i < NUMBERS + TEXTS; i++)
        known[i] = i < NUMBERS ? numbers[i].key : texts[i - NUMBERS];
    return ob_nearest(word, known, NUMBERS + TEXTS);
}

const char *const config_listen_keys[OB_LISTENERS] = {"listen", "listen-staff", "listen-public"};

/* ---- Errors ---------------------------------------------------------------------------------- */

/* libconfuse hands its own object to the function that hears of errors, and no other context; each
 * reading is one call on one thread. */
static _Thread_local ob_error *hearing;

__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *format,
                                                           va_list args)
{
    char text[300];
    vsnprintf(text, sizeof text, format, args);
    if (!hearing || hearing->status)
        return; /* the first one counts */
    const char *unknown = strstr(text, "no such option '");
    const char *nearest = NULL;
    if (unknown) {
        char word[64];
        snprintf(word, sizeof word, "%s", unknown + strlen("no such option '"));
        word[strcspn(word, "'")] = '\0';
        nearest = config_nearest(word);
        ob_fail(hearing, OB_EFORMAT, "%s, line %d: there is no key \"%s\"%s%s%s", cfg->filename,
                cfg->line, word, nearest ? "; \"" : "", nearest ? nearest : "",
                nearest ? "\" was probably meant" : "");
    } else {
        ob_fail(hearing, OB_EFORMAT, "%s, line %d: %s", cfg->filename ? cfg->filename : "-",
                cfg->line, text);
    }
}

static int check_number(cfg_t *cfg, cfg_opt_t *option)
{
    long value = cfg_opt_getnint(option, cfg_opt_size(option) - 1);
    for (int i = 0; i < NUMBERS; i++)
        if (!strcmp(numbers[i].key, cfg_opt_name(option)) &&
            (value < numbers[i].least || value > numbers[i].most)) {
            cfg_error(cfg, "%s is a number from %ld to %ld, not %ld", numbers[i].key,
                      numbers[i].least, numbers[i].most, value);
            return -1;
        }
    return 0;
}

static int check_action(cfg_t *cfg, cfg_opt_t *option)
{
    const char *value = cfg_opt_getnstr(option, cfg_opt_size(option) - 1);
    ob_action action;
    if (value && ob_action_parse(&action, value))
        return 0;
    cfg_error(cfg, "%s is allow, review, warn, blur, hold or block, not \"%s\"",
              cfg_opt_name(option), value ? value : "");
    return -1;
}

static int check_days(cfg_t *cfg, cfg_opt_t *option)
{
    enum { MOST = 3650 };
    const long value = cfg_opt_getnint(option, cfg_opt_size(option) - 1);
    if (value >= 0 && value <= MOST)
        return 0;
    cfg_error(cfg, "renew-days is a number from 0 to %d, not %ld", MOST, value);
    return -1;
}

static int check_listen(cfg_t *cfg, cfg_opt_t *option)
{
    const char *value = cfg_opt_getnstr(option, cfg_opt_size(option) - 1);
    ob_error err = {0};
    if (!value || !*value || address_is_none(value) || !address_read(NULL, value, &err))
        return 0; /* an empty one is told where texts are taken */
    cfg_error(cfg, "%s: %s", cfg_opt_name(option), err.text);
    return -1;
}

/* The value can hold a password and is not repeated. */
static int check_records(cfg_t *cfg, cfg_opt_t *option)
{
    const char *value = cfg_opt_getnstr(option, cfg_opt_size(option) - 1);
    if (!value || !*value || ob_store_url_is_valid(value))
        return 0;
    cfg_error(cfg, "records is an address that begins with postgresql://, or empty");
    return -1;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void default_data(config *c)
{
    const char *given = getenv("OBHUT_DATA"), *home = getenv("HOME");
    if (given && *given)
        snprintf(c->data, sizeof c->data, "%s", given);
    else if (geteuid() == 0 || !home || !*home)
        snprintf(c->data, sizeof c->data, "/var/lib/obhut");
    else
        snprintf(c->data, sizeof c->data, "%s/.local/share/obhut", home);
}

static ob_status take_text(char *out, size_t capacity, cfg_t *cfg, const char *key, ob_error *err)
{
    const char *value = cfg_getstr(cfg, key);
    if (!value)
        return OB_OK;
    if (!*value || strlen(value) >= capacity)
        return ob_fail(err, OB_EFORMAT, "%s: \"%s\" is empty or too long", cfg->filename, key);
    snprintf(out, capacity, "%s", value);
    return OB_OK;
}

static ob_status take_lists(config *out, cfg_t *cfg, ob_error *err)
{
    unsigned count = cfg_size(cfg, "list");
    if (!count)
        return OB_OK;
    out->policy.lists = calloc(count, sizeof *out->policy.lists);
    if (!out->policy.lists)
        return ob_fail(err, OB_ENOMEM, "out of memory: the configuration");
    for (unsigned i = 0; i < count; i++) {
        cfg_t *list = cfg_getnsec(cfg, "list", i);
        struct ob_list_policy *policy = &out->policy.lists[out->policy.list_count++];
        const char *title = cfg_title(list);
        if (!title || strlen(title) >= sizeof policy->list)
            return ob_fail(err, OB_EFORMAT, "%s: a list's name is too long", cfg->filename);
        snprintf(policy->list, sizeof policy->list, "%s", title);
        ob_action_parse(&policy->action, cfg_getstr(list, "action"));
        policy->renew_days = (unsigned)cfg_getint(list, "renew-days");
    }
    return OB_OK;
}

static ob_status take(config *out, cfg_t *cfg, ob_error *err)
{
    out->decoders = (unsigned)cfg_getint(cfg, "decoders");
    out->searchers = (unsigned)cfg_getint(cfg, "searchers");
    out->queue_most = (unsigned)cfg_getint(cfg, "queue-most");
    out->queue_wait_ms = (unsigned)cfg_getint(cfg, "queue-wait-ms");
    out->connections_most[OB_LISTENER_SERVICES] = (unsigned)cfg_getint(cfg, "connections-most");
    out->connections_most[OB_LISTENER_STAFF] = (unsigned)cfg_getint(cfg, "connections-most-staff");
    out->connections_most[OB_LISTENER_PUBLIC] =
        (unsigned)cfg_getint(cfg, "connections-most-public");
    out->decode_time_ms = (unsigned)cfg_getint(cfg, "decode-time-ms");
    out->decode_cpu_ms = (unsigned)cfg_getint(cfg, "decode-cpu-ms");
    out->head_time_ms = (unsigned)cfg_getint(cfg, "head-time-ms");
    out->body_time_ms = (unsigned)cfg_getint(cfg, "body-time-ms");
    out->gateway_time_ms = (unsigned)cfg_getint(cfg, "gateway-time-ms");
    out->body_most = (uint64_t)cfg_getint(cfg, "body-most-mb") * 1000000;
    out->memory_most = (uint64_t)cfg_getint(cfg, "memory-most-mb") * 1000000;
    out->records_day = (uint64_t)cfg_getint(cfg, "records-day-mb") * 1000000;
    out->tries_day = (unsigned)cfg_getint(cfg, "tries-day");
    out->policy.distance = (unsigned)cfg_getint(cfg, "distance");
    ob_action_parse(&out->policy.one_source, cfg_getstr(cfg, "action-one-source"));
    ob_action_parse(&out->policy.two_sources, cfg_getstr(cfg, "action-two-sources"));
    ob_status status = take_text(out->data, sizeof out->data, cfg, "data", err);
    for (int i = 0; i < OB_LISTENERS && !status; i++)
        status = take_text(out->listen[i], sizeof out->listen[i], cfg, config_listen_keys[i], err);
    if (!status) /* checked while it was read */
        snprintf(out->records, sizeof out->records, "%s", cfg_getstr(cfg, "records"));
    return status ? status : take_lists(out, cfg, err);
}

static ob_status parse(cfg_t *cfg, const char *file, ob_error *err)
{
    ob_error heard = {0};
    if (access(file, R_OK))
        return ob_fail(err, OB_EIO, "%s cannot be read", file);
    hearing = &heard;
    int result = cfg_parse(cfg, file);
    hearing = NULL;
    if (result == CFG_SUCCESS && !heard.status)
        return config_is_whole(file, err);
    return heard.status ? ob_fail(err, OB_EFORMAT, "%s", heard.text)
                        : ob_fail(err, OB_EFORMAT, "%s: this is no configuration", file);
}

ob_status config_read(config *out, const char *file, ob_error *err)
{
    cfg_opt_t list_options[] = {CFG_STR("action", "review", CFGF_NONE),
                                CFG_INT("renew-days", 0, CFGF_NONE), CFG_END()};
    cfg_opt_t options[NUMBERS + 6 + OB_LISTENERS];
    int n = 0;
    for (; n < NUMBERS; n++)
        options[n] = (cfg_opt_t)CFG_INT(numbers[n].key, numbers[n].normal, CFGF_NONE);
    options[n++] = (cfg_opt_t)CFG_STR("data", NULL, CFGF_NONE);
    for (int i = 0; i < OB_LISTENERS; i++)
        options[n++] = (cfg_opt_t)CFG_STR(config_listen_keys[i], NULL, CFGF_NONE);
    options[n++] = (cfg_opt_t)CFG_STR("records", "", CFGF_NONE);
    options[n++] = (cfg_opt_t)CFG_STR("action-one-source", "review", CFGF_NONE);
    options[n++] = (cfg_opt_t)CFG_STR("action-two-sources", "block", CFGF_NONE);
    options[n++] =
        (cfg_opt_t)CFG_SEC("list", list_options, CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES);
    options[n] = (cfg_opt_t)CFG_END();
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    if (!cfg)
        return ob_fail(err, OB_ENOMEM, "out of memory: the configuration");
    cfg_set_error_function(cfg, on_error);
    for (int i = 0; i < NUMBERS; i++)
        cfg_set_validate_func(cfg, numbers[i].key, check_number);
    for (int i = 0; i < OB_LISTENERS; i++)
        cfg_set_validate_func(cfg, config_listen_keys[i], check_listen);
    cfg_set_validate_func(cfg, "records", check_records);
    cfg_set_validate_func(cfg, "action-one-source", check_action);
    cfg_set_validate_func(cfg, "action-two-sources", check_action);
    cfg_set_validate_func(cfg, "list|action", check_action);
    cfg_set_validate_func(cfg, "list|renew-days", check_days);
    config c = {.listen = {[OB_LISTENER_SERVICES] = "127.0.0.1:8480",
                           [OB_LISTENER_STAFF] = "127.0.0.1:8481",
                           [OB_LISTENER_PUBLIC] = "127.0.0.1:8482"}};
    default_data(&c);
    ob_status status = file ? parse(cfg, file, err) : OB_OK;
    if (!status)
        status = take(&c, cfg, err);
    cfg_free(cfg);
    if (status)
        config_free(&c);
    else
        *out = c;
    return status;
}

void config_close_listeners(config *c)
{
    for (int i = 0; i < OB_LISTENERS; i++)
        if (address_is_none(c->listen[i]))
            c->connections_most[i] = 0;
}

void config_free(config *c)
{
    free(c->policy.lists);
    c->policy.lists = NULL;
}
