/* SPDX-License-Identifier: MIT */

#include "cli-screen.h"

#include "cli-signals.h"
#include "cli-terminal.h"
#include "cli-text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

/* Without a cursor, and where long lines do not go on in the next one. */
#define PREPARE "\033[?7l\033[?25l\033[H\033[J"
/* The alternate screen. */
#define ENTER "\033[?1049h" PREPARE
/* Emptied first, as not every terminal has an alternate one. */
#define LEAVE "\033[0m\033[H\033[J\033[?7h\033[?25h\033[?1049l"

#define DEFAULT_COLUMNS 80
#define DEFAULT_ROWS 24

/* Which lines of the screen are not rows of a table: the title, and the table's head. */
#define N_HEAD_LINES 2

enum
{
  READ,
  WRITE
};

struct _CliScreen
{
  GThread *thread;
  GCancellable *cancellable;
  gulong cancelled_id;
  int redraw_fd; /* an eventfd */
  int event_fds[2];

  int key_fd; /* where keys come from, and whose settings were changed; -1 if there is none */
  gboolean owns_key_fd;
  struct termios settings, own_settings;

  /* What follows, and the terminal. */
  GMutex mutex;
  gboolean inside; /* whether the terminal is as ENTER has it */
  gboolean ended;
  GString *content;
  guint n_columns, n_rows, n_picture_rows; /* for which that was made */
};

/* The one that there is, for what has no other way to know it. */
static CliScreen *current;
static int event_fd = -1;

static const int signals[] = { SIGTSTP, SIGCONT, SIGWINCH };
static struct sigaction actions_before[G_N_ELEMENTS (signals)];

gboolean
cli_screen_is_possible (void)
{
  const char *term = g_getenv ("TERM");

  return isatty (STDOUT_FILENO) && term != NULL && *term != '\0' && !g_str_equal (term, "dumb");
}

/* ---- The terminal. With the mutex. ---- */

static void
write_all (const char *text, gsize length, gboolean may_block)
{
  while (length > 0)
    {
      struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };
      ssize_t n;

      /* A terminal that takes nothing any more does not keep a program from dying. */
      if (!may_block && poll (&fd, 1, 0) != 1)
        return;

      n = write (STDOUT_FILENO, text, length);
      if (n < 0 && errno == EAGAIN && may_block)
        poll (&fd, 1, -1);
      else if (n < 0 && errno != EINTR)
        return;
      if (n > 0)
        {
          text += n;
          length -= n;
        }
    }
}

static void
read_settings (CliScreen *self)
{
  pid_t foreground = tcgetpgrp (self->key_fd);

  /* In the background a shell has settings of its own: stop, as for any use of the terminal. */
  if (foreground > 0 && foreground != getpgrp ())
    raise (SIGTTOU);

  if (tcgetattr (self->key_fd, &self->settings) != 0)
    return;

  /* Signals still come from keys, but not the one that would leave all this behind. */
  self->own_settings = self->settings;
  self->own_settings.c_lflag &= ~(ICANON | ECHO);
  self->own_settings.c_cc[VMIN] = 1;
  self->own_settings.c_cc[VTIME] = 0;
  self->own_settings.c_cc[VQUIT] = _POSIX_VDISABLE;
}

static void
enter (CliScreen *self)
{
  const char *text = self->inside ? PREPARE : ENTER;

  /* What was left in order may have been changed by others meanwhile. */
  if (!self->inside && self->key_fd >= 0)
    read_settings (self);
  if (self->key_fd >= 0)
    tcsetattr (self->key_fd, TCSANOW, &self->own_settings);

  write_all (text, strlen (text), TRUE);
  self->inside = TRUE;
}

static void
leave (CliScreen *self, gboolean may_block)
{
  if (!self->inside)
    return;

  self->inside = FALSE;
  write_all (LEAVE, strlen (LEAVE), may_block);
  if (self->key_fd >= 0)
    tcsetattr (self->key_fd, TCSANOW, &self->settings);
}

/* The program dies: in any thread, of which another one may be drawing. */
static void
restore (void)
{
  CliScreen *self = current;
  gboolean locked = g_mutex_trylock (&self->mutex);

  self->ended = TRUE;
  leave (self, FALSE);
  if (locked)
    g_mutex_unlock (&self->mutex);
}

static void
redraw (CliScreen *self)
{
  if (self->inside && !self->ended)
    write_all (self->content->str, self->content->len, TRUE);
}

/* ---- Keys and signals ---- */

static void
handle_signal (int number)
{
  int saved = errno;
  char byte = number;

  /* If there is no room, enough is on its way. */
  if (write (event_fd, &byte, 1) < 0)
    errno = saved;
}

static void
wake (CliScreen *self)
{
  eventfd_write (self->redraw_fd, 1);
}

/* As the signal would have done. */
static void
stop (void)
{
  struct sigaction action = { .sa_handler = SIG_DFL }, before;

  sigaction (SIGTSTP, &action, &before);
  raise (SIGTSTP);
  sigaction (SIGTSTP, &before, NULL);
}

static void
handle_event (CliScreen *self, int number)
{
  g_mutex_lock (&self->mutex);
  if (self->ended)
    number = 0;

  switch (number)
    {
    case SIGTSTP:
      leave (self, TRUE);
      stop ();
      enter (self);
      redraw (self);
      break;
    case SIGCONT:
      /* Nothing may have told that the program would be stopped. */
      enter (self);
      redraw (self);
      break;
    default:
      break;
    }
  g_mutex_unlock (&self->mutex);

  wake (self);
}

/* FALSE if there will be no more keys. */
static gboolean
read_keys (CliScreen *self)
{
  char keys[256];
  ssize_t n = read (self->key_fd, keys, sizeof keys);
  const char *escape;

  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return TRUE;
  if (n <= 0)
    {
      /* There is no terminal any more. */
      g_cancellable_cancel (self->cancellable);
      return FALSE;
    }

  /* With this begin special keys, and what a terminal has to tell. */
  escape = memchr (keys, '\033', n);
  if (escape != NULL)
    n = escape - keys;
  if (memchr (keys, 'q', n) != NULL || memchr (keys, 'Q', n) != NULL)
    g_cancellable_cancel (self->cancellable);

  return TRUE;
}

static gpointer
run (gpointer data)
{
  CliScreen *self = data;
  struct pollfd fds[] = {
    { .fd = self->event_fds[READ], .events = POLLIN },
    { .fd = self->key_fd, .events = POLLIN },
  };

  for (;;)
    {
      char number;

      if (poll (fds, G_N_ELEMENTS (fds), -1) < 0)
        continue;

      if (fds[1].revents != 0 && !read_keys (self))
        fds[1].fd = -1;
      if (fds[0].revents == 0 || read (self->event_fds[READ], &number, 1) != 1)
        continue;
      if (number == 0)
        return NULL;
      handle_event (self, number);
    }
}

static void
cancelled_cb (GCancellable *cancellable, gpointer data)
{
  g_cancellable_cancel (data);
}

/* ---- Beginning and end ---- */

static void
open_keys (CliScreen *self)
{
  self->key_fd = STDIN_FILENO;
  if (!isatty (self->key_fd))
    {
      self->key_fd = open ("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
      self->owns_key_fd = self->key_fd >= 0;
    }
}

static void
catch_signals (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      struct sigaction action = { .sa_handler = handle_signal, .sa_flags = SA_RESTART };

      sigemptyset (&action.sa_mask);
      sigaction (signals[i], NULL, &actions_before[i]);
      /* A shell without job control does not want to see a program stopped. */
      if (actions_before[i].sa_handler != SIG_IGN || signals[i] != SIGTSTP)
        sigaction (signals[i], &action, NULL);
    }
}

CliScreen *
cli_screen_new (GError **error)
{
  CliScreen *self;
  int fds[2], redraw_fd;

  g_assert (current == NULL);

  if (!g_unix_open_pipe (fds, FD_CLOEXEC, error))
    return NULL;
  redraw_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (redraw_fd < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                   "Cannot wait for the terminal: %s", g_strerror (errno));
      close (fds[READ]);
      close (fds[WRITE]);
      return NULL;
    }

  self = g_new0 (CliScreen, 1);
  memcpy (self->event_fds, fds, sizeof fds);
  g_unix_set_fd_nonblocking (fds[WRITE], TRUE, NULL);
  self->redraw_fd = redraw_fd;
  g_mutex_init (&self->mutex);
  self->content = g_string_new (NULL);
  self->cancellable = g_cancellable_new ();
  self->cancelled_id = g_cancellable_connect (cli_signals_get_cancellable (),
                                              G_CALLBACK (cancelled_cb), self->cancellable, NULL);
  open_keys (self);
  fflush (stdout);

  current = self;
  event_fd = fds[WRITE];
  cli_signals_set_cleanup (restore);
  catch_signals ();
  g_mutex_lock (&self->mutex);
  enter (self);
  g_mutex_unlock (&self->mutex);
  self->thread = g_thread_new ("screen", run, self);

  return self;
}

void
cli_screen_free (CliScreen *self)
{
  const char end = 0;

  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    sigaction (signals[i], &actions_before[i], NULL);
  while (write (self->event_fds[WRITE], &end, 1) != 1)
    g_usleep (1000);
  g_thread_join (self->thread);

  g_mutex_lock (&self->mutex);
  leave (self, TRUE);
  g_mutex_unlock (&self->mutex);
  cli_signals_set_cleanup (NULL);
  current = NULL;
  event_fd = -1;

  g_cancellable_disconnect (cli_signals_get_cancellable (), self->cancelled_id);
  g_object_unref (self->cancellable);
  close (self->event_fds[READ]);
  close (self->event_fds[WRITE]);
  close (self->redraw_fd);
  if (self->owns_key_fd)
    close (self->key_fd);
  g_string_free (self->content, TRUE);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

GCancellable *
cli_screen_get_cancellable (CliScreen *self)
{
  return self->cancellable;
}

void
cli_screen_get_size (CliScreen *self, guint *n_columns, guint *n_rows)
{
  const struct winsize size = cli_terminal_get_size (STDOUT_FILENO);

  *n_columns = size.ws_col > 0 ? size.ws_col : DEFAULT_COLUMNS;
  *n_rows = size.ws_row > 0 ? size.ws_row : DEFAULT_ROWS;
}

/* ---- Drawing ---- */

void
cli_screen_draw (CliScreen *self, char **lines)
{
  cli_screen_draw_picture (self, "", 0, 0, lines);
}

void
cli_screen_draw_picture (
    CliScreen *self, const char *picture, gsize length, guint n_rows, char **lines)
{
  GString *content = self->content;
  guint n_columns, height;

  cli_screen_get_size (self, &n_columns, &height);

  g_mutex_lock (&self->mutex);
  g_string_assign (content, "\033[H");
  /* Beside a picture nothing is erased below. */
  if (n_rows != self->n_picture_rows || n_columns != self->n_columns || height != self->n_rows)
    g_string_append (content, "\033[J");
  self->n_picture_rows = n_rows;
  self->n_columns = n_columns;
  self->n_rows = height;
  g_string_append_len (content, picture, length);
  g_string_append (content, "\033[0m");

  /* What is left of the last one goes line by line, so that nothing flickers. */
  for (guint row = n_rows; row < height; row++)
    {
      if (*lines == NULL)
        {
          g_string_append_printf (content, "\033[%u;1H\033[J", row + 1);
          break;
        }
      g_string_append_printf (content, "\033[%u;1H%s\033[0m\033[K", row + 1, *lines++);
    }
  redraw (self);
  g_mutex_unlock (&self->mutex);
}

guint
cli_screen_get_n_table_rows (CliScreen *self, gsize n_rows)
{
  guint n_columns, height;

  cli_screen_get_size (self, &n_columns, &height);
  if (height <= N_HEAD_LINES)
    return 0;
  if (n_rows <= height - N_HEAD_LINES)
    return n_rows;

  /* The last line says how many are missing. */
  return height - N_HEAD_LINES - 1;
}

/* As wide as the screen. */
static char *
invert (const char *text, guint n_columns)
{
  g_autofree char *cut = cli_text_shorten (text, n_columns);

  return g_strdup_printf ("\033[7m%s%*s", cut, (int) (n_columns - cli_text_get_width (cut)), "");
}

void
cli_screen_draw_table (CliScreen *self, const char *title, CliTable *table, gsize n_rows)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) table_lines = NULL;
  guint n_columns, height;
  gsize n_more = n_rows - cli_table_get_n_rows (table);

  cli_screen_get_size (self, &n_columns, &height);
  table_lines = cli_table_get_lines (table, n_columns);

  g_ptr_array_add (lines, invert (title, n_columns));
  g_ptr_array_add (lines, g_strdup_printf ("\033[1m%s", table_lines[0]));
  for (char **line = table_lines + 1; *line != NULL; line++)
    g_ptr_array_add (lines, g_strdup (*line));
  if (n_more > 0)
    {
      g_autofree char *more = g_strdup_printf ("… %" G_GSIZE_FORMAT " more", n_more);

      g_ptr_array_add (lines, cli_text_shorten (more, n_columns));
    }
  g_ptr_array_add (lines, NULL);

  cli_screen_draw (self, (char **) lines->pdata);
}

CliScreenEvent
cli_screen_wait (CliScreen *self, gint64 time)
{
  GPollFD fds[2] = { { .fd = self->redraw_fd, .events = G_IO_IN } };
  CliScreenEvent event = CLI_SCREEN_TIME;
  eventfd_t count;

  if (!g_cancellable_make_pollfd (self->cancellable, &fds[1]))
    fds[1].fd = -1;
  while (event == CLI_SCREEN_TIME)
    {
      gint64 left = time < 0 ? -1 : MAX (time - g_get_monotonic_time (), 0);

      if (g_cancellable_is_cancelled (self->cancellable))
        event = CLI_SCREEN_END;
      else if (eventfd_read (self->redraw_fd, &count) == 0)
        event = CLI_SCREEN_REDRAW;
      else if (left == 0)
        break;
      else
        g_poll (fds, G_N_ELEMENTS (fds), left < 0 ? -1 : MIN ((left + 999) / 1000, G_MAXINT));
    }
  if (fds[1].fd >= 0)
    g_cancellable_release_fd (self->cancellable);

  return event;
}
