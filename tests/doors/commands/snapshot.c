/* A page that many ask for is made by one; nobody waits long for whoever makes it. */
#include "test.h"

#include "fault/clock.h"

#include "services_priv.h"

#include <stdatomic.h>

static snapshot page;
static atomic_int makers, may_end;

static ob_status make(ob_buf *out, void *text, ob_error *err)
{
    atomic_fetch_add(&makers, 1);
    while (!atomic_load(&may_end))
        sched_yield();
    return text ? ob_buf_append(out, text, strlen(text), err)
                : ob_fail(err, OB_EIO, "it could not be made");
}

static void *ask(void *text)
{
    ob_buf out = {0};
    snapshot_get(&out, &page, make, text, NULL);
    ob_buf_free(&out);
    return NULL;
}

static void gets(const char *expected)
{
    ob_buf out = {0};
    ob_error err = {0};
    assert_int_equal(snapshot_get(&out, &page, make, (char[]){"nobody makes this"}, &err), OB_OK);
    assert_int_equal(out.size, strlen(expected));
    assert_memory_equal(out.bytes, expected, out.size);
    ob_buf_free(&out);
}

static pthread_t begin_making(char *text)
{
    pthread_t thread;
    const int before = atomic_load(&makers);
    atomic_store(&may_end, 0);
    assert_int_equal(pthread_create(&thread, NULL, ask, text), 0);
    while (atomic_load(&makers) == before)
        sched_yield();
    return thread;
}

static void end_making(pthread_t thread)
{
    atomic_store(&may_end, 1);
    pthread_join(thread, NULL);
}

static int begin(void **state)
{
    (void)state;
    clock_stand(INT64_C(1900000000));
    snapshot_init(&page);
    return 0;
}

static int end(void **state)
{
    (void)state;
    snapshot_end(&page);
    clock_real();
    return 0;
}

static void within_a_second_all_get_the_same(void **state)
{
    (void)state;
    end_making(begin_making((char[]){"first"}));
    gets("first");
    clock_pass(1);
    end_making(begin_making((char[]){"second"}));
    gets("second");
}

static void the_one_before_is_given_while_a_new_one_takes_long(void **state)
{
    (void)state;
    ob_error err = {0};
    ob_buf out = {0};
    end_making(begin_making((char[]){"before"}));
    clock_pass(14);
    pthread_t thread = begin_making((char[]){"new"});
    gets("before");
    clock_pass(1); /* too old to be given */
    assert_int_equal(snapshot_get(&out, &page, make, (char[]){"nobody makes this"}, &err), OB_EIO);
    end_making(thread);
    gets("new");
    ob_buf_free(&out);
}

static void where_there_is_none_nobody_waits_long(void **state)
{
    (void)state;
    ob_error err = {0};
    ob_buf out = {0};
    pthread_t thread = begin_making(NULL);
    assert_int_equal(snapshot_get(&out, &page, make, (char[]){"nobody makes this"}, &err), OB_EIO);
    end_making(thread);
    ob_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(within_a_second_all_get_the_same, begin, end),
        cmocka_unit_test_setup_teardown(the_one_before_is_given_while_a_new_one_takes_long, begin,
                                        end),
        cmocka_unit_test_setup_teardown(where_there_is_none_nobody_waits_long, begin, end),
    };
    return cmocka_run_group_tests_name("services_snapshot", tests, NULL, NULL);
}
