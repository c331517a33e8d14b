/* SPDX-License-Identifier: MIT */

/* Offers pictures over D-Bus: gallery FILE...
 *
 * Each is an array without a name, which clients get as a file descriptor. It is sealed, so they can
 * look at it, and nothing else; this service changes it when it is asked to, and tells all. Whoever
 * has got it once sees that without asking again. */

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <shndarray/shndarray.h>
#include <string.h>

#define BUS_NAME "org.example.Gallery"
#define OBJECT_PATH "/org/example/Gallery"

/* A reply of type (hsaxaxt) is what shnd_array_to_variant() makes. */
static const char introspection[] =
    "<node>"
    "<interface name='org.example.Gallery'>"
    "<method name='ListArrays'><arg type='as' name='names' direction='out'/></method>"
    "<method name='GetArray'>"
    "<arg type='s' name='name' direction='in'/>"
    "<arg type='h' name='file' direction='out'/>"
    "<arg type='s' name='dtype' direction='out'/>"
    "<arg type='ax' name='shape' direction='out'/>"
    "<arg type='ax' name='strides' direction='out'/>"
    "<arg type='t' name='offset' direction='out'/>"
    "</method>"
    "<method name='Invert'><arg type='s' name='name' direction='in'/></method>"
    "<signal name='Changed'><arg type='s' name='name'/><arg type='t' name='sequence'/></signal>"
    "</interface>"
    "</node>";

typedef struct
{
  GHashTable *pictures; /* by name; sealed, of shape (height, width, channels) */
  GMainLoop *loop;
  GError *error;
} Gallery;

/* ---- Pictures ---- */

/* The pixels without the gaps between the rows of a pixbuf. */
static ShndArray *
load_picture (const char *path, GError **error)
{
  g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new_from_file (path, error);
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("uint8", NULL);
  g_autoptr (ShndArray) picture = NULL;
  const guint8 *source;
  guint8 *target;
  gint64 shape[3];
  gsize row;

  if (pixbuf == NULL)
    return NULL;

  shape[0] = gdk_pixbuf_get_height (pixbuf);
  shape[1] = gdk_pixbuf_get_width (pixbuf);
  shape[2] = gdk_pixbuf_get_n_channels (pixbuf);
  picture = shnd_array_new (NULL, dtype, shape, 3, SHND_CREATE_NONE, error);
  if (picture == NULL)
    return NULL;

  source = gdk_pixbuf_read_pixels (pixbuf);
  target = shnd_array_get_data (picture);
  row = shape[1] * shape[2];
  for (gint64 y = 0; y < shape[0]; y++)
    memcpy (target + y * row, source + y * gdk_pixbuf_get_rowstride (pixbuf), row);

  if (!shnd_array_seal (picture, error))
    return NULL;

  return g_steal_pointer (&picture);
}

/* Every second pixel of every second row: a view, which costs no memory. */
static ShndArray *
halve (ShndArray *picture, GError **error)
{
  const gint64 *shape = shnd_array_get_shape (picture, NULL);
  g_autoptr (ShndArray) rows = shnd_array_slice (picture, 0, 0, shape[0], 2, error);

  return rows != NULL ? shnd_array_slice (rows, 1, 0, shape[1], 2, error) : NULL;
}

/* Makes a negative of the colours; the fourth channel is how opaque a pixel is. */
static gboolean
invert (ShndArray *picture, GError **error)
{
  gsize n_channels = shnd_array_get_shape (picture, NULL)[2];
  gsize n_bytes = shnd_array_get_n_bytes (picture);
  guint8 *pixels = shnd_array_get_data (picture);

  for (gsize i = 0; i < n_bytes; i++)
    {
      if (i % n_channels < 3)
        pixels[i] = 255 - pixels[i];
    }

  return shnd_array_update (picture, error);
}

/* ---- The service ---- */

static void
reply_list (Gallery *self, GDBusMethodInvocation *invocation)
{
  g_autoptr (GList) names =
      g_list_sort (g_hash_table_get_keys (self->pictures), (GCompareFunc) strcmp);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("as"));
  for (GList *name = names; name != NULL; name = name->next)
    {
      g_autofree char *half = g_strconcat (name->data, "/half", NULL);

      g_variant_builder_add (&builder, "s", name->data);
      g_variant_builder_add (&builder, "s", half);
    }
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(as)", &builder));
}

/* The picture of that name, or the view of it. */
static ShndArray *
find (Gallery *self, const char *name, GError **error)
{
  g_autofree char *base = g_strdup (name);
  gboolean half = g_str_has_suffix (name, "/half");
  ShndArray *picture;

  if (half)
    base[strlen (name) - strlen ("/half")] = '\0';
  picture = g_hash_table_lookup (self->pictures, base);
  if (picture == NULL)
    {
      g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS, "There is no picture “%s”",
                   name);
      return NULL;
    }

  return half ? halve (picture, error) : g_object_ref (picture);
}

static void
reply_array (GDBusMethodInvocation *invocation, ShndArray *array)
{
  g_autoptr (GUnixFDList) fd_list = g_unix_fd_list_new ();
  g_autoptr (GVariant) variant = NULL;
  GError *error = NULL;

  variant = shnd_array_to_variant (array, fd_list, &error);
  if (variant != NULL)
    g_dbus_method_invocation_return_value_with_unix_fd_list (invocation, variant, fd_list);
  else
    g_dbus_method_invocation_take_error (invocation, error);
}

static void
reply_invert (GDBusMethodInvocation *invocation, const char *name, ShndArray *array)
{
  GError *error = NULL;

  if (!invert (array, &error))
    {
      g_dbus_method_invocation_take_error (invocation, error);
      return;
    }

  g_dbus_connection_emit_signal (
      g_dbus_method_invocation_get_connection (invocation), NULL, OBJECT_PATH, BUS_NAME, "Changed",
      g_variant_new ("(st)", name, shnd_array_get_sequence (array)), NULL);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static void
call_cb (GDBusConnection *connection,
         const char *sender,
         const char *object_path,
         const char *interface_name,
         const char *method_name,
         GVariant *parameters,
         GDBusMethodInvocation *invocation,
         gpointer user_data)
{
  Gallery *self = user_data;
  g_autoptr (ShndArray) array = NULL;
  const char *name;
  GError *error = NULL;

  if (g_str_equal (method_name, "ListArrays"))
    {
      reply_list (self, invocation);
      return;
    }

  g_variant_get (parameters, "(&s)", &name);
  array = find (self, name, &error);
  if (array == NULL)
    g_dbus_method_invocation_take_error (invocation, error);
  else if (g_str_equal (method_name, "GetArray"))
    reply_array (invocation, array);
  else
    reply_invert (invocation, name, array);
}

static void
bus_acquired_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  static const GDBusInterfaceVTable vtable = { .method_call = call_cb };
  Gallery *self = user_data;
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (introspection, &self->error);

  if (node == NULL ||
      g_dbus_connection_register_object (connection, OBJECT_PATH, node->interfaces[0], &vtable,
                                         self, NULL, &self->error) == 0)
    g_main_loop_quit (self->loop);
}

static void
name_acquired_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Gallery *self = user_data;

  g_print ("gallery: %u pictures at %s\n", g_hash_table_size (self->pictures), name);
}

static void
name_lost_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Gallery *self = user_data;

  if (self->error == NULL)
    g_set_error (&self->error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                 "There is no bus, or a gallery on it");
  g_main_loop_quit (self->loop);
}

int
main (int argc, char **argv)
{
  g_autoptr (GHashTable) pictures =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  Gallery self = { .pictures = pictures, .loop = loop };

  for (int i = 1; i < argc; i++)
    {
      ShndArray *picture = load_picture (argv[i], &error);
      char *name;

      if (picture == NULL)
        {
          g_printerr ("gallery: %s\n", error->message);
          return 1;
        }
      name = g_path_get_basename (argv[i]);
      *strchrnul (name, '.') = '\0';
      g_hash_table_insert (pictures, name, picture);
    }

  g_bus_own_name (G_BUS_TYPE_SESSION, BUS_NAME, G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
                  bus_acquired_cb, name_acquired_cb, name_lost_cb, &self, NULL);
  g_main_loop_run (loop);

  /* It ends because something failed. */
  error = self.error;
  g_printerr ("gallery: %s\n", error->message);
  return 1;
}
