# SPDX-License-Identifier: MIT

"""What the tests of Array share."""

import numpy as np
from support import PREFIX, GLib, SharedTestCase, Shnd

Error = Shnd.Error
READ = Shnd.Access.READ
READ_WRITE = Shnd.Access.READ_WRITE
FORTRAN = Shnd.CreateFlags.FORTRAN
SPARSE = Shnd.CreateFlags.SPARSE
PERSISTENT = Shnd.CreateFlags.PERSISTENT

NAME = PREFIX + 'array'
STRUCT = np.dtype([('id', '<u2'), ('place', '>f4', (2, 2)), ('word', '<U3'),
                   ('inner', [('z', '<c8'), ('raw', 'S2')])])
ROW = (7, [[1.0, 2.0], [3.0, 4.0]], 'abc', (1 + 2j, b'xy'))


class ArrayTestCase(SharedTestCase):
    def tearDown(self):
        try:
            Shnd.unlink(NAME)
        except GLib.Error:
            pass

    def assert_all_refused(self, bad, function):
        for kind, values in bad.items():
            for value in values:
                with self.subTest(value=value), self.assertRaises(kind):
                    function(value)

    def assert_array(self, array, expected):
        """The same elements, dtype and shape, and no copy of them."""
        got = array.get()
        self.assertEqual(got.dtype, expected.dtype)
        self.assertEqual(got.shape, expected.shape)
        self.assertEqual(array.dtype, expected.dtype)
        self.assertEqual(array.shape, expected.shape)
        np.testing.assert_array_equal(got, expected)
        if got.size > 0 and got.itemsize > 0:
            self.assertEqual(got.ctypes.data, array.get_data())
