/* obhut-worker: decodes and hashes whatever it is given, confined. Started by obhut and obhutd
 * only. */
#include <obhut/sandbox.h>

int main(void)
{
    return ob_worker_serve(OB_PROFILE_WORKER, ob_media_hash, NULL);
}
