# SPDX-License-Identifier: MIT

"""`shnd reap`."""

import json
import os
import unittest

from cli_support import (PREFIX, USAGE, CliTestCase, Shnd, main, own_names, run)
from files_support import NOBODY


class Reap(CliTestCase):
    """Another one may reap our orphans at any moment: that they are there is expected nowhere but
    where this program says so."""

    def test_reap(self):
        held = Shnd.Array.new(self.own('held'), 'u1', 3)
        kept = [self.make('kept', [1]), held.props.name]
        for name in ('a', 'b\n'):
            self.orphan(name)
        for args in (('--dry-run',), (), ()):
            lines = run('reap', *args).stdout.splitlines()
            listed = [line for line in lines if line.startswith(PREFIX)]
            self.assertLessEqual(set(listed), {PREFIX + 'a', PREFIX + r'b\n'})
        self.assertEqual(listed, [])
        self.assertEqual(own_names(), sorted(kept))
        held.close()

    def test_dry_run(self):
        """Tried again if somebody else was faster."""
        for _ in range(100):
            name = self.orphan('a')
            text = run('reap', '-n').stdout
            if name in own_names():
                self.assertIn(name + '\n', text)
                return
        self.fail('Somebody reaps all the time')

    def test_json(self):
        for _ in range(100):
            name = self.orphan('b\n')
            found = json.loads(run('reap', '--json', '-n').stdout)
            self.assertFalse(found['removed'])
            if name not in own_names():
                continue
            self.assertIn(name, found['names'])
            found = json.loads(run('reap', '-j').stdout)
            self.assertTrue(found['removed'])
            self.assertNotIn(name, own_names())
            if name in found['names']:
                return
        self.fail('Somebody reaps all the time')

    @unittest.skipUnless(os.geteuid() == 0, 'needs another user')
    def test_of_another_user(self):
        name = self.orphan('a')
        for args in (('-n',), ()):
            result = run('reap', *args, **NOBODY)
            self.assertNotIn(name, result.stdout)

    def test_operands(self):
        self.run_error(USAGE, 'nothing but options', 'reap', PREFIX)


if __name__ == '__main__':
    main()
