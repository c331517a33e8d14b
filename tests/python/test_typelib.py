# SPDX-License-Identifier: MIT

"""The typelib itself: what must be there, how it is annotated, and what must not leak."""

import os
import re
import unittest
from xml.etree import ElementTree

import gi
from support import Shnd, main  # noqa: F401

# The only way to see the typelib without the override.
from gi import _gi

REPOSITORY = gi.Repository.get_default()
CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
FOLDER = os.path.dirname(os.path.abspath(__file__))

TOP_LEVEL = {
    'Access': 'Enum', 'Array': 'Object', 'ArrayClass': 'Struct', 'CreateFlags': 'Enum',
    'ArrayInfo': 'Object', 'ArrayInfoClass': 'Struct',
    'DType': 'Struct', 'DTypeKind': 'Enum', 'Error': 'Enum', 'MAJOR_VERSION': 'Constant',
    'MAX_DEPTH': 'Constant', 'MAX_DIMS': 'Constant', 'MICRO_VERSION': 'Constant',
    'MINOR_VERSION': 'Constant',
    'Order': 'Enum', 'SaveFlags': 'Enum', 'SyncFlags': 'Enum', 'VERSION_S': 'Constant', 'error_quark': 'Function',
    'Frame': 'Object', 'FrameClass': 'Struct', 'Overflow': 'Enum', 'Publisher': 'Object',
    'PublisherClass': 'Struct', 'Subscriber': 'Object', 'SubscriberClass': 'Struct',
    'list_addresses': 'Function', 'list_infos': 'Function', 'list_names': 'Function',
    'reap': 'Function', 'release_names': 'Function', 'unlink': 'Function',
}

CONSTRUCTORS = {'new', 'new_for_fd', 'new_from_bytes', 'new_from_data', 'new_from_variant',
                'new_path', 'new_unique'}
FUNCTIONS = {'load', 'load_async', 'load_finish', 'load_stream', 'load_stream_async',
             'load_stream_finish', 'open', 'open_descriptor', 'open_path', 'open_segment',
             'open_wait', 'open_wait_async', 'open_wait_finish', 'receive', 'receive_async',
             'receive_finish'}
STARTERS = {'load_async', 'load_stream_async', 'open_wait_async', 'receive_async'}

METHODS = {
    'as_strided', 'close', 'copy_from', 'dup', 'dup_async', 'dup_fd', 'dup_finish', 'field', 'fill', 'get_access',
    'get_bytes', 'get_closed', 'get_cow_bytes', 'get_data', 'get_double', 'get_dtype',
    'get_element', 'get_int64', 'get_item_size', 'get_locked', 'get_memory', 'get_n_bytes',
    'get_n_dims', 'get_name', 'get_order', 'get_persistent', 'get_sealed', 'get_sequence',
    'get_shape', 'get_size', 'get_strides', 'get_synchronizable', 'get_watching', 'index',
    'is_aligned', 'lock', 'lock_async', 'lock_finish', 'mlock', 'munlock', 'reshape', 'save',
    'save_async', 'save_finish', 'save_stream', 'save_stream_async', 'save_stream_finish', 'seal',
    'send', 'send_async', 'send_finish', 'set_double', 'set_element', 'set_int64', 'slice', 'sync',
    'sync_async', 'sync_finish', 'to_descriptor', 'to_variant', 'transpose', 'unlink', 'unlock',
    'unwatch', 'update', 'wait', 'wait_async', 'wait_finish', 'watch', 'write_bytes',
}

# What a script's data can make fail; the rest cannot.
THROWS = CONSTRUCTORS | FUNCTIONS - STARTERS | {
    'as_strided', 'copy_from', 'dup', 'dup_fd', 'dup_finish', 'field', 'fill', 'get_bytes', 'get_cow_bytes',
    'get_double', 'get_element', 'get_int64', 'get_memory', 'index', 'lock', 'lock_finish', 'mlock',
    'munlock', 'reshape', 'save', 'save_finish', 'save_stream', 'save_stream_finish', 'seal',
    'send', 'send_finish', 'set_double', 'set_element', 'set_int64', 'slice', 'sync', 'sync_finish',
    'to_descriptor', 'to_variant', 'transpose', 'unlink', 'unlock', 'update', 'wait', 'wait_finish',
    'watch', 'write_bytes',
}

PROPERTIES = {'access', 'closed', 'dtype', 'item-size', 'locked', 'n-bytes', 'n-dims', 'name',
              'order', 'persistent', 'sealed', 'sequence', 'shape', 'size', 'strides',
              'synchronizable', 'watching'}

INFO_PROPERTIES = {'data-offset', 'dtype', 'file-size', 'held', 'locked', 'mode', 'n-bytes',
                   'n-dims', 'name', 'order', 'orphaned', 'path', 'persistent', 'sequence', 'shape',
                   'strides', 'synchronizable', 'uid'}
INFO_METHODS = {'new', 'new_for_path'} | {'get_' + name.replace('-', '_') for name in INFO_PROPERTIES}

DTYPE_METHODS = {
    'equal', 'find_field', 'get_alignment', 'get_base', 'get_base_shape', 'get_field_dtype',
    'get_field_name', 'get_field_offset', 'get_field_title', 'get_item_size', 'get_kind',
    'get_n_fields', 'get_unit', 'hash', 'is_native', 'new', 'ref', 'to_string', 'unref',
}

FRAME_PROPERTIES = {'array', 'metadata', 'released', 'sequence', 'timestamp'}
PUBLISHER_PROPERTIES = {'address', 'closed', 'depth', 'max-frames', 'max-subscribers', 'n-dropped',
                        'n-frames', 'n-subscribers', 'overflow', 'path', 'sequence'}
SUBSCRIBER_PROPERTIES = {'address', 'closed', 'connected', 'depth', 'frame-size', 'granted-depth',
                         'latest-only', 'n-dropped', 'n-missed', 'n-received', 'n-subscribers',
                         'observer', 'path', 'reconnect', 'sequence', 'spin', 'watching'}


def get_accessors(properties, *writable):
    return {'get_' + name.replace('-', '_') for name in properties} | {
        'set_' + name for name in writable}


# Of each class: methods, those that fail, properties, signals.
STREAMS = {
    'Frame': ({'get_memory', 'get_plane', 'list_planes', 'release', 'release_now'} |
              get_accessors(FRAME_PROPERTIES, 'array', 'metadata', 'timestamp'),
              {'get_memory', 'get_plane', 'set_array', 'set_metadata'}, FRAME_PROPERTIES, []),
    'Publisher': ({'acquire', 'acquire_async', 'acquire_finish', 'close', 'new', 'publish',
                   'publish_async', 'publish_finish', 'repeat', 'wait_subscribers',
                   'wait_subscribers_async', 'wait_subscribers_finish'} |
                  get_accessors(PUBLISHER_PROPERTIES, 'depth', 'max_frames', 'max_subscribers',
                                'overflow'),
                  {'acquire', 'acquire_finish', 'new', 'publish', 'publish_finish', 'repeat',
                   'wait_subscribers', 'wait_subscribers_finish'},
                  PUBLISHER_PROPERTIES, ['authorize']),
    'Subscriber': ({'close', 'get_fd', 'new', 'receive', 'receive_async', 'receive_finish',
                    'unwatch', 'watch'} |
                   get_accessors(SUBSCRIBER_PROPERTIES, 'depth', 'latest_only', 'observer',
                                 'reconnect', 'spin'),
                   {'new', 'receive', 'receive_finish', 'watch'},
                   SUBSCRIBER_PROPERTIES, ['ended', 'frame']),
}

NULLABLE_ARGUMENTS = {
    ('new', 'name'), ('new_from_bytes', 'name'), ('new_from_data', 'name'),
    ('new_from_data', 'data'), ('dup', 'name'), ('dup', 'cancellable'),
    ('dup', 'progress_callback'), ('dup', 'progress_callback_data'), ('dup_async', 'name'),
    ('dup_async', 'cancellable'), ('dup_async', 'callback'), ('dup_async', 'user_data'),
    ('transpose', 'axes'), ('save', 'cancellable'),
    ('save', 'progress_callback'), ('save', 'progress_callback_data'),
    ('save_async', 'cancellable'), ('save_async', 'callback'), ('save_async', 'user_data'),
    ('load', 'name'), ('load', 'cancellable'), ('load', 'progress_callback'),
    ('load', 'progress_callback_data'), ('load_async', 'name'), ('load_async', 'cancellable'),
    ('load_async', 'callback'), ('load_async', 'user_data'), ('sync', 'cancellable'),
    ('sync_async', 'cancellable'), ('sync_async', 'callback'), ('sync_async', 'user_data'),
    ('lock', 'cancellable'), ('lock_async', 'cancellable'), ('lock_async', 'callback'),
    ('lock_async', 'user_data'), ('wait', 'cancellable'), ('wait_async', 'cancellable'),
    ('wait_async', 'callback'), ('wait_async', 'user_data'), ('open_wait', 'cancellable'),
    ('open_wait_async', 'cancellable'), ('open_wait_async', 'callback'),
    ('open_wait_async', 'user_data'), ('new_from_variant', 'fd_list'), ('send', 'cancellable'),
    ('send_async', 'cancellable'), ('send_async', 'callback'), ('send_async', 'user_data'),
    ('receive', 'cancellable'), ('receive_async', 'cancellable'), ('receive_async', 'callback'),
    ('receive_async', 'user_data'), ('set_metadata', 'metadata'), ('load_stream', 'name'),
    ('load_stream_async', 'name'),
} | {
    (name + end, argument) for name in ('load_stream', 'save_stream')
    for end, argument in (('', 'cancellable'), ('', 'progress_callback'),
                          ('', 'progress_callback_data'), ('_async', 'cancellable'),
                          ('_async', 'callback'), ('_async', 'user_data'))
} | {
    (name + end, argument) for name in ('acquire', 'publish', 'wait_subscribers')
    for end, argument in (('', 'cancellable'), ('_async', 'cancellable'), ('_async', 'callback'),
                          ('_async', 'user_data'))
}
NULLABLE_RESULTS = {'get_name', 'get_data', 'get_unit', 'get_field_name', 'get_field_title',
                    'get_field_dtype', 'get_address', 'get_path'}

VALUES = {
    'Access': {'read': 1, 'write': 2, 'read_write': 3, 'any_owner': 4, 'unsealed': 8},
    'CreateFlags': {'none': 0, 'fortran': 1, 'sparse': 2, 'group_read': 4, 'group_write': 8,
                    'others_read': 16, 'others_write': 32, 'persistent': 64},
    'Order': {'c': 0, 'fortran': 1, 'strided': 2},
    'Overflow': {'drop': 0, 'block': 1},
    'SaveFlags': {'none': 0, 'no_replace': 1},
    'SyncFlags': {'none': 0, 'async': 1, 'invalidate': 2},
    'DTypeKind': {name: number for number, name in enumerate(
        ('bool', 'int', 'uint', 'float', 'complex', 'bytes', 'unicode', 'datetime', 'timedelta',
         'void', 'struct', 'subarray'))},
    'Error': {name: number for number, name in enumerate(
        ('failed', 'invalid_name', 'invalid_dtype', 'invalid_shape', 'invalid_argument',
         'invalid_format', 'invalid_data', 'out_of_range', 'type_mismatch', 'not_found', 'exists',
         'no_space', 'permission_denied', 'read_only', 'not_contiguous', 'too_small', 'closed',
         'unsupported', 'timed_out', 'not_locked', 'end_of_stream', 'disconnected', 'protocol',
         'not_acquired'))},
}


def find(name):
    return REPOSITORY.find_by_name('Shnd', name)


def get_functions():
    """All functions there are, with the name of their class."""
    for name, kind in TOP_LEVEL.items():
        info = find(name)
        if kind == 'Function':
            yield '', info
        elif kind in ('Object', 'Struct'):
            for method in info.get_methods():
                yield name, method


class Typelib(unittest.TestCase):
    def test_top_level(self):
        infos = {info.get_name(): type(info).__name__.removesuffix('Info')
                 for info in REPOSITORY.get_infos('Shnd')}
        self.assertEqual(infos, TOP_LEVEL)

    def test_array(self):
        methods = {method.get_name(): method for method in find('Array').get_methods()}
        self.assertEqual(set(methods), CONSTRUCTORS | FUNCTIONS | METHODS)
        for name, method in methods.items():
            self.assertEqual(method.is_constructor(), name in CONSTRUCTORS, name)
            self.assertEqual(method.is_method(), name in METHODS, name)
            self.assertEqual(method.can_throw_gerror(), name in THROWS, name)
        self.assertEqual({info.get_name() for info in find('Array').get_properties()}, PROPERTIES)
        self.assertEqual([info.get_name() for info in find('Array').get_signals()], ['updated'])
        # Nobody sees what is inside, and nobody derives from it.
        self.assertEqual(list(find('Array').get_fields()), [])
        self.assertEqual(list(find('Array').get_vfuncs()), [])
        self.assertEqual(find('Array').get_parent().get_name(), 'Object')
        self.assertEqual(find('Array').get_type_init(), 'shnd_array_get_type')
        self.assertFalse({name.replace('-', '_') for name in PROPERTIES} & set(methods))

    def test_array_info(self):
        methods = {method.get_name(): method for method in find('ArrayInfo').get_methods()}
        self.assertEqual(set(methods), INFO_METHODS)
        for name, method in methods.items():
            self.assertEqual(method.can_throw_gerror(), name.startswith('new'), name)
        self.assertEqual({info.get_name() for info in find('ArrayInfo').get_properties()},
                         INFO_PROPERTIES)
        self.assertEqual(list(find('ArrayInfo').get_fields()), [])
        self.assertEqual(find('ArrayInfo').get_parent().get_name(), 'Object')

    def test_streams(self):
        for name, (methods, failing, properties, signals) in STREAMS.items():
            found = {method.get_name(): method for method in find(name).get_methods()}
            self.assertEqual(set(found), methods)
            self.assertEqual({each for each in found if found[each].can_throw_gerror()}, failing)
            self.assertEqual({info.get_name() for info in find(name).get_properties()}, properties)
            self.assertEqual(sorted(info.get_name() for info in find(name).get_signals()), signals)
            self.assertEqual(list(find(name).get_fields()), [])
            self.assertEqual(find(name).get_parent().get_name(), 'Object')

    def test_functions(self):
        for name, kind in TOP_LEVEL.items():
            if kind == 'Function':
                self.assertEqual(find(name).can_throw_gerror(),
                                 name not in ('error_quark', 'release_names'), name)

    def test_dtype(self):
        methods = {method.get_name(): method for method in find('DType').get_methods()}
        self.assertEqual(set(methods), DTYPE_METHODS)
        self.assertEqual(list(find('DType').get_fields()), [])
        for name, method in methods.items():
            self.assertEqual(method.can_throw_gerror(), name == 'new', name)

    def test_enumerations(self):
        for name, values in VALUES.items():
            found = {value.get_name(): value.get_value() for value in find(name).get_values()}
            self.assertEqual(found, values, name)
        self.assertEqual(find('Error').get_methods()[0].get_name(), 'quark')

    def test_constants(self):
        self.assertEqual(find('MAX_DIMS').get_value(), 32)
        self.assertEqual(find('MAX_DEPTH').get_value(), 256)

    def test_no_private_names(self):
        for owner, function in get_functions():
            self.assertFalse(function.get_name().startswith('_'), (owner, function.get_name()))
            for argument in function.get_arguments():
                self.assertFalse(argument.get_name().startswith('_'))
        text = ' '.join(info.get_name() for info in REPOSITORY.get_infos('Shnd'))
        self.assertNotRegex(text.lower(), 'layout|segment|literal|cast|npy')

    def test_arrays_have_lengths(self):
        # PyGObject does not tell the types of arguments; the GIR is what the typelib is made from.
        folder = os.path.dirname(REPOSITORY.get_typelib_path('Shnd'))
        path = os.path.join(folder, 'Shnd-1.gir')
        if not os.path.exists(path):
            path = os.path.join(folder, '..', '..', 'share', 'gir-1.0', 'Shnd-1.gir')
        tree = ElementTree.parse(path)
        arrays = [element for element in tree.iter(f'{CORE}array')]
        # What they hold, and whether that ends with a null.
        found = {}
        for element in arrays:
            has_length = 'length' in element.attrib
            self.assertEqual(has_length, element.get('zero-terminated') == '0')
            key = (element.find(f'{CORE}type').get('name'), has_length)
            found[key] = found.get(key, 0) + 1
        self.assertEqual(found, {('gint64', True): 23, ('ArrayInfo', True): 1,
                                 ('utf8', False): 4})
        # A pointer to numbers that is not an array would be one number to scripts.
        for kind in ('parameter', 'return-value'):
            for element in tree.iter(f'{CORE}{kind}'):
                number = element.find(f'{CORE}type')
                if number is not None and re.fullmatch('g?u?int[0-9]*', number.get('name')):
                    pointer = number.get(f'{C}type', '').endswith('*')
                    self.assertEqual(pointer, element.get('direction') == 'out',
                                     element.get('name'))

    def test_nullable(self):
        arguments, results = set(), set()
        for owner, function in get_functions():
            if function.may_return_null():
                results.add(function.get_name())
            for argument in function.get_arguments():
                if argument.may_be_null():
                    arguments.add((function.get_name(), argument.get_name()))
        self.assertEqual(arguments, NULLABLE_ARGUMENTS)
        self.assertEqual(results, NULLABLE_RESULTS)

    def test_directions(self):
        for owner, function in get_functions():
            for argument in function.get_arguments():
                where = (owner, function.get_name(), argument.get_name())
                self.assertNotEqual(argument.get_direction(), _gi.Direction.INOUT, where)
                expected = where[1:] in (
                    ('get_memory', 'offset'), ('get_shape', 'n_dims'), ('get_strides', 'n_dims'),
                    ('get_base_shape', 'n_dims'), ('lock', 'recovered'),
                    ('lock_finish', 'recovered'), ('wait', 'sequence'), ('wait_finish', 'sequence'),
                    ('list_infos', 'n_infos'))
                self.assertEqual(argument.get_direction() == _gi.Direction.OUT, expected, where)

    def test_transfer(self):
        for owner, function in get_functions():
            name = function.get_name()
            made = FUNCTIONS - STARTERS | {
                'acquire', 'acquire_finish', 'as_strided', 'dup', 'dup_finish', 'field',
                'get_bytes', 'get_cow_bytes', 'get_element', 'get_memory', 'get_plane', 'index',
                'list_addresses', 'list_infos', 'list_names', 'list_planes', 'reap', 'ref',
                'repeat', 'reshape', 'slice', 'to_descriptor', 'to_variant', 'transpose'}
            full = function.is_constructor() or name in made
            self.assertEqual(function.get_caller_owns() == _gi.Transfer.EVERYTHING, full,
                             (owner, name))

    def test_dependencies(self):
        self.assertEqual(REPOSITORY.get_version('Shnd'), '1')
        namespaces = {name.split('-')[0] for name in REPOSITORY.get_dependencies('Shnd')}
        self.assertLessEqual({'GObject', 'Gio'}, namespaces)
        self.assertLessEqual(namespaces, {'GLib', 'GObject', 'Gio', 'GModule'})

    def test_all_are_tested(self):
        """Each function is called somewhere in the tests of Python."""
        text = ''
        for name in ('test_array.py', 'test_dtype.py', 'test_elements.py', 'test_fds.py',
                     'test_files.py', 'test_frames.py', 'test_frames_planes.py',
                     'test_frames_streams.py',
                     'test_frames_waiting.py', 'test_lifetime.py', 'test_lock.py', 'test_names.py',
                     'test_numpy.py', 'test_observers.py', 'test_pickle.py', 'test_save.py',
                     'test_stream.py', 'test_wait.py'):
            with open(os.path.join(FOLDER, name), encoding='utf-8') as file:
                text += file.read()
        called = set(re.findall(r'[.](\w+)', text))
        there = CONSTRUCTORS | FUNCTIONS | METHODS | DTYPE_METHODS | INFO_METHODS
        there |= {name for name, kind in TOP_LEVEL.items() if kind == 'Function'}
        self.assertEqual(there - called, set())
        # What a property has is mostly asked for by its name.
        there = {name.removeprefix('get_') for each in STREAMS.values() for name in each[0]}
        self.assertEqual(there - called - {name[4:] for name in called}, set())

    def test_override(self):
        """Without the override all the other tests would fail; this one says why."""
        self.assertEqual(Shnd.Array.__module__, 'gi.overrides.Shnd')
        self.assertEqual(Shnd.DType.__module__, 'gi.overrides.Shnd')
        classes = [cls for override in (Shnd.Array, Shnd.ArrayInfo, Shnd.DType, Shnd.Frame,
                                          Shnd.Publisher, Shnd.Subscriber)
                   for cls in override.__mro__ if 'shnd_' in cls.__module__ or cls is override]
        self.assertGreaterEqual(len(classes), 13)
        for cls in classes:
            self.assertTrue(cls.__doc__)
            for name, value in vars(cls).items():
                if not name.startswith('_'):
                    self.assertTrue(value.__doc__, (cls, name))
        self.assertTrue(Shnd.unlink.__doc__)


if __name__ == '__main__':
    main()
