/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-error.h"
#include "cli-signals.h"
#include "cli-text.h"

#include <fcntl.h>
#include <locale.h>
#include <shndarray/shndarray.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const CliCommand commands[] = {
  { "list", "List the shared arrays", cli_list_run },
  { "info", "Tell all about an array, or a .npy file", cli_info_run },
  { "watch", "Show live which arrays change", cli_watch_run },
  { "create", "Make an array", cli_create_run },
  { "load", "Make an array of a .npy file or an image", cli_load_run },
  { "save", "Write an array to a .npy file", cli_save_run },
  { "copy", "Make an array of another one", cli_copy_run },
  { "rm", "Remove arrays", cli_rm_run },
  { "reap", "Remove the arrays that are orphaned", cli_reap_run },
  { "lock", "Run a command with the lock of an array", cli_lock_run },
  { "wait", "Wait for an array, or for a change of it", cli_wait_run },
  { "show", "Draw an array as a picture", cli_show_run },
  { "publish", "Publish files as frames", cli_publish_run },
  { "subscribe", "Show or save the frames that are published", cli_subscribe_run },
  { "top", "Show live how streams of frames go", cli_top_run },
};

static void
print_help (FILE *file)
{
  fputs ("Usage: shnd COMMAND [OPTION…] [OPERAND…]\n\n"
         "Shows, moves and cleans shared arrays, and the frames that are published.\n\n"
         "Commands:\n",
         file);
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (file, "  %-10s  %s\n", commands[i].name, commands[i].summary);
  fputs (
      "\n“shnd COMMAND --help” tells more about one of them; “shnd --version” which version this "
      "is.\nAll of it is in shnd(1).\n",
      file);
}

static const CliCommand *
find_command (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      if (g_str_equal (commands[i].name, name))
        return &commands[i];
    }

  return NULL;
}

/* Calls a command as "shnd COMMAND", with the arguments that follow. */
static int
run_command (const char *name, int argc, char **argv, GError **error)
{
  const CliCommand *command = find_command (name);
  g_autofree char *title = NULL;
  g_autofree char **arguments = NULL;

  if (command == NULL)
    {
      cli_set_usage_error (error, "“%s” is not a command: see “shnd --help”", name);
      return CLI_EXIT_FAILURE;
    }

  title = g_strdup_printf ("shnd %s", name);
  arguments = g_new0 (char *, argc + 2);
  arguments[0] = title;
  for (int i = 0; i < argc; i++)
    arguments[i + 1] = argv[i];

  return command->run (argc + 1, arguments, error);
}

static int
run (int argc, char **argv, GError **error)
{
  const char *first = argc > 1 ? argv[1] : NULL;
  static char help_option[] = "--help";
  char *help = help_option;

  if (first == NULL)
    {
      print_help (stderr);
      return CLI_EXIT_USAGE;
    }
  if (g_str_equal (first, "--version") || g_str_equal (first, "-V"))
    {
      puts ("shnd " SHND_VERSION_S);
      return CLI_EXIT_SUCCESS;
    }
  if (g_str_equal (first, "help") && argc > 2)
    return run_command (argv[2], 1, &help, error);
  if (g_str_equal (first, "--help") || g_str_equal (first, "-h") || g_str_equal (first, "help"))
    {
      print_help (stdout);
      return CLI_EXIT_SUCCESS;
    }

  return run_command (first, argc - 2, argv + 2, error);
}

/* What the program opens must not get the number of a standard stream that is closed: it would be
 * written to. In its place is what can be used for nothing. */
static void
occupy_standard_streams (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    {
      if (fcntl (fd, F_GETFD) < 0)
        (void) !open ("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int status;

  occupy_standard_streams ();

  /* Not the rest: numbers are written the same everywhere. */
  setlocale (LC_CTYPE, "");
  cli_signals_start ();

  status = run (argc, argv, &error);
  if (error == NULL && !cli_text_flush (&error))
    status = CLI_EXIT_FAILURE;

  /* Of what a signal has ended nothing is to be said. */
  cli_signals_finish ();

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE))
    {
      /* As if something in the libraries had not kept the signal away. */
      signal (SIGPIPE, SIG_DFL);
      raise (SIGPIPE);
    }
  if (error != NULL)
    {
      cli_error_print (error);
      status = cli_error_get_exit (error);
    }

  return status;
}
