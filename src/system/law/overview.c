/* The regimes that are built in, as people want to see them. */
#include "law_priv.h"

static const char *state_of(const ob_regime *regime, int64_t at)
{
    if (regime->status != OB_STATUS_IN_FORCE)
        return regime->status == OB_STATUS_PROPOSAL ? "proposal" : "unverified";
    return at < regime->from ? "not_yet" : at >= regime->until ? "expired" : "in_force";
}

static json_t *instant(int64_t at)
{
    char text[OB_TIME_TEXT + 1];
    if (at == INT64_MIN || at == INT64_MAX)
        return json_null();
    ob_time_print(text, at);
    return json_string(text);
}

static json_t *digest_text(const uint8_t digest[32])
{
    char text[65];
    ob_hex(text, digest, 32);
    return json_string(text);
}

static json_t *countries_of(const ob_regime *regime)
{
    json_t *array = json_array();
    for (const char *p = regime->countries; *p; p += p[2] ? 3 : 2)
        json_array_append_new(array, json_stringn(p, 2));
    return array;
}

static json_t *regime_json(const ob_regime *r, int64_t at)
{
    static const char *const kinds[] = {"rule", "derogation", "proposal"};
    json_t *object = json_pack("{s:s, s:s, s:s, s:s}", "id", r->id, "title", r->title, "kind",
                               kinds[r->kind], "state", state_of(r, at));
    json_object_set_new(object, "from", instant(r->from));
    json_object_set_new(object, "until", instant(r->until));
    bool ends = r->status == OB_STATUS_IN_FORCE && r->until != INT64_MAX && at < r->until;
    json_object_set_new(object, "days_left",
                        ends ? json_integer((json_int_t)((r->until - at) / 86400)) : json_null());
    json_object_set_new(object, "countries", countries_of(r));
    json_object_set_new(object, "displaces",
                        *r->displaces ? json_string(r->displaces) : json_null());
    json_object_set_new(object, "orders", json_boolean(r->bases >> OB_BASIS_ORDER & 1));
    json_object_set_new(object, "digest", digest_text(r->digest));
    return object;
}

json_t *ob_law_overview(int64_t at)
{
    const ob_regimes *all = ob_law_regimes();
    json_t *array = json_array();
    for (size_t i = 0; i < all->count; i++)
        json_array_append_new(array, regime_json(&all->regime[i], at));
    return json_pack("{s:o, s:o, s:o, s:o}", "regimes", array, "digest",
                     digest_text(ob_law_regimes_digest), "floor_digest",
                     digest_text(ob_law_floor_digest), "built_at", instant(ob_law_built_at));
}
