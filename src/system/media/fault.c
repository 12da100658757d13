/* What may be wrong with a picture: a closed list of reasons, and the sentence for each. */
#include "media_priv.h"

#include <stdio.h>
#include <string.h>

enum { ROWS_MOST = OB_PDQ_MAX_SIDE, FRAMES_MOST = OB_MEDIA_MAX_FRAMES + 1 };

static const struct {
    ob_status status;
    uint32_t at_most, of_most; /* of the two numbers */
    const char *sentence;      /* @ is the format, the # are the numbers */
} reasons[OB_MEDIA_REASONS] = {
    [OB_MEDIA_FINE] = {OB_OK, 0, 0, ""},
    [OB_MEDIA_EMPTY] = {OB_EFORMAT, 0, 0, "an empty file"},
    [OB_MEDIA_NO_PICTURE] = {OB_EFORMAT, 0, 0, "a file without any picture"},
    [OB_MEDIA_NO_PIXELS] = {OB_EFORMAT, 0, 0, "a picture without any pixels"},
    [OB_MEDIA_NO_FRAME] = {OB_EFORMAT, 0, 0, "a file without any frame"},
    [OB_MEDIA_NOT_KNOWN] = {OB_ENOTFOUND, 0, 0, "no picture of a format that is known"},
    [OB_MEDIA_OTHER_DECODER] = {OB_ENOTFOUND, 0, 0, "this is no decoder of @"},
    [OB_MEDIA_LONG_SIDE] = {OB_ELIMIT, 0, 0, "a side of more than 1048576 pixels"},
    [OB_MEDIA_PIXELS] = {OB_ELIMIT, OB_PDQ_MAX_SIDE, OB_PDQ_MAX_SIDE,
                         "# x # pixels; at most 268 million are decoded"},
    [OB_MEDIA_FRAMES_TOO_MANY] = {OB_ELIMIT, 0, 0, "more than 4096 frames"},
    [OB_MEDIA_SCANS] = {OB_ELIMIT, 0, 0, "a @ of more than 500 scans"},
    [OB_MEDIA_MEMORY] = {OB_ELIMIT, 0, 0, "this @ would take more than 1024 MiB to decode"},
    [OB_MEDIA_NO_MEMORY] = {OB_ENOMEM, 0, 0, "out of memory: decoding a @"},
    [OB_MEDIA_CUT] = {OB_EFORMAT, 0, 0, "@ cut short"},
    [OB_MEDIA_CUT_EARLY] = {OB_EFORMAT, 0, 0, "@ cut short, before the first row"},
    [OB_MEDIA_CUT_AT_ROW] = {OB_EFORMAT, ROWS_MOST, ROWS_MOST, "@ cut short, at row # of #"},
    [OB_MEDIA_CUT_AT_SCAN] = {OB_EFORMAT, OB_MEDIA_MAX_SCANS + 1, 0,
                              "progressive @ cut short, after scan #"},
    [OB_MEDIA_CUT_AT_FRAME] = {OB_EFORMAT, FRAMES_MOST, 0, "@ cut short, at frame #"},
    [OB_MEDIA_DAMAGED] = {OB_EFORMAT, 0, 0, "damaged @"},
    [OB_MEDIA_DAMAGED_AT_ROW] = {OB_EFORMAT, ROWS_MOST, ROWS_MOST, "damaged @, at row # of #"},
    [OB_MEDIA_DAMAGED_AT_FRAME] = {OB_EFORMAT, FRAMES_MOST, 0, "damaged @, at frame #"},
    [OB_MEDIA_NO_COLOURS] = {OB_EFORMAT, FRAMES_MOST, 0, "damaged @, at frame #: no colours"},
    [OB_MEDIA_KIND] = {OB_EFORMAT, 0, 0, "damaged @ or one of an unknown kind"},
    [OB_MEDIA_KIND_OF_PAGE] = {OB_EFORMAT, FRAMES_MOST, 0,
                               "damaged @ or one of an unknown kind, page #"},
    [OB_MEDIA_LIBRARY] = {OB_EFORMAT, 0, 0, "another library for @ than this was built for"},
    [OB_MEDIA_NO_HASH] = {OB_EFORMAT, 0, 0, "a picture that cannot be hashed"},
    [OB_MEDIA_UNSUPPORTED] = {OB_EUNSUPPORTED, 0, 0, "@ is not decoded"},
};

_Static_assert(OB_PDQ_MAX_SIDE == 1048576 && OB_MEDIA_MAX_PIXELS / 1000000 == 268 &&
                   OB_MEDIA_MAX_FRAMES == 4096 && OB_MEDIA_MAX_SCANS == 500 &&
                   OB_MEDIA_MAX_MEMORY >> 20 == 1024,
               "the sentences tell these limits");

bool ob_media_fault_is_sane(const ob_media_fault *f)
{
    return f->reason < OB_MEDIA_REASONS && f->format < OB_FORMATS &&
           f->at <= reasons[f->reason].at_most && f->of <= reasons[f->reason].of_most &&
           (!f->of || f->at <= f->of || f->reason == OB_MEDIA_PIXELS);
}

/* As people write it. */
static const char *written(uint32_t format)
{
    return format ? ob_format_at((ob_format)format)->title : "file";
}

static void fill(char *out, size_t room, const char *sentence, const ob_media_fault *f)
{
    uint32_t number = f->at;
    for (char *end = out + room - 1; *sentence && out < end; sentence++)
        if (*sentence == '@') {
            out = stpncpy(out, written(f->format), (size_t)(end - out));
        } else if (*sentence == '#') {
            char digits[12];
            snprintf(digits, sizeof digits, "%u", (unsigned)number);
            out = stpncpy(out, digits, (size_t)(end - out));
            number = f->of;
        } else {
            *out++ = *sentence;
        }
    *out = '\0';
}

ob_status ob_media_explain(ob_error *err, const ob_media_fault *f)
{
    if (!ob_media_fault_is_sane(f))
        return ob_fail(err, OB_EFORMAT, "damaged for a reason that is unknown");
    const ob_status status = reasons[f->reason].status;
    if (!err || !status)
        return status;
    err->status = status;
    fill(err->text, sizeof err->text, reasons[f->reason].sentence, f);
    return status;
}

static uint32_t at_most(uint32_t number, uint32_t most)
{
    return number < most ? number : most;
}

ob_status media_fail_at(ob_media_fault *fault, ob_media_reason reason, uint32_t at, uint32_t of)
{
    ob_media_fault f = {.reason = reason,
                        .at = at_most(at, reasons[reason].at_most),
                        .of = at_most(of, reasons[reason].of_most)};
    if (f.of && reason != OB_MEDIA_PIXELS)
        f.at = at_most(f.at, f.of);
    if (fault)
        *fault = f;
    return reasons[reason].status;
}

ob_status media_fail(ob_media_fault *fault, ob_media_reason reason)
{
    return media_fail_at(fault, reason, 0, 0);
}

ob_status media_hashed(ob_status status, ob_media_fault *fault)
{
    if (!status)
        return OB_OK;
    return media_fail(fault, status == OB_ENOMEM ? OB_MEDIA_NO_MEMORY : OB_MEDIA_NO_HASH);
}
