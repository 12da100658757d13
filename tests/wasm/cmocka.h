/* As much of cmocka as the unit tests of the pure modules use, where cmocka itself is not: a failed
 * assertion ends the program. */
#ifndef OBHUT_WASM_CMOCKA_H
#define OBHUT_WASM_CMOCKA_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
} CMUnitTest;

#define cmocka_unit_test(test)                                                                     \
    {                                                                                              \
#test, test                                                                                \
    }
#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    wasm_run(tests, sizeof(tests) / sizeof *(tests), setup, teardown)

#define fail_msg(...)                                                                              \
    do {                                                                                           \
        printf("not ok - %s:%d: ", __FILE__, __LINE__);                                            \
        printf(__VA_ARGS__);                                                                       \
        printf("\n");                                                                              \
        exit(1);                                                                                   \
    } while (0)
#define wasm_check(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s", #condition);                                                            \
    } while (0)
#define assert_true(a)               wasm_check(a)
#define assert_false(a)              wasm_check(!(a))
#define assert_null(a)               wasm_check(!(a))
#define assert_non_null(a)           wasm_check(a)
#define assert_int_equal(a, b)       wasm_check((long long)(a) == (long long)(b))
#define assert_string_equal(a, b)    wasm_check(!strcmp(a, b))
#define assert_memory_equal(a, b, n) wasm_check(!memcmp(a, b, n))
#define print_message(...)           printf(__VA_ARGS__)

static inline int wasm_run(const CMUnitTest *tests, size_t count, int (*setup)(void **state),
                           int (*teardown)(void **state))
{
    void *state = NULL;
    if (setup && setup(&state))
        return 1;
    for (size_t i = 0; i < count; i++) {
        tests[i].run(&state);
        printf("ok - %s\n", tests[i].name);
    }
    return teardown ? teardown(&state) : 0;
}

#endif
