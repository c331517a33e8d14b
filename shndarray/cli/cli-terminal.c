/* SPDX-License-Identifier: MIT */

#include "cli-terminal.h"

#include "cli-options.h"
#include "cli-signals.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* In seconds, unless the environment says otherwise: enough for the other end of a slow connection. */
#define TIME_LIMIT 0.5
#define TIME_VARIABLE "SHND_TERMINAL_TIMEOUT"

/* More than all answers need; what else has been typed may be among them. */
#define MAX_ANSWERS 1024

/* Whether a picture could be shown, which a terminal without kitty's protocol does not answer; */
#define ASK_KITTY "\033_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\033\\"
/* the size of a character; */
#define ASK_CELL "\033[16t"
/* and what every terminal answers, so that it is known when all answers are there. */
#define ASK_ATTRIBUTES "\033[c"

struct winsize
cli_terminal_get_size (int fd)
{
  struct winsize size;

  if (ioctl (fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
    return size;

  return (struct winsize){ 0 };
}

/* "ESC [ ? LEVEL ; ATTRIBUTE ; … c", where 4 stands for sixel. FALSE if it is not, or not yet. */
static gboolean
parse_attributes (const char *text, CliTerminalAnswers *answers)
{
  const char *number = text + strlen ("\033[?");
  gsize length;
  gboolean is_level = TRUE;

  if (!g_str_has_prefix (text, "\033[?"))
    return FALSE;
  length = strspn (number, "0123456789;");
  if (number[length] != 'c')
    return FALSE;

  for (;;)
    {
      char *end;
      guint64 attribute = g_ascii_strtoull (number, &end, 10);

      if (!is_level && attribute == 4)
        answers->has_sixel = TRUE;
      if (*end != ';')
        return TRUE;
      is_level = FALSE;
      number = end + 1;
    }
}

/* "ESC [ 6 ; HEIGHT ; WIDTH t" */
static void
parse_cell (const char *text, CliTerminalAnswers *answers)
{
  guint64 width, height;
  char *end;

  if (!g_str_has_prefix (text, "\033[6;"))
    return;
  height = g_ascii_strtoull (text + strlen ("\033[6;"), &end, 10);
  if (*end != ';')
    return;
  width = g_ascii_strtoull (end + 1, &end, 10);
  if (*end != 't' || width == 0 || height == 0 || width > 1000 || height > 1000)
    return;

  answers->cell_width = width;
  answers->cell_height = height;
}

/* Whether the last one has come. */
static gboolean
parse_answers (const char *text, CliTerminalAnswers *answers)
{
  gboolean complete = FALSE;

  *answers = (CliTerminalAnswers){ 0 };
  for (const char *escape = strchr (text, '\033'); escape != NULL;
       escape = strchr (escape + 1, '\033'))
    {
      complete = parse_attributes (escape, answers) || complete;
      parse_cell (escape, answers);
      if (g_str_has_prefix (escape, "\033_Gi=31;OK"))
        answers->has_kitty = TRUE;
    }

  return complete;
}

static gboolean
wait_for_input (int fd, gint64 end)
{
  GPollFD poll_fds[2] = { { .fd = fd, .events = G_IO_IN } };
  guint n = g_cancellable_make_pollfd (cli_signals_get_cancellable (), &poll_fds[1]) ? 2 : 1;
  gint64 left = end - g_get_monotonic_time ();
  gboolean ready = FALSE;

  if (left > 0)
    ready = g_poll (poll_fds, n, (left + 999) / 1000) > 0 && poll_fds[0].revents != 0;
  if (n == 2)
    g_cancellable_release_fd (cli_signals_get_cancellable ());

  return ready;
}

/* A value that makes no sense is as none: pictures are shown all the same. */
static gint64
get_time_limit (void)
{
  const char *value = g_getenv (TIME_VARIABLE);
  gint64 limit;

  if (value == NULL || !cli_parse_timeout (TIME_VARIABLE, value, &limit, NULL) || limit < 0)
    return TIME_LIMIT * G_USEC_PER_SEC;

  return MIN (limit, G_MAXINT);
}

/* Whether all answers came in time. */
static gboolean
read_answers (int fd, CliTerminalAnswers *answers)
{
  char text[MAX_ANSWERS + 1];
  gint64 end = g_get_monotonic_time () + get_time_limit ();
  gsize length = 0;

  while (wait_for_input (fd, end))
    {
      gssize n;

      /* What is not understood is taken away all the same, or the shell would get it. */
      if (length == MAX_ANSWERS)
        length = 0;

      n = read (fd, text + length, MAX_ANSWERS - length);

      if (n < 0 && (errno == EINTR || errno == EAGAIN))
        continue;
      if (n <= 0)
        break;

      /* A NUL, which can have been typed, would end the text. */
      for (gssize i = 0; i < n; i++)
        {
          if (text[length + i] == '\0')
            text[length + i] = ' ';
        }
      length += n;
      text[length] = '\0';
      if (parse_answers (text, answers))
        return TRUE;
    }

  return FALSE;
}

static gboolean
write_text (int fd, const char *text)
{
  gsize length = strlen (text);

  while (length > 0)
    {
      gssize n = write (fd, text, length);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      text += n;
      length -= n;
    }

  return TRUE;
}

static struct termios settings;

/* What is left of the answers is not for the shell. */
static void
restore (void)
{
  tcsetattr (STDOUT_FILENO, TCSAFLUSH, &settings);
}

/* Whether it can be read from, by this program now: in the background it would be stopped, or take
 * what another is to get. */
static gboolean
can_ask (void)
{
  int flags = fcntl (STDOUT_FILENO, F_GETFL);

  return flags >= 0 && (flags & O_ACCMODE) == O_RDWR && tcgetpgrp (STDOUT_FILENO) == getpgrp () &&
         tcgetattr (STDOUT_FILENO, &settings) == 0;
}

void
cli_terminal_ask (gboolean with_kitty, CliTerminalAnswers *answers)
{
  struct termios raw;
  gboolean complete = FALSE;

  *answers = (CliTerminalAnswers){ 0 };
  if (!can_ask ())
    return;

  raw = settings;
  raw.c_lflag &= ~(ECHO | ICANON);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  cli_signals_set_cleanup (restore);
  if (tcsetattr (STDOUT_FILENO, TCSADRAIN, &raw) == 0)
    complete = (!with_kitty || write_text (STDOUT_FILENO, ASK_KITTY)) &&
               write_text (STDOUT_FILENO, ASK_CELL ASK_ATTRIBUTES) &&
               read_answers (STDOUT_FILENO, answers);

  /* What has been typed meanwhile is for the shell, if no answers are among it. */
  if (complete)
    tcsetattr (STDOUT_FILENO, TCSANOW, &settings);
  else
    restore ();
  cli_signals_set_cleanup (NULL);

  if (!complete)
    *answers = (CliTerminalAnswers){ 0 };
}
