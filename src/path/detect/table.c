/* The table of detectors as people read it. */
#include "detect_priv.h"

/* "image, text", or "everything". */
static ob_status print_media(ob_buf *out, uint32_t media, ob_error *err)
{
    const char *between = "";
    if (media == OB_EVERY_MEDIA)
        return ob_buf_printf(out, err, "everything");
    ob_status status = OB_OK;
    for (unsigned m = 0; m < OB_MEDIA_COUNT && !status; m++)
        if (media >> m & 1) {
            status = ob_buf_printf(out, err, "%s%s", between, ob_word_name(OB_WORD_MEDIA, m));
            between = ", ";
        }
    return status;
}

static ob_status print_row(ob_buf *out, const ob_detector_class *class,
                           const ob_detector_spec *spec, ob_error *err)
{
    ob_status status = ob_buf_printf(out, err, "| `%s` | %s | ", spec->id,
                                     ob_word_name(OB_WORD_MATERIAL, spec->material));
    if (!status)
        status = print_media(out, class->media, err);
    return status ? status
                  : ob_buf_printf(out, err, " | %s | %s | %u | %s |\n",
                                  ob_extract_name(class->extract),
                                  ob_word_name(OB_WORD_STATE, spec->state), spec->bound_per_million,
                                  spec->about);
}

ob_status ob_detectors_table(ob_buf *out, const ob_detectors *all, ob_error *err)
{
    ob_status status = ob_buf_printf(
        out, err,
        "| detector | looks for | takes | a worker takes from it | shipped | bound | what it is "
        "|\n|---|---|---|---|---|---|---|\n");
    for (ob_detector d = 0; d < ob_detector_count() && !status; d++)
        if (all->of[d])
            status = print_row(out, all->of[d], &ob_law_detectors[d], err);
    return status;
}
