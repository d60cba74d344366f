/* A handler that forks, which OCaml's own, run between calls, are not. */

#include <caml/mlvalues.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

static volatile pid_t forked = -1;

static void fork_now(int signal)
{
    (void)signal;
    alarm(30);
    forked = fork();
    /* In the middle of a call there is no OCaml to go back to. */
    if (forked == 0) _exit(0);
}

value forking_fork_at_alarm(value unit)
{
    struct sigaction action = {.sa_handler = fork_now, .sa_flags = SA_RESTART | SA_RESETHAND};
    sigaction(SIGALRM, &action, NULL);
    return unit;
}

value forking_forked(value unit)
{
    (void)unit;
    return Val_long(forked);
}
