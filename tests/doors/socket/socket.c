/* Commands over the socket of the service that owns the directory. */
#include "packets.h"

#include "socket_priv.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/un.h>

typedef struct place {
    char dir[64];
    int listening;
    ob_service service; /* nothing in it: commands that there are not need nothing */
} place;

static int begin(void **state)
{
    place *p = calloc(1, sizeof *p);
    ob_error err = {0};
    assert_non_null(p);
    const char *where = getenv("TMPDIR");
    snprintf(p->dir, sizeof p->dir, "%.30s/obhut-admin-XXXXXX", where ? where : "/tmp");
    assert_non_null(mkdtemp(p->dir));
    if (ob_socket_listen(&p->listening, p->dir, &err))
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
        ob_socket_serve(p->listening, &p->service);
        hears(to, crowd);
        to = reach_place(p); /* one after the other */
        send_packet_with(to, line, 5, 1);
        send_packet_with(to, line + 5, sizeof line - 6, 1);
        ob_socket_serve(p->listening, &p->service);
        hears(to, crowd);
    }
    assert_true(ob_commands_wait(30000));
    assert_int_equal(open_files(), before);
    for (size_t files = 0; files < 2; files++) {
        int to = reach_place(p);
        send_packet_with(to, line, sizeof line - 1, files);
        ob_socket_serve(p->listening, &p->service);
        hears(to, "no command is called");
    }
    assert_true(ob_commands_wait(30000));
    assert_int_equal(open_files(), before);
}

/* A service that counts how often it is called, and answers "ok". */
typedef struct stand_in {
    int listening;
    unsigned called;
    bool hangs_up;  /* on the first caller, at once */
    size_t files;   /* go with an answer */
    sem_t has_hung; /* up */
    pthread_t thread;
} stand_in;

static bool hear_line(int from)
{
    char byte = 0;
    while (byte != '\n' && read(from, &byte, 1) == 1)
        ;
    return byte == '\n';
}

static void *answer(void *argument)
{
    static const char ok[] = "{\"ok\":{}}\n";
    stand_in *s = argument;
    for (int peer; (peer = accept(s->listening, NULL, NULL)) >= 0; close(peer)) {
        if (!s->called++ && s->hangs_up) {
            shutdown(peer, SHUT_RDWR);
            sem_post(&s->has_hung);
        } else if (hear_line(peer)) {
            (void)!send_files(peer, ok, sizeof ok - 1, s->files, 1);
        }
    }
    return NULL;
}

static void stand_in_begin(stand_in *s, const place *p)
{
    s->listening = p->listening;
    assert_int_equal(fcntl(s->listening, F_SETFL, 0), 0); /* it waits for callers */
    assert_int_equal(sem_init(&s->has_hung, 0, 0), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, answer, s), 0);
}

static void stand_in_end(stand_in *s)
{
    shutdown(s->listening, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    sem_destroy(&s->has_hung);
}

static void ask(ob_socket_session *session, ob_status expected)
{
    ob_error err = {0};
    json_t *answer = NULL, *request = json_pack("{s:s}", "do", "nothing");
    ob_status status = ob_socket_ask(&answer, session, request, -1, NULL, &err);
    if (status != expected)
        fail_msg("%d: %s", status, err.text);
    json_decref(request);
    json_decref(answer);
}

/* A session in which so many requests are made. */
static void ask_often(const place *p, stand_in *s, unsigned many, ob_status expected)
{
    ob_error err = {0};
    ob_socket_session *session = NULL;
    if (ob_socket_begin(&session, p->dir, &err))
        fail_msg("%s", err.text);
    if (s->hangs_up)
        sem_wait(&s->has_hung);
    for (unsigned i = 0; i < many; i++)
        ask(session, expected);
    ob_socket_end(session);
}

static void a_command_calls_once_for_each_request(void **state)
{
    stand_in s = {.hangs_up = false};
    stand_in_begin(&s, *state);
    ask_often(*state, &s, 1, OB_OK);
    assert_int_equal(s.called, 1);
    ask_often(*state, &s, 3, OB_OK);
    stand_in_end(&s);
    assert_int_equal(s.called, 4);
}

static void a_session_without_a_request_leaves_nothing_open(void **state)
{
    const unsigned before = open_files();
    stand_in s = {.hangs_up = false};
    stand_in_begin(&s, *state);
    for (int n = 0; n < 100; n++)
        ask_often(*state, &s, 0, OB_OK);
    stand_in_end(&s);
    assert_int_equal(open_files(), before);
}

static void whoever_was_hung_up_on_calls_again(void **state)
{
    stand_in s = {.hangs_up = true};
    stand_in_begin(&s, *state);
    ask_often(*state, &s, 1, OB_OK);
    stand_in_end(&s);
    assert_int_equal(s.called, 2);
}

static void an_answer_with_a_descriptor_is_none(void **state)
{
    const unsigned before = open_files();
    for (size_t files = 1; files < 3; files++) {
        stand_in s = {.files = files};
        stand_in_begin(&s, *state);
        ask_often(*state, &s, 3, OB_EIO);
        stand_in_end(&s);
        end(state);
        begin(state);
    }
    assert_int_equal(open_files(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_with_two_descriptors_is_refused_with_a_sentence,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_command_calls_once_for_each_request, begin, end),
        cmocka_unit_test_setup_teardown(a_session_without_a_request_leaves_nothing_open, begin,
                                        end),
        cmocka_unit_test_setup_teardown(whoever_was_hung_up_on_calls_again, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_with_a_descriptor_is_none, begin, end),
    };
    return cmocka_run_group_tests_name("socket_socket", tests, NULL, NULL);
}
