/* obhut-worker-heif: the same for AVIF and HEIC, whose libraries start threads. */
#include <obhut/sandbox.h>

#include <malloc.h>
#include <time.h>

#include <libheif/heif.h>

static void prepare(void)
{
    mallopt(M_ARENA_MAX, 1); /* arenas of threads shrink by a look into /proc */
    tzset();                 /* lcms2 asks what day it is */
    heif_init(NULL);         /* registers decoders, which may look for files */
}

int main(int argc, char **argv)
{
    (void)argc;
    const ob_worker_program program = {
        .profile = OB_PROFILE_WORKER_THREADS, .hash = ob_media_hash_heif, .prepare = prepare};
    return ob_worker_serve(argv, &program);
}
