/* A peer for comparison with mailsetup: a minimal FastCGI responder. Answers every request with the
 * same bytes, on libfcgi.
 *
 *   responder SOCKET FILE PROCESSES
 *
 * FILE contains the response in the form of CGI output. libfcgi serves one connection at a time and
 * a kept one for as long as it is open, so there must be as many processes as the web server has
 * connections. They end with the first one. */

#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static char answer[65536];

static void serve(int listener, int length)
{
    FCGX_Request request;

    if (FCGX_InitRequest(&request, listener, 0) != 0) {
        exit(1);
    }
    while (FCGX_Accept_r(&request) == 0) {
        FCGX_PutStr(answer, length, request.out);
        FCGX_Finish_r(&request);
    }
    exit(1);
}

int main(int argc, char **argv)
{
    FILE *file;
    int listener, length, left;

    if (argc != 4 || (file = fopen(argv[2], "rb")) == NULL) {
        fprintf(stderr, "usage: responder SOCKET FILE PROCESSES\n");
        return 2;
    }
    length = (int)fread(answer, 1, sizeof answer, file);
    fclose(file);
    if (FCGX_Init() != 0 || (listener = FCGX_OpenSocket(argv[1], 1024)) < 0) {
        return 1;
    }
    for (left = atoi(argv[3]); left > 0; left--) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            serve(listener, length);
        }
    }
    for (;;) {
        pause();
    }
}
