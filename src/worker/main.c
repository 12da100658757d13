/* obhut-worker: decodes and hashes whatever it is given, confined. Started by obhut and obhutd
 * only. */
#include <obhut/sandbox.h>

int main(int argc, char **argv)
{
    (void)argc;
    return ob_worker_serve(argv, OB_PROFILE_WORKER, ob_media_hash, NULL);
}
