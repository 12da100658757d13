/* A worker hands over a memory file: bounded before it is filled, sealed before it is read. This
 * program is its own worker program. */
#include "test.h"

#include "sandbox_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static char self[4096];

/* ---- The worker ------------------------------------------------------------------------------ */

/* What it is to do stands in the file. */
static ob_status fill(void *out, size_t *size, size_t room, const uint8_t *bytes, size_t of)
{
    memcpy(out, bytes, of);
    *size = of;
    if (!memcmp(bytes, "much", 4))
        *size = room + 1;
    if (!memcmp(bytes, "whole", 5))
        *size = room;
    if (!memcmp(bytes, "none", 4))
        return OB_ELIMIT;
    if (!memcmp(bytes, "keep", 4) && mremap(out, 0, room, MREMAP_MAYMOVE) == MAP_FAILED)
        return OB_EIO; /* a second mapping of the same pages, which stays */
    return OB_OK;
}

/* ---- Who asks -------------------------------------------------------------------------------- */

static int file_of(const char *text)
{
    int file = memfd_create("test", MFD_CLOEXEC);
    assert_true(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    return file;
}

static ob_job_result have_filled(const char *text, bool wanted)
{
    ob_worker *worker = NULL;
    ob_error err = {0};
    ob_job_result result = {.status = OB_OK};
    const ob_worker_options options = {.program = self, .time_ms = 600000};
    const ob_job job = {
        .wants = {[OB_EXTRACT_DIGESTS] = OB_OWN_WISH, [OB_EXTRACT_FILE] = wanted ? OB_OWN_WISH : 0},
        .digests = OB_DIGEST_MD5,
        .size = strlen(text),
        .permit = ob_own_files_permit};
    int file = file_of(text);
    if (ob_worker_start(&worker, &options, &err) || ob_worker_do(&result, worker, &job, file, &err))
        fail_msg("%s", err.text);
    close(file);
    ob_worker_stop(worker);
    return result;
}

static void what_was_filled_can_be_read_and_not_changed(void **state)
{
    (void)state;
    char text[32] = "";
    ob_job_result result = have_filled("hello", true);
    assert_int_equal(result.status, OB_OK);
    assert_true(result.has_file);
    assert_int_equal(result.file_size, 5);
    assert_int_equal(ob_result_read(text, sizeof text, &result), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(ob_result_read(text, 2, &result), 2);
    assert_int_equal(pwrite(result.file, "x", 1, 0), -1);
    assert_int_equal(ftruncate(result.file, 1), -1);
    assert_int_equal(ftruncate(result.file, 2 * (off_t)OB_RESULT_FILE_MOST), -1);
    ob_result_close(&result);
    assert_false(result.has_file);
    assert_int_equal(ob_result_read(text, sizeof text, &result), 0);
}

static void all_of_it_may_be_filled(void **state)
{
    (void)state;
    ob_job_result result = have_filled("whole", true);
    assert_int_equal(result.file_size, OB_RESULT_FILE_MOST);
    ob_result_close(&result);
}

static void a_worker_that_fills_nothing_has_answered_all_the_same(void **state)
{
    (void)state;
    const ob_job_result result = have_filled("none", true);
    assert_int_equal(result.status, OB_OK);
    assert_int_equal(result.digested, OB_DIGEST_MD5);
    assert_false(result.has_file);
}

static void what_nobody_wants_is_not_filled(void **state)
{
    (void)state;
    assert_false(have_filled("hello", false).has_file);
}

static void a_worker_that_could_still_write_or_says_too_much_is_not_believed(void **state)
{
    (void)state;
    static const char *const cheats[] = {"keep", "much"};
    for (int i = 0; i < 2; i++) {
        const ob_job_result result = have_filled(cheats[i], true);
        assert_int_equal(result.status, OB_ECRASH);
        assert_false(result.has_file);
    }
}

static void a_file_that_is_mapped_somewhere_is_not_sealed(void **state)
{
    (void)state;
    int file = result_file_new();
    assert_true(file >= 0);
    void *map = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_false(result_file_seal(file));
    munmap(map, 1);
    assert_true(result_file_seal(file));
    close(file);
}

int main(int argc, char **argv)
{
    const ob_worker_program program = {.profile = OB_PROFILE_WORKER, .fill = fill};
    if (argc == 2 && *argv[1] >= '0' && *argv[1] <= '9')
        return ob_worker_serve(argv, &program);
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_filled_can_be_read_and_not_changed),
        cmocka_unit_test(all_of_it_may_be_filled),
        cmocka_unit_test(a_worker_that_fills_nothing_has_answered_all_the_same),
        cmocka_unit_test(what_nobody_wants_is_not_filled),
        cmocka_unit_test(a_worker_that_could_still_write_or_says_too_much_is_not_believed),
        cmocka_unit_test(a_file_that_is_mapped_somewhere_is_not_sealed),
    };
    return cmocka_run_group_tests_name("sandbox_result_file", tests, NULL, NULL);
}
