/* obhut-worker: decodes and hashes whatever it is given, confined. Started by obhut and obhutd
 * only. */
#include <obhut/sandbox.h>

#include <time.h>

/* lcms2 asks what day it is, for which the C library reads the time zone: once, and now. */
static void prepare(void)
{
    tzset();
}

int main(int argc, char **argv)
{
    (void)argc;
    const ob_worker_program program = {
        .profile = OB_PROFILE_WORKER, .hash = ob_media_hash, .prepare = prepare};
    return ob_worker_serve(argv, &program);
}
