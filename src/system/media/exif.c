/* EXIF data by libexif. */
#include "media_priv.h"

#include <stdlib.h>
#include <string.h>

#include <libexif/exif-data.h>

unsigned media_exif_orientation(const uint8_t *bytes, size_t size)
{
    static const uint8_t mark[6] = "Exif\0";
    enum { MOST = 1 << 16 }; /* more fits into no JPEG */
    if (!bytes || !size || size > MOST)
        return 1;
    bool marked = size >= sizeof mark && !memcmp(bytes, mark, sizeof mark);
    ob_buf whole = {0};
    unsigned orientation = 1;
    ob_status status = marked ? OB_OK : ob_buf_append(&whole, mark, sizeof mark, NULL);
    if (!status)
        status = ob_buf_append(&whole, bytes, size, NULL);
    ExifData *data = status ? NULL : exif_data_new();
    if (data) {
        exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
        exif_data_set_option(data, EXIF_DATA_OPTION_DONT_CHANGE_MAKER_NOTE);
        exif_data_load_data(data, (const unsigned char *)whole.bytes, (unsigned)whole.size);
        ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
        if (entry && entry->format == EXIF_FORMAT_SHORT && entry->components == 1 && entry->data)
            orientation = exif_get_short(entry->data, exif_data_get_byte_order(data));
        exif_data_unref(data);
    }
    ob_buf_free(&whole);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}
