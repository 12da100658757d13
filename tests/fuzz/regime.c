/* Any bytes as a law of one's own: explained or refused with a sentence, never used. */
#include <obhut/law.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char situation[] =
    "{\"mode\":\"production\",\"at\":\"2026-11-02T12:00:00Z\",\"regime\":\"%s\",\"service\":{"
    "\"kind\":"
    "\"hosting\"},\"item\":{\"id\":\"i\",\"account\":\"a\",\"media\":\"image\",\"surface\":"
    "\"public\","
    "\"encryption\":\"transport\",\"locus\":\"server\"},\"detector\":\"known\",\"basis\":"
    "\"public\","
    "\"conversation\":{\"protected\":\"no\"},\"detector_health\":{\"state\":\"on\"},\"host\":{"
    "\"clock\":"
    "\"ok\",\"audit\":\"ok\"},\"policy\":{\"bases\":[\"public\"],\"detectors\":[\"known\"],"
    "\"surfaces\":"
    "[\"public\"]},\"list\":{\"trust\":\"signed\",\"purpose\":\"csam\"}}";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ob_law_file *file = NULL;
    ob_error err = {0};
    if (ob_law_file_read(&file, (const char *)bytes, size, &err)) {
        if (!*err.text)
            abort();
        return 0;
    }
    const ob_regime *regime = ob_law_file_regime(file);
    json_t *s = json_loads(situation, 0, NULL);
    json_object_set_new(s, "regime", json_string(regime->id));
    json_t *answer = ob_law_explain(s, &(ob_law_question){.regime = file});
    const ob_regime *built_in = ob_regime_find(ob_law_regimes(), regime->id);
    bool same = built_in && !memcmp(built_in->digest, regime->digest, sizeof regime->digest);
    if (!answer ||
        (!same && strcmp(json_string_value(json_object_get(answer, "decision")), "deny") != 0))
        abort();
    json_decref(answer);
    json_decref(s);
    ob_law_file_free(file);
    return 0;
}
