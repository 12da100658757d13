/* List files: what was imported comes out again, and damaged files do no harm. */
#include "folder.h"
#include "lists_test.h"

#include "lists_priv.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[TEST_FOLDER_SIZE];

static int make_dir(void **state)
{
    (void)state;
    return test_folder(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static void write_text(const char *path, const ob_buf *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text->bytes, 1, text->size, file), text->size);
    assert_int_equal(fclose(file), 0);
}

/* A CSV of random entries, some with ids and sources. */
static void make_csv(const char *path, test_random *r, int count)
{
    ob_buf text = {0};
    ob_buf_printf(&text, NULL, "pdq,md5,sha1,sha256,id,source,classification\n");
    for (int i = 0; i < count; i++) {
        char hex[OB_HASH256_HEX + 1], more[OB_HASH256_HEX + 1];
        ob_hash256 hash = test_hash(r), other = test_hash(r);
        ob_hash256_print(hex, &hash);
        ob_hash256_print(more, &other);
        ob_buf_printf(&text, NULL, "%s,", i % 7 ? hex : "");
        ob_buf_printf(&text, NULL, "%.*s,", i % 7 && i % 4 ? 0 : 32, more);
        ob_buf_printf(&text, NULL, "%.*s,", i % 3 ? 0 : 40, more);
        ob_buf_printf(&text, NULL, "%.*s,", i % 6 ? 0 : 64, more);
        if (i % 3)
            ob_buf_printf(&text, NULL, "\"e,%d\"", i);
        ob_buf_printf(&text, NULL, i % 5 ? ",\"Source \"\"%d\"\"\",A%d\n" : ",,\n", i % 7, i % 2);
    }
    write_text(path, &text);
    ob_buf_free(&text);
}

static void import_file(const char *path, const char *name)
{
    const ob_import wish = {.file = path, .name = name, .source = "Test", .type = OB_IMPORT_PDQ};
    lists_import(dir, &wish);
}

static char *export_text(const char *name)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    assert_int_equal(ob_list_export(dir, name, to, NULL), OB_OK);
    fclose(to);
    return text;
}

static void what_was_exported_imports_as_the_same_list(void **state)
{
    (void)state;
    test_random r = {61};
    char path[128];
    snprintf(path, sizeof path, "%s/in.csv", dir);
    make_csv(path, &r, 1000);
    import_file(path, "first");
    char *first = export_text("first");
    ob_buf text = {.bytes = first, .size = strlen(first)};
    write_text(path, &text);
    import_file(path, "second");
    char *second = export_text("second");
    assert_string_equal(first, second);
    assert_non_null(strstr(first, ",\"e,1\",\"Source \"\"1\"\"\",A1\n"));
    assert_non_null(strstr(first, ",2,Test,\n")); /* no id, no source: the line, the list's own */
    assert_non_null(strstr(first, "\n,"));        /* an entry without a hash */
    free(first);
    free(second);
}

static void matches_come_nearest_first_and_say_what_they_are(void **state)
{
    (void)state;
    test_random r = {62};
    ob_hash256 query = test_hash(&r);
    ob_buf text = {0};
    ob_buf_printf(&text, NULL, "pdq,id,classification\n");
    for (unsigned bits = 40; bits-- > 0;) {
        char hex[OB_HASH256_HEX + 1];
        ob_hash256 hash = test_flip(&r, query, bits);
        ob_hash256_print(hex, &hash);
        ob_buf_printf(&text, NULL, "%s,at-%u,A%u\n", hex, bits, bits % 2);
        ob_buf_printf(&text, NULL, "%s,also-%u,\n", hex, bits); /* same hash, another id */
    }
    char path[128];
    snprintf(path, sizeof path, "%s/near.csv", dir);
    write_text(path, &text);
    ob_buf_free(&text);
    import_file(path, "near");
    ob_lists *lists = NULL;
    assert_int_equal(ob_lists_open(&lists, dir, NULL), OB_OK);
    ob_list_matches found;
    ob_hash256 queries[3] = {test_hash(&r), query, query};
    assert_int_equal(ob_lists_match(&found, lists, queries, 3, 31, OB_LISTS_NO_LIMIT, NULL), OB_OK);
    assert_int_equal(found.count, 2 * 64);
    assert_int_equal(found.total, 2 * 64);
    const ob_list_match *match = found.match;
    for (size_t i = 0; i < found.count; i++) {
        char id[32];
        assert_int_equal(match[i].query, 1 + i / 64);
        assert_int_equal(match[i].distance, i % 64 / 2);
        snprintf(id, sizeof id, i % 2 ? "also-%u" : "at-%u", match[i].distance);
        assert_string_equal(match[i].entry, id);
        assert_string_equal(match[i].list, "near");
        assert_string_equal(match[i].source, "Test");
        assert_string_equal(match[i].classification, i % 2                   ? ""
                                                     : match[i].distance % 2 ? "A1"
                                                                             : "A0");
        assert_int_equal(ob_hash256_distance(&match[i].hash, &query), match[i].distance);
    }
    ob_list_matches_free(&found);
    assert_int_equal(ob_lists_match(&found, lists, queries, 3, 31, 5, NULL), OB_OK);
    assert_int_equal(found.count, 10);
    assert_int_equal(found.total, 2 * 64);
    assert_int_equal(found.match[9].distance, 2);
    ob_list_matches_free(&found);
    assert_int_equal(ob_lists_match(&found, lists, queries, 3, 32, OB_LISTS_NO_LIMIT, NULL),
                     OB_EINVAL);
    ob_lists_close(lists);
}

static void a_list_that_is_off_does_not_match_and_stays_off_when_replaced(void **state)
{
    (void)state;
    test_random r = {63};
    char path[128];
    snprintf(path, sizeof path, "%s/in.csv", dir);
    make_csv(path, &r, 10);
    import_file(path, "switch");
    ob_lists *lists = lists_own(dir);
    assert_int_equal(ob_lists_set_enabled(lists, "switch", false, NULL), OB_OK);
    assert_int_equal(ob_lists_set_enabled(lists, "switch", false, NULL), OB_OK);
    ob_lists_close(lists);
    import_file(path, "switch");
    ob_list_info *infos = NULL;
    size_t count = 0;
    bool seen = false;
    assert_int_equal(ob_list_all(&infos, &count, dir, NULL, NULL, NULL), OB_OK);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(infos[i].name, "switch")) {
            seen = true;
            assert_false(infos[i].enabled);
            assert_int_equal(infos[i].entries, 10);
        }
    assert_true(seen);
    free(infos);
    ob_list_info info;
    assert_int_equal(lists_remove(dir, "switch"), OB_OK);
    assert_int_equal(ob_list_check(&info, dir, "switch", NULL), OB_ENOTFOUND);
    assert_int_equal(lists_remove(dir, "switch"), OB_ENOTFOUND);
}

static void names_that_could_leave_the_directory_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "../x", "a/b", ".hidden", "-x", "Upper", "a b", "ä"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ob_list_info info;
        assert_int_equal(lists_remove(dir, bad[i]), OB_EINVAL);
        assert_int_equal(ob_list_check(&info, dir, bad[i], NULL), OB_EINVAL);
    }
}

static void digests_are_found_with_their_entries(void **state)
{
    (void)state;
    static const char csv[] = "pdq,md5,sha1,sha256,id\n"
                              ",00112233445566778899aabbccddeeff,,,only-md5\n"
                              "2d2f1af3a856c529679ca3d6526fa836d4196c81c6dd04de0a26f855fc99b724,"
                              "00112233445566778899aabbccddeeff,,,both\n"
                              ",,000102030405060708090a0b0c0d0e0f10111213,,only-sha1\n"
                              ",,,2d2f1af3a856c529679ca3d6526fa836d4196c81c6dd04de0a26f855fc99b724,"
                              "only-sha256\n";
    static const uint8_t md5[2][16] = {{0},
                                       {0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99,
                                        0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}};
    static const uint8_t sha1[20] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
                                     10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
    char path[128];
    snprintf(path, sizeof path, "%s/digests.csv", dir);
    write_text(path, &(ob_buf){.bytes = (char *)(uintptr_t)csv, .size = sizeof csv - 1});
    import_file(path, "digests");
    ob_lists *lists = NULL;
    ob_list_matches found;
    assert_int_equal(ob_lists_open(&lists, dir, NULL), OB_OK);
    assert_true(ob_lists_digests(lists));
    assert_int_equal(ob_lists_match_digests(&found, lists, OB_LIST_MD5, md5[0], 2, 0, NULL), OB_OK);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.match[0].query, 1);
    assert_string_equal(found.match[0].entry, "only-md5");
    assert_string_equal(found.match[1].entry, "both");
    ob_list_matches_free(&found);
    assert_int_equal(ob_lists_match_digests(&found, lists, OB_LIST_SHA1, sha1, 1, 0, NULL), OB_OK);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.match[0].entry, "only-sha1");
    ob_list_matches_free(&found);
    assert_int_equal(ob_lists_match_digests(&found, lists, OB_LIST_SHA256, sha1, 0, 0, NULL),
                     OB_OK);
    assert_int_equal(found.count, 0);
    ob_list_matches_free(&found);
    ob_lists_close(lists);
    assert_int_equal(lists_remove(dir, "digests"), OB_OK);
}

/* ---- Damaged files --------------------------------------------------------------------------- */

static ob_status look_at(void *context, uint32_t query, uint64_t at, unsigned distance)
{
    (void)query;
    (void)distance;
    const obx *file = context;
    char id[OB_LIST_ID_MAX + 1];
    uint64_t entry;
    if (obx_hash_entry(&entry, file, at, NULL))
        return OB_OK;
    if (!obx_id(id, NULL, file, entry, NULL))
        assert_true(strlen(id) <= OB_LIST_ID_MAX);
    assert_non_null(obx_attribute_of(file, entry)->source);
    return OB_OK;
}

/* Recomputes every checksum, as somebody who means harm would. */
static void reseal(uint8_t *bytes, size_t size)
{
    obx_header header;
    if (size < sizeof header)
        return;
    memcpy(&header, bytes, sizeof header);
    uint64_t covered = sizeof header + (uint64_t)header.sections * sizeof(obx_section);
    if (header.sections > OBX_SECTIONS_MAX || covered > size)
        return;
    for (uint32_t i = 0; i < header.sections; i++) {
        obx_section section;
        uint8_t *at = bytes + sizeof header + i * sizeof section;
        memcpy(&section, at, sizeof section);
        if (section.offset > size || section.size > size - section.offset)
            continue;
        ob_sha256(section.sha256, bytes + section.offset, section.size, NULL);
        memcpy(at, &section, sizeof section);
    }
    memset(bytes + offsetof(obx_header, sha256), 0, OB_SHA256_SIZE);
    uint8_t sum[OB_SHA256_SIZE];
    ob_sha256(sum, bytes, covered, NULL);
    memcpy(bytes + offsetof(obx_header, sha256), sum, sizeof sum);
}

/* Everything that can be asked of a file whose content somebody chose. */
static void ask(const obx *file, test_random *r)
{
    enum { QUERIES = 8 };
    ob_hash256 queries[QUERIES];
    for (int k = 0; k < QUERIES; k++)
        queries[k] = file->index.count && k % 2
                         ? ob_index_get(&file->index, test_below(r, file->index.count))
                         : test_hash(r);
    ob_error err = {0};
    ob_status status =
        ob_index_search(&file->index, queries, QUERIES, 31, look_at, (void *)(uintptr_t)file, &err);
    assert_true(status == OB_OK || status == OB_EFORMAT);
    for (int k = 0; k < DIGEST_KINDS; k++) {
        uint64_t first[QUERIES], found[QUERIES], entry;
        const ob_digest_set *set = &file->digests[k];
        if (!set->count)
            continue;
        ob_digest_set_find(first, found, set, (const uint8_t *)queries, QUERIES / 2);
        for (int q = 0; q < QUERIES / 2; q++)
            for (uint64_t i = 0; i < found[q]; i++)
                if (!obx_digest_entry(&entry, file, k, first[q] + i, NULL))
                    assert_true(entry < file->info.entries);
    }
}

static void mutate_file(int entries, uint64_t samples, uint64_t seed)
{
    test_random r = test_sampled(seed);
    char path[128];
    snprintf(path, sizeof path, "%s/in.csv", dir);
    make_csv(path, &r, entries);
    import_file(path, "hurt");
    snprintf(path, sizeof path, "%s/lists/hurt.obx", dir);
    size_t size;
    uint8_t *good = test_file(path, &size),
            *bytes = aligned_alloc(4096, (size + 4095) / 4096 * 4096);
    assert_non_null(bytes);
    uint64_t opened = 0;
    for (uint64_t i = 0; i < samples; i++) {
        memcpy(bytes, good, size);
        size_t now = test_mutate(&r, bytes, size);
        if (i % 3 == 0) { /* aimed at the header and the sections */
            now = size;
            for (int k = 0; k < 3; k++)
                bytes[test_below(&r, 800)] = (uint8_t)test_next(&r);
        } else if (i % 3 == 1) {
            now = size;
            bytes[4096 + test_below(&r, size - 4096)] ^= (uint8_t)(1 + test_below(&r, 255));
        }
        if (i % 2)
            reseal(bytes, now);
        obx file;
        ob_error err = {0};
        ob_status status = obx_view(&file, bytes, now, &err);
        if (status) {
            assert_true(strlen(err.text) > 10);
            continue;
        }
        opened++;
        if (i % 2 == 0) /* nothing but the original passes the checksums */
            assert_memory_equal(bytes, good, size);
        ask(&file, &r);
        obx_drop(&file);
    }
    assert_true(opened > samples / 50); /* most bytes of a small file are padding */
    free(bytes);
    free(good);
    assert_int_equal(lists_remove(dir, "hurt"), OB_OK);
}

static void mutated_files_are_refused_or_answer(void **state)
{
    (void)state;
    uint64_t samples = test_samples("OBHUT_MUTATIONS", 2000);
    mutate_file(200, samples - samples / 20, 64);
    mutate_file(OB_INDEX_MIN_WORDS + 5000, samples / 20, 66); /* with all pieces of an index */
}

static void a_damaged_list_is_named_not_left_out(void **state)
{
    (void)state;
    test_random r = {65};
    char path[128];
    snprintf(path, sizeof path, "%s/in.csv", dir);
    make_csv(path, &r, 10);
    import_file(path, "broken");
    snprintf(path, sizeof path, "%s/lists/broken.obx", dir);
    assert_int_equal(truncate(path, 5000), 0);
    ob_lists *lists = NULL;
    ob_error err = {0};
    assert_int_equal(ob_lists_open(&lists, dir, &err), OB_EFORMAT);
    assert_non_null(strstr(err.text, "broken.obx"));
    assert_null(lists);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_exported_imports_as_the_same_list),
        cmocka_unit_test(matches_come_nearest_first_and_say_what_they_are),
        cmocka_unit_test(digests_are_found_with_their_entries),
        cmocka_unit_test(a_list_that_is_off_does_not_match_and_stays_off_when_replaced),
        cmocka_unit_test(names_that_could_leave_the_directory_are_refused),
        cmocka_unit_test(mutated_files_are_refused_or_answer),
        cmocka_unit_test(a_damaged_list_is_named_not_left_out),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
