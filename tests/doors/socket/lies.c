/* Both ends of the operator's socket hear one that lies: lines that are none, too much, in any
 * pieces, with descriptors that were not asked for. It gets a sentence or an end, and nothing stays
 * open. */
#include "packets.h"

#include "folder.h"
#include "socket_priv.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/un.h>

typedef struct place {
    char dir[TEST_FOLDER_SIZE];
    int listening;
    ob_service service; /* nothing in it: commands that there are not need nothing */
    test_random random; /* of the thread that lies */
    unsigned answered;
} place;

static int reach(const char *dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/run/admin.sock", dir);
    const int to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(to >= 0);
    assert_int_equal(connect(to, (struct sockaddr *)&address, sizeof address), 0);
    return to;
}

/* Any bytes that begin as lines do, in pieces, some with descriptors. */
static void say_any(int to, test_random *r, const char *const *lines, size_t count)
{
    char bytes[2000];
    size_t size = 0;
    for (uint64_t i = 1 + test_below(r, 3); i; i--) {
        const char *line = lines[test_below(r, count)];
        memcpy(bytes + size, line, strlen(line));
        size += strlen(line);
    }
    if (test_below(r, 4))
        size = test_mutate(r, (uint8_t *)bytes, size);
    for (size_t at = 0, piece; at < size; at += piece) {
        piece = test_below(r, 3) ? size - at : 1 + test_below(r, size - at);
        if (send_files(to, bytes + at, piece, test_below(r, 9) ? 0 : test_below(r, 4), 1) < 0)
            return;
    }
}

/* Everything up to the end; whether it is lines. */
static bool hear_all(int from)
{
    char text[20000];
    size_t size = 0;
    for (ssize_t got;
         size < sizeof text && (got = read(from, text + size, sizeof text - size)) > 0;)
        size += (size_t)got;
    return size < sizeof text && (!size || text[size - 1] == '\n');
}

static void the_service_hears_anybody(void **state)
{
    static const char *const lines[] = {
        "{\"do\":\"nothing-of-that-name\"}\n", "{\"do\":1,\"file\":true}\n", "[1,2,3]\n", "\n",
        "{\"do\":\"nothing-else\",\"list\":[{\"a\":\"\\u00e9\"},null,1e9]}\n"};
    const uint64_t samples = test_samples("OBHUT_PACKETS", 5000);
    place p = {.random = test_sampled(47)};
    (void)state;
    assert_true(test_folder(p.dir));
    assert_int_equal(ob_socket_listen(&p.listening, p.dir, NULL), OB_OK);
    const unsigned before = open_files();
    for (uint64_t i = 0; i < samples; i++) {
        const int to = reach(p.dir);
        say_any(to, &p.random, lines, sizeof lines / sizeof *lines);
        shutdown(to, SHUT_WR);
        ob_socket_serve(p.listening, &p.service);
        assert_true(hear_all(to));
        close(to);
        if (i % 500 == 499) {
            assert_true(ob_commands_wait(60000));
            assert_int_equal(open_files(), before);
        }
    }
    assert_true(ob_commands_wait(60000));
    assert_int_equal(open_files(), before);
    close(p.listening);
}

/* ---- A command, and a service that lies ------------------------------------------------------ */

static void *lie(void *argument)
{
    static const char *const lines[] = {"{\"ok\":{\"number\":1}}\n",
                                        "{\"error\":{\"status\":-5,\"text\":\"no\"}}\n",
                                        "{\"event\":{\"line\":\"x\"}}\n",
                                        "{\"error\":{\"status\":\"x\"}}\n",
                                        "{\"ok\":1}\n",
                                        "[]\n"};
    place *p = argument;
    for (int peer; (peer = accept(p->listening, NULL, NULL)) >= 0; close(peer)) {
        char byte = 0;
        while (byte != '\n' && read(peer, &byte, 1) == 1)
            ;
        say_any(peer, &p->random, lines, sizeof lines / sizeof *lines);
    }
    return NULL;
}

static void a_command_hears_any_service(void **state)
{
    const uint64_t samples = test_samples("OBHUT_PACKETS", 5000);
    place p = {.random = test_sampled(48)};
    pthread_t thread;
    json_t *request = json_pack("{s:s}", "do", "something");
    unsigned fine = 0;
    (void)state;
    assert_true(test_folder(p.dir));
    assert_int_equal(ob_socket_listen(&p.listening, p.dir, NULL), OB_OK);
    assert_int_equal(fcntl(p.listening, F_SETFL, 0), 0);
    const unsigned before = open_files();
    assert_int_equal(pthread_create(&thread, NULL, lie, &p), 0);
    for (uint64_t i = 0; i < samples; i++) {
        json_t *answer = NULL;
        ob_error err = {0};
        const ob_status status = socket_ask_running(&answer, p.dir, request, &err);
        assert_true(status ? !answer && *err.text : answer != NULL);
        fine += !status;
        json_decref(answer);
    }
    shutdown(p.listening, SHUT_RDWR);
    pthread_join(thread, NULL);
    assert_true(fine > samples / 100 && fine < samples);
    assert_int_equal(open_files(), before);
    close(p.listening);
    json_decref(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_service_hears_anybody),
        cmocka_unit_test(a_command_hears_any_service),
    };
    return cmocka_run_group_tests_name("socket_lies", tests, NULL, NULL);
}
