/* Commands over the socket of the service that owns the directory. */
#include "packets.h"

#include "admin_priv.h"

#include <sys/un.h>

typedef struct place {
    char dir[64];
    int listening;
    ob_admin admin; /* nothing in it: commands that there are not need nothing */
} place;

static int begin(void **state)
{
    place *p = calloc(1, sizeof *p);
    ob_error err = {0};
    assert_non_null(p);
    const char *where = getenv("TMPDIR");
    snprintf(p->dir, sizeof p->dir, "%.30s/obhut-admin-XXXXXX", where ? where : "/tmp");
    assert_non_null(mkdtemp(p->dir));
    if (ob_admin_listen(&p->listening, p->dir, &err))
        fail_msg("%s", err.text);
    *state = p;
    return 0;
}

static int end(void **state)
{
    place *p = *state;
    char command[100];
    close(p->listening);
    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

static int reach_place(const place *p)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/run/admin.sock", p->dir);
    int to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(to >= 0);
    assert_int_equal(connect(to, (struct sockaddr *)&address, sizeof address), 0);
    return to;
}

/* The rest of what is said on a connection, up to its end, contains `word`. */
static void hears(int from, const char *word)
{
    char text[1000] = "";
    size_t size = 0;
    for (ssize_t got; (got = read(from, text + size, sizeof text - 1 - size)) > 0;)
        size += (size_t)got;
    close(from);
    if (!strstr(text, word))
        fail_msg("\"%s\" is not in: %s", word, text);
}

static void a_request_with_two_descriptors_is_refused_with_a_sentence(void **state)
{
    static const char line[] = "{\"do\":\"nothing\"}\n", crowd[] = "one file goes with a request";
    place *p = *state;
    const unsigned before = open_files();
    for (int n = 0; n < PACKETS; n++) {
        int to = reach_place(p);
        send_packet_with(to, line, sizeof line - 1, 2);
        ob_admin_serve(p->listening, &p->admin);
        hears(to, crowd);
        to = reach_place(p); /* one after the other */
        send_packet_with(to, line, 5, 1);
        send_packet_with(to, line + 5, sizeof line - 6, 1);
        ob_admin_serve(p->listening, &p->admin);
        hears(to, crowd);
    }
    assert_true(ob_admin_wait(30000));
    assert_int_equal(open_files(), before);
    for (size_t files = 0; files < 2; files++) {
        int to = reach_place(p);
        send_packet_with(to, line, sizeof line - 1, files);
        ob_admin_serve(p->listening, &p->admin);
        hears(to, "no command is called");
    }
    assert_true(ob_admin_wait(30000));
    assert_int_equal(open_files(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_with_two_descriptors_is_refused_with_a_sentence,
                                        begin, end),
    };
    return cmocka_run_group_tests_name("admin_socket", tests, NULL, NULL);
}
