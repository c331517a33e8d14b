/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-error.h"
#include "cli-options.h"
#include "cli-signals.h"
#include "cli-source.h"
#include "cli-text.h"

#include <errno.h>
#include <fcntl.h>
#include <shndarray/shndarray.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* As a shell ends. */
#define EXIT_CANNOT_RUN 126
#define EXIT_NO_COMMAND 127
#define EXIT_SIGNAL 128

#define RECOVERED_VARIABLE "SHND_LOCK_RECOVERED"

/* The array whose lock is not given back. */
static ShndArray *kept;

static char *timeout_text;
static gboolean no_wait;
static int conflict_exit = CLI_EXIT_TIMED_OUT;

static const GOptionEntry entries[] = {
  { "timeout", 't', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &timeout_text,
    "Give up if the lock is not free within this time", "SECONDS" },
  { "nonblock", 'n', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &no_wait,
    "Give up if the lock is not free now", NULL },
  { "conflict-exit-code", 'E', G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &conflict_exit,
    "How to end if the lock was not free (default: 4)", "NUMBER" },
  G_OPTION_ENTRY_NULL
};

static const CliOptions options = {
  .operands = "NAME -- COMMAND [ARGUMENT…]",
  .description = "Takes the lock of an array, and runs a command while it has it.",
  .notes = "Ends as the command does; with 128 + N if that died of signal N, 126 if it cannot be "
           "run and 127 if it\nis not found. The lock goes back when the command ends, also if "
           "processes that it has started go on.\n\nIf the last owner of the lock died with it, "
           "the elements may be half written: then a message says so,\nand the command has "
           "SHND_LOCK_RECOVERED=1 in its environment; so has the next one if it fails.\nA command "
           "that is killed is such an owner.",
  .entries = entries,
  .shared_entries = cli_source_owner_entries,
  .min_operands = 2,
  .max_operands = G_MAXUINT,
  .strict = TRUE,
};

/* What follows NAME, and maybe "--". */
static char **
find_command (char **operands, GError **error)
{
  char **command = operands + 1;

  if (g_str_equal (*command, "--"))
    command++;
  else if (**command == '-')
    {
      cli_set_usage_error (error,
                           "“%s” follows NAME: expected “--” and a command; options are "
                           "before NAME",
                           *command);
      return NULL;
    }

  if (*command != NULL)
    return command;

  cli_set_usage_error (error, "Too few operands: expected %s; see “shnd lock --help”",
                       options.operands);
  return NULL;
}

static gboolean
parse_options (gint64 *timeout, GError **error)
{
  if (!cli_parse_timeout ("--timeout", timeout_text, timeout, error))
    return FALSE;
  if (conflict_exit < 0 || conflict_exit > 255)
    {
      cli_set_usage_error (error, "--conflict-exit-code “%d”: expected a number from 0 to 255",
                           conflict_exit);
      return FALSE;
    }

  if (no_wait)
    *timeout = 0;
  return TRUE;
}

/* ---- The command ---- */

/* Called in the child. */
static void
prepare (gpointer data)
{
  const pid_t *parent = data;

  cli_signals_reset ();
  /* Without the lock it must not go on. */
  prctl (PR_SET_PDEATHSIG, SIGTERM);
  if (getppid () != *parent)
    raise (SIGTERM);
}

static void
set_error (GError **error, const char *command, const GError *reason)
{
  if (g_error_matches (reason, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT))
    g_set_error (error, CLI_EXIT_STATUS_ERROR, EXIT_NO_COMMAND,
                 "There is no command “%s”: expected one in PATH, or a path", command);
  else
    g_set_error (error, CLI_EXIT_STATUS_ERROR, EXIT_CANNOT_RUN, "Cannot run “%s”: %s", command,
                 reason->message);
}

/* Runs it in the foreground. Returns 0 with an error, or if a signal has come. */
static GPid
start (char **command, gboolean recovered, GError **error)
{
  g_auto (GStrv) environment = g_environ_unsetenv (g_get_environ (), RECOVERED_VARIABLE);
  g_autoptr (GError) local_error = NULL;
  pid_t self = getpid ();
  GPid pid = 0;

  if (recovered)
    environment = g_environ_setenv (environment, RECOVERED_VARIABLE, "1", TRUE);

  cli_signals_hold ();
  if (cli_signals_get_caught () == 0 &&
      !g_spawn_async (NULL, command, environment,
                      G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH |
                          G_SPAWN_CHILD_INHERITS_STDIN | G_SPAWN_LEAVE_DESCRIPTORS_OPEN,
                      prepare, &self, &pid, &local_error))
    {
      set_error (error, *command, local_error);
      pid = 0;
    }
  cli_signals_release (pid);

  return pid;
}

static gboolean
is_stopped (GPid pid)
{
  siginfo_t info = { 0 };

  return waitid (P_PID, pid, &info, WSTOPPED | WNOWAIT | WNOHANG) == 0 && info.si_pid == pid;
}

/* The command is stopped. With Ctrl-Z all in the foreground are; but a command may stop itself alone,
 * and a shell that waits for this program has to see that. */
static void
stop_with (GPid pid)
{
  int fd = open ("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
  pid_t foreground = fd < 0 ? -1 : tcgetpgrp (fd);
  pid_t group = getpgid (pid);
  gboolean is_ours = group == getpgrp ();

  if (foreground > 0 && (foreground == group || foreground == getpgrp ()) && is_stopped (pid))
    {
      raise (SIGTSTP);

      /* Of a command in a group of its own, as another shell is, the shell knows nothing. */
      if (!is_ours && foreground == group)
        tcsetpgrp (fd, group);
      if (is_stopped (pid))
        kill (is_ours ? pid : -group, SIGCONT);
    }

  if (fd >= 0)
    close (fd);
}

/* Waits until the command has ended. Returns how to end. */
static int
wait_for (GPid pid, gboolean *was_killed)
{
  siginfo_t info = { 0 };

  for (;;)
    {
      if (waitid (P_PID, pid, &info, WEXITED | WSTOPPED | WNOWAIT) != 0)
        {
          if (errno != EINTR)
            break;
        }
      else if (info.si_code != CLD_STOPPED)
        {
          break;
        }
      else
        {
          stop_with (pid);
          /* Of this stop there is nothing more to be told. */
          waitid (P_PID, pid, &info, WSTOPPED | WNOHANG);
        }
    }

  /* As long as it has its number. */
  cli_signals_forget_child ();
  waitpid (pid, NULL, 0);

  *was_killed = info.si_code != CLD_EXITED;
  return *was_killed ? EXIT_SIGNAL + info.si_status : info.si_status;
}

int
cli_lock_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) operands = cli_options_parse (&options, argc, argv, error);
  g_autoptr (ShndArray) array = NULL;
  g_autoptr (GError) local_error = NULL;
  gboolean recovered, was_killed = FALSE;
  gint64 timeout;
  char **command;
  GPid pid;
  int status;

  if (operands == NULL || !parse_options (&timeout, error))
    return CLI_EXIT_FAILURE;

  command = find_command (operands, error);
  if (command == NULL)
    return CLI_EXIT_FAILURE;

  array = shnd_array_open (operands[0], cli_source_get_access (SHND_ACCESS_WRITE), error);
  if (array == NULL)
    return CLI_EXIT_FAILURE;

  if (!shnd_array_lock (array, timeout, cli_signals_get_cancellable (), &recovered, &local_error))
    {
      if (g_error_matches (local_error, SHND_ERROR, SHND_ERROR_TIMED_OUT))
        g_set_error_literal (error, CLI_EXIT_STATUS_ERROR, conflict_exit, local_error->message);
      else
        g_propagate_error (error, g_steal_pointer (&local_error));
      return CLI_EXIT_FAILURE;
    }

  if (recovered)
    {
      g_autofree char *name = cli_text_flatten (operands[0]);

      fprintf (stderr,
               "shnd: The last owner of the lock of “%s” died with it: its elements may be half "
               "written\n",
               name);
    }

  status = CLI_EXIT_FAILURE;
  pid = start (command, recovered, error);
  if (pid != 0)
    status = wait_for (pid, &was_killed);

  /* What the command was writing may be half done, or still be. Whoever is next is told so, as after
   * the death of an owner: this program ends without giving the lock back. */
  if (was_killed || (recovered && status != 0))
    kept = g_steal_pointer (&array);
  else
    shnd_array_unlock (array, NULL);

  return status;
}
