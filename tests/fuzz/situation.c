/* Any bytes as a situation: an answer that is whole. */
#include <obhut/law.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    json_t *s = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
    const ob_law_question question = {.what_if = size % 4 == 0};
    json_t *answer = ob_law_explain(s, &question);
    const char *decision = json_string_value(json_object_get(answer, "decision"));
    bool allow = decision && !strcmp(decision, "allow");
    if (!decision || allow != !json_object_get(answer, "reason") ||
        (allow && !json_is_string(json_object_get(answer, "article"))))
        abort();
    ob_buf letter = {0};
    if (ob_law_letter(&letter, s, &question, size % 2 ? OB_GERMAN : OB_ENGLISH, NULL) ||
        !letter.size)
        abort();
    ob_buf_free(&letter);
    json_decref(answer);
    json_decref(s);
    return 0;
}
