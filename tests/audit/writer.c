/* Writes an audit log for tests of what reads it: audit-writer DIR < LINES. A line is "WORD {JSON}"
 * or "seal"; each number is printed when its entry is durable. Ends without a checkpoint at
 * "leave". */
#include <obhut/audit.h>
#include <obhut/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ob_status append(ob_audit *audit, char *line, ob_error *err)
{
    uint64_t number;
    char *space = strchr(line, ' ');
    ob_entry *members = NULL;
    if (space)
        ob_entry_read(&members, space + 1, strlen(space + 1), NULL);
    if (space)
        *space = '\0';
    ob_status status = space && !members ? ob_fail(err, OB_EINVAL, "no JSON behind %s", line)
                                         : ob_audit_append(&number, audit, line, members, err);
    ob_entry_free(members);
    if (!status)
        printf("%llu\n", (unsigned long long)number);
    fflush(stdout);
    return status;
}

static ob_status write_all(ob_audit *audit, ob_error *err)
{
    char *line = NULL;
    size_t capacity = 0;
    ob_status status = OB_OK;
    for (ssize_t length; !status && (length = getline(&line, &capacity, stdin)) > 0;) {
        line[strcspn(line, "\n")] = '\0';
        if (!strcmp(line, "leave"))
            _exit(0);
        status = strcmp(line, "seal") ? append(audit, line, err) : ob_audit_sign(audit, err);
    }
    free(line);
    return status;
}

int main(int argc, char **argv)
{
    static const char *const lines[] = {"regimes 00ff", "build test", NULL};
    ob_error err = {0};
    ob_audit *audit = NULL;
    ob_audit_options options = {.dir = argc == 2 ? argv[1] : NULL, .lines = lines};
    if (!options.dir) {
        fprintf(stderr, "Usage: audit-writer DIR < LINES\n");
        return 2;
    }
    ob_status status = ob_crypto_start(&err);
    if (!status)
        status = ob_audit_open(&audit, &options, &err);
    if (!status)
        status = write_all(audit, &err);
    if (!status)
        status = ob_audit_close(audit, &err);
    if (status)
        fprintf(stderr, "audit-writer: %s\n", err.text);
    return status ? 3 : 0;
}
