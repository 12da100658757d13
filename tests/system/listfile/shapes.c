/* The shapes that lists come in: each is read, and what was understood of it is said. */
#include "test.h"

#include "read_priv.h"

#include <unistd.h>
#include <zlib.h>

#define A    "84609e779a66364cf9833866c826f26c21a679f61eb6e1f8c799a7f27c0299e0"
#define B    "d4600a9c24eff1c73572fd192439bd3c2aa80fd192d426ba2b37f3482b0fe9c6"
#define MD5  "a6bbc91ae73dd21c0533f735470a9cd0"
#define MD5B "b6bbc91ae73dd21c0533f735470a9cd0"
#define SHA1 "3553fbf24132495ad14b3c090956d321c8c68490"
#define SHA2 "4da94f7ab13842d92f35deb8983d2edfe02631ff460c4080f4733de155b57fd4"

static ob_import_understood told;
static size_t whole_most; /* bytes of a record of JSON; 0: as many as there are */

static char *read_as(const void *bytes, size_t size, ob_import_type type)
{
    static char out[16384];
    size_t at = 0;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    rewind(file);
    reader *r = NULL;
    told = (ob_import_understood){.skipped = 0};
    assert_int_equal(reader_new(&r, fileno(file), "a", type, &told, NULL), OB_OK);
    if (whole_most)
        reader_limit(r, whole_most);
    out[0] = '\0';
    for (bool end = false;;) {
        entry e;
        ob_error err = {0};
        char hex[OB_HASH256_HEX + 1];
        ob_status status = reader_next(&e, &end, r, &err);
        if (!status && end)
            break;
        assert_true(at < sizeof out - 1000);
        if (status == OB_EREFUSED) {
            snprintf(out + at, sizeof out - at, "refused %s;", err.text);
            break;
        }
        if (status) {
            at += (size_t)snprintf(out + at, sizeof out - at, "bad %s;", err.text);
            continue;
        }
        ob_hash256_print(hex, &e.hash);
        at += (size_t)snprintf(
            out + at, sizeof out - at, "%s%.4s%s%s%s %s %s %s%s%s;", e.has_hash ? "pdq=" : "",
            e.has_hash ? hex : "", e.has_digest[0] ? "+md5" : "", e.has_digest[1] ? "+sha1" : "",
            e.has_digest[2] ? "+sha256" : "", e.id ? e.id : "-", e.source, e.classification,
            e.withdrawn ? "withdrawn" : "", e.low_quality ? " low" : "");
    }
    reader_free(r);
    fclose(file);
    return out;
}

#define READ(text) read_as(text, sizeof(text) - 1, OB_IMPORT_CHECKED)

static uint64_t state(const char *name)
{
    for (size_t i = 0; i < told.states.count; i++)
        if (!strcmp(told.states.name[i].text, name))
            return told.states.name[i].count;
    return 0;
}

static bool has_column(const char *name, bool used)
{
    for (size_t i = 0; i < told.columns.count; i++)
        if (!strcmp(told.columns.name[i].text, name))
            return told.columns.name[i].used == used;
    return false;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static void a_hash_may_be_named_and_have_more_behind_it(void **s)
{
    (void)s;
    assert_string_equal(READ("pdq " A "\npdq:" B " 7 old.jpg\n"), "pdq=8460 -  ;pdq=d460 -   low;");
    assert_string_equal(READ(A " 100 data/coffee.jpg\n  " B "\t12 x\n"),
                        "pdq=8460 -  ;pdq=d460 -   low;");
    assert_string_equal(READ(MD5 "  a file\n" SHA1 " *b\n\\" MD5 "  with\\nline\n"),
                        "+md5 -  ;+sha1 -  ;+md5 -  ;");
    assert_string_equal(READ("MD5 (a (1).jpg) = " MD5 "\nSHA256 (b) = " SHA2 "\n"),
                        "+md5 -  ;+sha256 -  ;");
    assert_string_equal(READ("sha1: " SHA1 "\n"), "+sha1 -  ;");
    assert_string_equal(told.shape, "one hash a line");
}

static void what_64_digits_are_can_be_said(void **s)
{
    (void)s;
    assert_string_equal(read_as(SHA2 "\n", 65, OB_IMPORT_SHA256), "+sha256 -  ;");
    assert_string_equal(read_as("hash,id\n" SHA2 ",7\n", 75, OB_IMPORT_SHA256), "+sha256 7  ;");
    assert_string_equal(read_as("pdq\n" A "\n", 69, OB_IMPORT_SHA256), "pdq=8460 -  ;");
}

static void columns_may_be_separated_by_anything_and_called_as_the_field_does(void **s)
{
    (void)s;
    static const char separators[] = ",;\t|";
    static const char *const shapes[] = {"CSV", "CSV with semicolons", "columns separated by tabs",
                                         "columns separated by |"};
    for (int i = 0; i < 4; i++) {
        char text[512];
        const char c = separators[i];
        snprintf(
            text, sizeof text,
            "MD5%cSHA1%cLace%c\"Image ID\"%c Category \n%s%c%s%cx%c\"71%c1\"%c A1 %cone more\n", c,
            c, c, c, MD5, c, SHA1, c, c, c, c, c);
        char expected[64];
        snprintf(expected, sizeof expected, "+md5+sha1 71%c1  A1;", c);
        if (c != '\t') /* which no id may have */
            assert_string_equal(read_as(text, strlen(text), OB_IMPORT_CHECKED), expected);
        else
            read_as(text, strlen(text), OB_IMPORT_CHECKED);
        assert_string_equal(told.shape, shapes[i]);
        assert_true(has_column("MD5", true) && has_column("Image ID", true));
        assert_true(has_column("Lace", false));
    }
    assert_string_equal(READ("sep=;\r\nPDQ;MD5\r\n" A ";\r\n"), "pdq=8460 -  ;");
}

static void a_column_may_say_which_kind_its_row_has(void **s)
{
    (void)s;
    assert_string_equal(
        READ("signal_type,signal_str,id\n"
             "pdq," A ",1\nvideo_md5," MD5 ",2\nHASH_SHA1," SHA1 ",3\n"
             "raw_text,hello,4\nvideo," MD5 ",5\nmd5," MD5 "a,6\n"),
        "pdq=8460 1  ;+md5 2  ;+sha1 3  ;+md5 5  ;"
        "bad list \"a\", line 7: 33 characters where md5 has 32 hexadecimal digits;");
    assert_int_equal(told.skipped, 1);
    assert_string_equal(told.unused.name[0].text, "raw_text");
    assert_int_equal(told.kinds[OB_LIST_KIND_MD5], 2);
}

static void states_of_any_name_are_known_or_refused(void **s)
{
    (void)s;
    static const char *const gone[] = {"withdrawn", "Deleted",       "INACTIVE",      "removed",
                                       "retracted", "revoked",       "disabled",      "expired",
                                       "delisted",  "NON_MALICIOUS", "false positive"};
    static const char *const here[] = {"active",    "Received",  "enabled",
                                       "confirmed", "MALICIOUS", ""};
    char text[256];
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        int size = snprintf(text, sizeof text, "pdq,status\n" A ",%s\n", gone[i]);
        assert_string_equal(read_as(text, (size_t)size, OB_IMPORT_CHECKED),
                            "pdq=8460 -  withdrawn;");
        assert_int_equal(state(gone[i]), 1);
    }
    for (size_t i = 0; i < sizeof here / sizeof *here; i++) {
        int size = snprintf(text, sizeof text, "pdq,hashStatus\n" A ",%s\n", here[i]);
        assert_string_equal(read_as(text, (size_t)size, OB_IMPORT_CHECKED), "pdq=8460 -  ;");
    }
    assert_non_null(strstr(READ("pdq,state\n" A ",pending\n"), "state \"pending\"; known are"));
    assert_string_equal(READ("{\"pdq\":\"" A "\",\"should_delete\":true}\n"),
                        "pdq=8460 -  withdrawn;");
    assert_string_equal(READ("{\"pdq\":\"" A "\",\"is_active\":false}\n"),
                        "pdq=8460 -  withdrawn;");
    assert_string_equal(READ("pdq,deleted\n" A ",0\n" B ",1\n"),
                        "pdq=8460 -  ;pdq=d460 -  withdrawn;");
    assert_non_null(strstr(READ("pdq,deleted\n" A ",perhaps\n"), "true and false are known"));
}

static void a_withdrawn_entry_may_be_told_by_its_number_alone(void **s)
{
    (void)s;
    assert_string_equal(READ("pdq,id,state\n,7311,withdrawn\n"), " 7311  withdrawn;");
    assert_non_null(strstr(READ("pdq,id,state\n,,withdrawn\n"), "neither a hash nor an id"));
    assert_non_null(strstr(READ("pdq,id,state\n,7311,\n"), "no hash"));
}

static void hashes_that_were_cut_or_made_numbers_are_named(void **s)
{
    (void)s;
    assert_non_null(strstr(READ("md5\n" MD5 "0\n"), "33 characters where md5 has 32"));
    assert_non_null(
        strstr(READ("sha256\n1.23E+45\n"), "a spreadsheet has made a number of a hash"));
    char cut[] = A "\n" B "\n";
    memmove(cut + 65, cut + 66, 64);
    cut[128] = '\0';
    assert_non_null(strstr(read_as(cut, 128, OB_IMPORT_CHECKED), "line 2: 63 characters"));
}

static void a_file_that_is_no_list_is_told_once(void **s)
{
    (void)s;
    const char *got = READ("name,value\na,b\nc,d\n");
    assert_non_null(strstr(got, "line 1: neither a hash nor a header"));
    assert_null(strstr(got, "line 2"));
    got = READ("PK\x03\x04....\n...\n");
    assert_non_null(strstr(got, "a ZIP archive or a spreadsheet, which is not read"));
    assert_null(strstr(strchr(got, ';') + 1, "bad"));
}

/* Whichever of them says it. */
static void an_entry_is_withdrawn_where_anything_says_so(void **s)
{
    (void)s;
    static const char *const gone[] = {
        "{\"md5\":\"" MD5 "\",\"should_delete\":false,\"withdrawn\":true}\n",
        "{\"md5\":\"" MD5 "\",\"deleted\":0,\"withdrawn\":1}\n",
        "{\"md5\":\"" MD5 "\",\"status\":\"active\",\"state\":\"withdrawn\"}\n",
        "{\"md5\":\"" MD5 "\",\"status\":\"\",\"state\":\"withdrawn\"}\n",
        "{\"md5\":\"" MD5 "\",\"active\":true,\"enabled\":false}\n",
        "{\"md5\":\"" MD5 "\",\"state\":[\"withdrawn\"]}\n",
        "{\"md5\":\"" MD5 "\",\"state\":[\"active\",\"deleted\"]}\n",
        "md5,status,state\n" MD5 ",active,withdrawn\n",
        "md5,status,state\n" MD5 ",withdrawn,active\n",
        "md5,deleted,withdrawn\n" MD5 ",0,1\n",
        MD5 ",withdrawn\n",
        MD5 ";x;Withdrawn\n",
        MD5 "\tdeleted\n",
        MD5 " withdrawn\n",
        MD5 ",\"withdrawn\"\n",
        "<l><image><fingerprints><md5>" MD5 "</md5></fingerprints>"
        "<status><value>withdrawn</value></status></image></l>",
        "<l><image state=\"withdrawn\"><fingerprints><md5>" MD5 "</md5></fingerprints></image></l>",
        "<l><image><fingerprints><md5>" MD5 "</md5></fingerprints>"
        "<status value=\"withdrawn\"/></image></l>",
        "<l><image><fingerprints><md5>" MD5 "</md5></fingerprints>"
        "<status>active</status><state>withdrawn</state></image></l>",
    };
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        const char *got = read_as(gone[i], strlen(gone[i]), OB_IMPORT_CHECKED);
        if (strcmp(got, "+md5 -  withdrawn;") != 0)
            fail_msg("%s: %s", gone[i], got);
    }
    assert_string_equal(READ(MD5 "  withdrawn\n" MD5 " *deleted\n"), "+md5 -  ;+md5 -  ;");
}

static void a_state_that_cannot_be_read_is_a_bad_record(void **s)
{
    (void)s;
    static const char *const bad[] = {
        "{\"md5\":\"" MD5 "\",\"status\":\"active\",\"state\":\"pending\"}\n",
        "{\"md5\":\"" MD5 "\",\"state\":{\"is\":\"withdrawn\"}}\n",
        "{\"md5\":\"" MD5 "\",\"state\":[[\"withdrawn\"]]}\n",
        "{\"md5\":\"" MD5 "\",\"deleted\":false,\"withdrawn\":\"2024-01-01\"}\n",
        "md5,status,state\n" MD5 ",active,pending\n",
        "<l><image><fingerprints><md5>" MD5 "</md5></fingerprints>"
        "<status><a>withdrawn</a><b>2024</b></status></image></l>",
        "<l><image><fingerprints><md5>" MD5 "</md5></fingerprints><deleted/></image></l>",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *got = read_as(bad[i], strlen(bad[i]), OB_IMPORT_CHECKED);
        if (strncmp(got, "bad list \"a\", ", 14) != 0)
            fail_msg("%s: %s", bad[i], got);
    }
}

static void every_hash_of_an_entry_is_kept(void **s)
{
    (void)s;
    assert_string_equal(
        READ("md5,md5,id,state\n" MD5 "," MD5B ",7,withdrawn\n" MD5 "," MD5 ",8,\n"),
        "+md5 7  withdrawn;+md5 7  withdrawn;+md5 8  ;");
    assert_string_equal(READ("md5,hash\n" MD5 "," SHA1 "\n"), "+md5+sha1 -  ;");
    assert_string_equal(READ("md5,hash\n" MD5 "," MD5B "\n"), "+md5 -  ;+md5 -  ;");
    assert_int_equal(told.kinds[OB_LIST_KIND_MD5], 2);
    assert_string_equal(READ("md5,value\n" MD5 ",3\n"), "+md5 -  ;");
    assert_string_equal(READ(MD5 "," A "\n" MD5 " sha1:" SHA1 " " MD5B "\n"),
                        "pdq=8460+md5 -  ;+md5+sha1 -  ;+md5 -  ;");
    assert_string_equal(READ("{\"md5\":\"" MD5 "\",\"video_md5\":\"" MD5B "\",\"id\":1}\n"),
                        "+md5 1  ;+md5 1  ;");
    assert_string_equal(READ("<l><image><id>1</id><fingerprints><md5>" MD5 "</md5><md5>" MD5B
                             "</md5></fingerprints></image><image><id>2</id><fingerprints><md5>" MD5
                             "</md5></fingerprints><fingerprints><sha1>" SHA1 "</sha1><md5>" MD5B
                             "</md5></fingerprints></image></l>"),
                        "+md5 1  ;+md5 1  ;+md5+sha1 2  ;+md5 2  ;");
    assert_non_null(strstr(READ("md5,md5\n" MD5 "," MD5 "0\n"), "line 2: 33 characters"));
    assert_non_null(strstr(READ("md5,hash\n" MD5 "," MD5 "0\n"), "bad list"));
    char many[41 * 33 + 1] = "";
    for (int i = 0; i < 41; i++)
        snprintf(many + 33 * i, 34, "%032x%c", i + 1, i ? ',' : '\n');
    assert_non_null(strstr(read_as(many, strlen(many), OB_IMPORT_CHECKED), "more than 32 hashes"));
}

static void what_is_walked_past_is_named(void **s)
{
    (void)s;
    assert_string_equal(READ("<l><image><fingerprints><md5>" MD5 "</md5></fingerprints></image>"
                             "<photo><fingerprints><md5>" MD5B "</md5></fingerprints></photo></l>"),
                        "+md5 -  ;");
    assert_true(has_column("photo", false));
    assert_string_equal(READ("{\"value\":[{\"md5\":\"" MD5 "\",\"files\":[{\"md5\":\"" MD5B
                             "\"}]}],\"others\":[{\"md5\":\"" MD5B "\"}]}"),
                        "+md5 -  ;");
    assert_true(has_column("files", false) && has_column("others", false));
    assert_non_null(
        strstr(READ("<l><image><image><fingerprints><md5>" MD5 "</md5></fingerprints>"
                    "</image><fingerprints><md5>" MD5B "</md5></fingerprints></image></l>"),
               "it has another in it"));
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_is_read_as_lines_as_an_array_and_as_a_document(void **s)
{
    (void)s;
    assert_string_equal(READ("{\"pdq\":\"" A "\",\"id\":7311}\n{\"md5\":\"" MD5 "\",\"id\":2,"
                             "\"classification\":1}\n"),
                        "pdq=8460 7311  ;+md5 2  1;");
    assert_string_equal(told.shape, "JSON Lines");
    assert_string_equal(READ("[{\"pdq\":\"" A "\"},\n {\"pdq\":\"" B "\"}]"),
                        "pdq=8460 -  ;pdq=d460 -  ;");
    assert_string_equal(told.shape, "JSON");
    assert_string_equal(READ("[\"" A "\", \"md5:" MD5 "\"]"), "pdq=8460 -  ;+md5 -  ;");
    assert_string_equal(READ("{\n \"pdq\": \"" A "\"\n}\n"), "pdq=8460 -  ;");
    assert_string_equal(READ("{\"pdq\":\"" A "\",\n\"id\":\"x\"}\n{\"pdq\":\"" B "\"}\n"),
                        "pdq=8460 x  ;pdq=d460 -  ;");
}

static void an_exchange_of_stopncii_is_read(void **s)
{
    (void)s;
    assert_string_equal(
        READ("{\"count\":3,\"nextPageToken\":null,\"hashRecords\":["
             "{\"signalType\":\"ImagePDQ\",\"hashValue\":\"" A "\",\"hashStatus\":\"Active\","
             "\"caseNumbers\":{\"c0\":\"Active\"}},"
             "{\"signalType\":\"ImagePDQ\",\"hashValue\":\"" B "\",\"hashStatus\":\"Withdrawn\"},"
             "{\"signalType\":\"VideoMD5\",\"hashValue\":\"" MD5 "\",\"hashStatus\":\"Active\"},"
             "{\"signalType\":\"Text\",\"hashValue\":\"x\",\"hashStatus\":\"Active\"},"
             "{\"signalType\":\"VideoMD5\",\"hashValue\":\"" A "\",\"hashStatus\":\"Active\"}]}"),
        "pdq=8460 -  ;pdq=d460 -  withdrawn;+md5 -  ;"
        "bad list \"a\", record 5: 64 characters where md5 has 32 hexadecimal digits;");
    assert_int_equal(state("Active"), 3);
    assert_int_equal(told.skipped, 1);
    assert_true(has_column("caseNumbers", false));
}

static void a_set_of_project_vic_is_read_also_below_its_cases(void **s)
{
    (void)s;
    assert_string_equal(
        READ("\xEF\xBB\xBF{\r\n \"odata.metadata\": \"x#Media\",\r\n \"value\": [\r\n"
             "  {\"MediaID\": 100, \"Category\": 1, \"MD5\": \"" MD5 "\",\r\n"
             "   \"MediaFiles\": [{\"MD5\": \"zz\", \"FileName\": \"a\"}],\r\n"
             "   \"SHA1\": \"" SHA1 "\"},\r\n"
             "  {\"MediaID\": 101, \"Category\": 2, \"MD5\": \"" MD5 "\"}\r\n ]\r\n}"),
        "+md5+sha1 100  1;+md5 101  2;");
    assert_string_equal(
        READ("{\"value\":[{\"CaseID\":\"c\",\"Media\":[{\"MediaID\":1,\"MD5\":\"" MD5
             "\"}],\"Contact\":{\"a\":[1,{}]}},{\"CaseID\":\"d\",\"Media\":[]}]}"),
        "+md5 1  ;");
}

static void updates_and_descriptors_of_threatexchange_are_read(void **s)
{
    (void)s;
    assert_string_equal(
        READ("{\"data\":[{\"id\":\"1\",\"indicator\":\"" A "\",\"type\":\"HASH_PDQ\","
             "\"should_delete\":false,\"descriptors\":{\"data\":[{\"owner\":{\"id\":\"2\"},"
             "\"status\":\"MALICIOUS\"}]}},"
             "{\"id\":\"2\",\"indicator\":\"" B "\",\"type\":\"HASH_PDQ\",\"should_delete\":true},"
             "{\"id\":\"3\",\"raw_indicator\":\"" MD5 "\",\"type\":\"HASH_MD5\","
             "\"status\":\"MALICIOUS\"}],\"paging\":{\"cursors\":{\"after\":\"x\"},\"next\":\"y\"}"
             "}"),
        "pdq=8460 1  ;pdq=d460 2  withdrawn;+md5 3  ;");
}

static void signals_of_hma_are_read(void **s)
{
    (void)s;
    assert_string_equal(READ("[{\"bank_content_id\":7,\"signal_type\":\"pdq\",\"signal_val\":\"x\","
                             "\"signal\":\"" A "\"},{\"pdq\":\"" B "\",\"video_md5\":\"" MD5
                             "\"}]"),
                        "pdq=8460 7  ;pdq=d460+md5 -  ;");
}

static void damaged_json_is_one_bad_record_and_an_end(void **s)
{
    (void)s;
    static const char *const bad[] = {
        "[{\"pdq\":\"" A "\"},{\"pdq\":\"", "[{\"pdq\":\"" A "\"}",    "[{\"pdq\":\"" A "\"},}]",
        "[{\"pdq\":\"" A "\"}] x",          "[{\"pdq\":\"" A "\"},7]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *got = read_as(bad[i], strlen(bad[i]), OB_IMPORT_CHECKED);
        if (strncmp(got, "pdq=8460 -  ;bad list \"a\", record 2: ", 37))
            fail_msg("%s: %s", bad[i], got);
    }
}

/* Hashes, states and numbers of what is around, in lines, whole documents and such as are too long
 * to be read whole. */
static void records_in_records_lose_nothing(void **s)
{
    (void)s;
    assert_string_equal(READ("{\"value\":[{\"id\":\"1\",\"md5\":\"" MD5 "\",\"images\":[]},{\"id\":"
                             "\"2\",\"md5\":\"" MD5B "\"}]}"),
                        "+md5 1  ;+md5 2  ;");
    assert_string_equal(READ("[{\"id\":\"1\",\"hashes\":[{\"md5\":\"" MD5 "\"},\"" A
                             "\"],\"state\":\"withdrawn\"},{\"md5\":\"" MD5B "\"}]"),
                        " 1  withdrawn;+md5 1  withdrawn;pdq=8460 1  withdrawn;+md5 -  ;");
    assert_string_equal(
        READ("{\"md5\":\"" MD5
             "\"}\n{\"id\":\"1\",\"source\":\"S\",\"category\":\"A1\",\"md5\":\"" MD5
             "\",\"hashes\":[{\"type\":\"sha1\",\"value\":\"" SHA1
             "\"},{\"id\":\"3\",\"media\":[{\"md5\":\"" MD5B "\",\"source\":\"T\"}]}]}\n"),
        "+md5 -  ;+md5 1 S A1;+sha1 1 S A1;+md5 3 T A1;");
    assert_string_equal(READ("[{\"md5\":\"" MD5 "\",\"images\":[{\"url\":\"x\"},\"a.jpg\",7]}]"),
                        "+md5 -  ;");
    assert_non_null(
        strstr(READ("[{\"id\":\"1\",\"state\":\"pending\",\"hashes\":[{\"md5\":\"" MD5 "\"}]}]"),
               "state \"pending\""));
    assert_string_equal(READ("{\"status\":\"ok\",\"data\":[{\"md5\":\"" MD5 "\"}]}"), "+md5 -  ;");
    assert_string_equal(READ("{\"id\":\"1\",\"images\":[],\"withdrawn\":true}"), " 1  withdrawn;");
}

#define LONG "\"note\":\"0123456789012345678901234567890123456789\""

static void a_record_in_parts_gives_what_stands_before_and_refuses_what_stands_behind(void **s)
{
    (void)s;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{\"value\" : [ {\"md5\":\"" MD5 "\"} , {\"md5\":\"" MD5B "\"} ] , \"next\" : 7 }",
         "+md5 -  ;+md5 -  ;"},
        {"[{\"id\":\"1\",\"state\":\"withdrawn\",\"md5\":\"" MD5 "\",\"hashes\":[{\"md5\":\"" MD5B
         "\"},{" LONG ",\"md5\":\"" MD5B "\"}],\"x\":{\"a\":[1]}},{\"md5\":\"" MD5 "\"}]",
         "+md5 1  withdrawn;+md5 1  withdrawn;+md5 1  withdrawn;+md5 -  ;"},
        {"[{\"id\":\"1\",\"media\":[{\"md5\":\"" MD5 "\"}],\"images\":[{\"md5\":\"" MD5B
         "\"}]},{\"id\":\"2\",\"media\":[{\"images\":[{" LONG ",\"md5\":\"" MD5 "\"}]}]}]",
         "+md5 1  ;+md5 1  ;+md5 2  ;"},
    };
    for (size_t most = 60; most < 400; most += 20)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            whole_most = most;
            const char *got = read_as(cases[i].text, strlen(cases[i].text), OB_IMPORT_CHECKED);
            if (most >= 120 && strcmp(got, cases[i].expected) != 0)
                fail_msg("%zu, %s: %s", most, cases[i].text, got);
        }
    static const char *const behind[] = {"\"state\":\"withdrawn\"", "\"state\":\"pending\"",
                                         "\"md5\":\"" MD5B "\"", "\"id\":\"1\"",
                                         "\"state\":\"withdrawn\",\"media\":[]"};
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "[{" LONG ",\"hashes\":[{\"md5\":\"%s\"}],%s},{\"md5\":\"%s\"}]", MD5, behind[i],
                 MD5);
        whole_most = 100;
        const char *got = read_as(text, strlen(text), OB_IMPORT_CHECKED);
        if (strncmp(got, "+md5 -  ;refused list \"a\", record 2: it is too long to be", 50) != 0)
            fail_msg("%s: %s", text, got);
    }
    whole_most = 0;
}

static void commas_stand_between_records_and_nowhere_else(void **s)
{
    (void)s;
    static const char *const bad[] = {
        "{\"value\":[{\"md5\":\"" MD5 "\"} {\"md5\":\"" MD5B "\"}]}",
        "{\"value\":[{\"md5\":\"" MD5 "\"}], junk }",
        "[{\"md5\":\"" MD5 "\"} {\"md5\":\"" MD5B "\"}]",
        "[{\"md5\":\"" MD5 "\"},,{\"md5\":\"" MD5B "\"}]",
        "[,{\"md5\":\"" MD5 "\"}]",
        "[{\"md5\":\"" MD5 "\"},]",
    };
    for (size_t most = 0; most <= 60; most += 60)
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            whole_most = most;
            const char *got = read_as(bad[i], strlen(bad[i]), OB_IMPORT_CHECKED);
            if (!strstr(got, "bad list") && !strstr(got, "refused list"))
                fail_msg("%s: %s", bad[i], got);
        }
    whole_most = 0;
}

/* A record of any size, and any depth, costs no more memory than one that is kept. */
static void a_record_without_end_is_forgotten_not_kept(void **s)
{
    (void)s;
    const size_t size = 8 << 20;
    char *text = malloc(size + 300);
    assert_non_null(text);
    strcpy(text, "[{\"x\":\"");
    memset(text + 7, 'a', size);
    snprintf(text + 7 + size, 200, "\"},{\"pdq\":\"%s\"}]", A);
    const char *got = read_as(text, strlen(text), OB_IMPORT_CHECKED);
    assert_string_equal(got, "bad list \"a\", record 1: longer than 1048576 bytes;pdq=8460 -  ;");
    memset(text, '[', size);
    text[size] = '\0';
    got = read_as(text, size, OB_IMPORT_CHECKED);
    assert_non_null(strstr(got, "nested too deep"));
    free(text);
}

/* ---- XML ------------------------------------------------------------------------------------- */

#define HEAD                                                                                       \
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"                              \
    "<queryResult xmlns=\"https://hashsharing.ncmec.org/hashsharing/v2\">"

static void entries_of_ncmec_are_read(void **s)
{
    (void)s;
    assert_string_equal(
        READ(HEAD
             "<images count=\"2\" maxTimestamp=\"2017-10-24T15:10:00Z\"><image>"
             "<member id=\"42\">Example &amp; Co</member><timestamp>t</timestamp><id>image1</id>"
             "<classification>A1</classification><fingerprints><md5>" MD5 "</md5><sha1>" SHA1
             "</sha1><pdna>a1a1</pdna><pdq>" A "</pdq></fingerprints><feedback>"
             "<members><member id=\"9\">Other</member></members></feedback></image>"
             "<deletedImage><member id=\"43\">B</member><id>image4</id></deletedImage></images>"
             "<videos><video><id>v</id><fingerprints><md5>" MD5 "</md5><tmk-pdqf rel=\"self\" "
             "href=\"/v2/x\"/></fingerprints></video></videos></queryResult>"),
        "pdq=8460+md5+sha1 image1 Example & Co A1; image4 B withdrawn;+md5 v  ;");
    assert_string_equal(told.shape, "XML");
    assert_true(has_column("md5", true) && has_column("timestamp", false));
}

static void xml_brings_no_entities_and_no_document_type(void **s)
{
    (void)s;
    const char *got =
        READ("<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a SYSTEM \"/etc/passwd\">]>"
             "<queryResult><images><image><id>&a;</id></image></images></queryResult>");
    assert_non_null(strstr(got, "it has a document type"));
    assert_null(strstr(got, "root"));
    assert_non_null(strstr(READ(HEAD "<image><id>&a;</id></image>"), "undefined entity"));
    assert_non_null(strstr(READ(HEAD "<images><image>"), "record 1: not XML that is read"));
    char deep[4096] = "";
    for (int i = 0; i < 1000; i++)
        strcat(deep, "<a>");
    assert_non_null(strstr(read_as(deep, strlen(deep), OB_IMPORT_CHECKED), "nested too deep"));
}

/* ---- Codings --------------------------------------------------------------------------------- */

static size_t as_utf16(uint8_t *to, const char *text, bool big, bool mark)
{
    size_t size = 0;
    if (mark) {
        to[size++] = big ? 0xFE : 0xFF;
        to[size++] = big ? 0xFF : 0xFE;
    }
    for (; *text; text++) {
        to[size++] = big ? 0 : (uint8_t)*text;
        to[size++] = big ? (uint8_t)*text : 0;
    }
    return size;
}

static size_t as_gzip(uint8_t *to, size_t room, const void *bytes, size_t size)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (uint8_t *)(uintptr_t)bytes;
    z.avail_in = (uInt)size;
    z.next_out = to;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

/* A tag or a comment is told only once it has ended. */
static void xml_that_does_not_end_what_it_began_is_not_read_on(void **s)
{
    (void)s;
    static const char *const starts[] = {"<l><!--", "<l a=\"", "<l><?x "};
    const size_t size = 4 << 20;
    char *text = malloc(size);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        memset(text, 'a', size);
        memcpy(text, starts[i], strlen(starts[i]));
        const char *got = read_as(text, size, OB_IMPORT_CHECKED);
        assert_non_null(strstr(got, "a tag or a comment is longer than 1 MiB"));
    }
    memset(text, 'a', size);
    strcpy(text, "<l>");
    text[3] = 'a';
    memcpy(text + size - 4, "</l>", 4);
    assert_string_equal(read_as(text, size, OB_IMPORT_CHECKED), "");
    free(text);
}

static void utf_16_is_read_in_both_orders_with_and_without_a_mark(void **s)
{
    (void)s;
    uint8_t bytes[1024];
    for (int i = 0; i < 4; i++) {
        size_t size = as_utf16(bytes, "pdq;id\r\n" A ";7\r\n", i & 1, i & 2);
        assert_string_equal(read_as(bytes, size, OB_IMPORT_CHECKED), "pdq=8460 7  ;");
        assert_string_equal(told.shape, "CSV with semicolons, UTF-16");
    }
    /* an id of one letter above U+FFFF, then one that is half of such a letter */
    size_t size = as_utf16(bytes, "pdq;id\n" A ";xx\n", false, true);
    memcpy(bytes + size - 6, "\x3D\xD8\x00\xDE", 4);
    assert_string_equal(read_as(bytes, size, OB_IMPORT_CHECKED), "pdq=8460 \xF0\x9F\x98\x80  ;");
    memcpy(bytes + size - 6, "\x3D\xD8\x78\x00", 4);
    assert_non_null(strstr(read_as(bytes, size, OB_IMPORT_CHECKED), "an id is not UTF-8"));
    assert_non_null(strstr(read_as(bytes, size - 1, OB_IMPORT_CHECKED), "an id is not UTF-8"));
}

static void gzip_is_read_also_in_several_parts(void **s)
{
    (void)s;
    uint8_t packed[1024], wide[512];
    size_t size = as_gzip(packed, sizeof packed, A "\n", 65);
    size += as_gzip(packed + size, sizeof packed - size, B "\n", 65);
    assert_string_equal(read_as(packed, size, OB_IMPORT_CHECKED), "pdq=8460 -  ;pdq=d460 -  ;");
    assert_string_equal(told.shape, "one hash a line, gzip");
    assert_non_null(
        strstr(read_as(packed, size - 9, OB_IMPORT_CHECKED), "the gzip file is cut short"));
    packed[20] ^= 0xFF;
    assert_non_null(strstr(read_as(packed, size, OB_IMPORT_CHECKED), "the gzip file is damaged"));
    size = as_gzip(packed, sizeof packed, wide, as_utf16(wide, A "\n", false, true));
    assert_string_equal(read_as(packed, size, OB_IMPORT_CHECKED), "pdq=8460 -  ;");
    assert_string_equal(told.shape, "one hash a line, UTF-16, gzip");
}

static void gzip_that_expands_as_no_list_does_is_not_read_to_its_end(void **s)
{
    (void)s;
    const size_t size = 80 << 20;
    uint8_t *zeros = calloc(1, size), *packed = malloc(1 << 20);
    assert_true(zeros && packed);
    memset(zeros, '\n', size);
    const size_t length = as_gzip(packed, 1 << 20, zeros, size);
    assert_non_null(
        strstr(read_as(packed, length, OB_IMPORT_CHECKED), "expands more than 200-fold"));
    free(zeros);
    free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_may_be_named_and_have_more_behind_it),
        cmocka_unit_test(what_64_digits_are_can_be_said),
        cmocka_unit_test(columns_may_be_separated_by_anything_and_called_as_the_field_does),
        cmocka_unit_test(a_column_may_say_which_kind_its_row_has),
        cmocka_unit_test(states_of_any_name_are_known_or_refused),
        cmocka_unit_test(a_withdrawn_entry_may_be_told_by_its_number_alone),
        cmocka_unit_test(hashes_that_were_cut_or_made_numbers_are_named),
        cmocka_unit_test(a_file_that_is_no_list_is_told_once),
        cmocka_unit_test(json_is_read_as_lines_as_an_array_and_as_a_document),
        cmocka_unit_test(an_exchange_of_stopncii_is_read),
        cmocka_unit_test(a_set_of_project_vic_is_read_also_below_its_cases),
        cmocka_unit_test(updates_and_descriptors_of_threatexchange_are_read),
        cmocka_unit_test(signals_of_hma_are_read),
        cmocka_unit_test(damaged_json_is_one_bad_record_and_an_end),
        cmocka_unit_test(a_record_without_end_is_forgotten_not_kept),
        cmocka_unit_test(entries_of_ncmec_are_read),
        cmocka_unit_test(xml_brings_no_entities_and_no_document_type),
        cmocka_unit_test(an_entry_is_withdrawn_where_anything_says_so),
        cmocka_unit_test(a_state_that_cannot_be_read_is_a_bad_record),
        cmocka_unit_test(every_hash_of_an_entry_is_kept),
        cmocka_unit_test(what_is_walked_past_is_named),
        cmocka_unit_test(records_in_records_lose_nothing),
        cmocka_unit_test(a_record_in_parts_gives_what_stands_before_and_refuses_what_stands_behind),
        cmocka_unit_test(commas_stand_between_records_and_nowhere_else),
        cmocka_unit_test(xml_that_does_not_end_what_it_began_is_not_read_on),
        cmocka_unit_test(utf_16_is_read_in_both_orders_with_and_without_a_mark),
        cmocka_unit_test(gzip_is_read_also_in_several_parts),
        cmocka_unit_test(gzip_that_expands_as_no_list_does_is_not_read_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
