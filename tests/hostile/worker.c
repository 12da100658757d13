/* A worker whose decoder has been taken over: the first byte of the file says what it tries. It is
 * confined by the same code as the real one. */
#include <obhut/sandbox.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int sink;
static volatile unsigned long turns;

static void *nothing(void *argument)
{
    return argument;
}

static void send_two(void)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    char byte = 0;
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    const int files[2] = {OB_WORKER_CHANNEL, OB_WORKER_CHANNEL};
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof files);
    memcpy(CMSG_DATA(head), files, sizeof files);
    sink = (int)sendmsg(OB_WORKER_CHANNEL, &message, MSG_NOSIGNAL);
}

static ob_status attempt(char what, ob_media_result *out)
{
    static char *const none[] = {NULL};
    pthread_t thread;
    char bytes[64];
    switch (what) {
    case 'o':
        sink = open("/etc/passwd", O_RDONLY);
        break;
    case 'O':
        sink = open("/tmp/obhut-hostile", O_RDWR | O_CREAT, 0600);
        break;
    case 's':
        sink = socket(AF_INET, SOCK_STREAM, 0);
        break;
    case 'u':
        sink = socket(AF_UNIX, SOCK_STREAM, 0);
        break;
    case 'f':
        sink = fork();
        break;
    case 't':
        sink = pthread_create(&thread, NULL, nothing, NULL);
        break;
    case 'x':
        sink = execve("/bin/true", none, none);
        break;
    case 'p':
        sink = (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
        break;
    case 'k':
        sink = kill(-1, 0);
        break;
    case 'e':
        sink = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                    0) == MAP_FAILED;
        break;
    case 'w':
        sink = (int)write(2, "leak", 4);
        break;
    case 'r':
        sink = (int)read(0, bytes, sizeof bytes);
        break;
    case 'd': /* the channel's other place */
        sink = (int)send(OB_WORKER_CHANNEL + 1, "x", 1, 0);
        break;
    case 'D': /* an answer with two descriptors; and it lives on */
        send_two();
        break;
    case 'l':
        for (;;)
            turns++;
    case 'z': /* asleep: the processor's clock stands still */
        pause();
        break;
    case 'a':
        for (char *p; (p = malloc(16 << 20)) != NULL;)
            *p = 1;
        return OB_ENOMEM;
    case 'c':
        raise(SIGSEGV);
        break;
    case 'n':
        *(volatile int *)(uintptr_t)(sink - 1) = 0;
        break;
    case 'q':
        exit(0);
    case 'g': /* an answer that makes no sense */
        memset(out, 0xEE, sizeof *out);
        return OB_OK;
    case 'G':
        return (ob_status)12345;
    default:
        break;
    }
    return OB_OK;
}

static ob_status hash(ob_media_result *out, const uint8_t *bytes, size_t size,
                      const ob_media_options *options, ob_error *err)
{
    (void)size;
    (void)options;
    *out = (ob_media_result){
        .format = OB_FORMAT_PNG, .width = 1, .height = 1, .orientation = 1, .frames = 1};
    ob_status status = attempt((char)bytes[0], out);
    return status ? ob_fail(err, status, "said the hostile one\033[31m") : OB_OK;
}

int main(void)
{
    return ob_worker_serve(OB_PROFILE_WORKER, hash, NULL);
}
