/* Detectors by their ids. */
#include <obhut/regimes.h>

#include <string.h>

unsigned ob_detector_count(void)
{
    unsigned count = 0;
    while (count < OB_DETECTORS_MOST && ob_law_detectors[count].id)
        count++;
    return count;
}

bool ob_detector_parse(ob_detector *out, const char *id)
{
    for (ob_detector d = 0; d < OB_DETECTORS_MOST && ob_law_detectors[d].id; d++)
        if (!strcmp(ob_law_detectors[d].id, id)) {
            *out = d;
            return true;
        }
    return false;
}
